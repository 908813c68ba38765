"""BMEcat 1.2 and 2005: backslash paths, wrong MIME types, an external DTD, codes for names."""

from pathlib import Path

import pytest
from PIL import Image

from catalog.errors import IngestRefused
from catalog.paths import Dump
from catalog.readers import read_dump
from catalog.readers.draft import DraftCatalogue
from catalog.records import RowBooks

OLD = r"""<?xml version="1.0" encoding="ISO-8859-1"?>
<!DOCTYPE BMECAT SYSTEM "bmecat_new_catalog_1_2.dtd">
<BMECAT version="1.2" xmlns="http://www.bmecat.org/bmecat/1.2/bmecat_new_catalog">
 <HEADER><CATALOG><LANGUAGE>eng</LANGUAGE><MIME_ROOT>images\Web</MIME_ROOT></CATALOG></HEADER>
 <T_NEW_CATALOG>
  <CATALOG_GROUP_SYSTEM>
   <CATALOG_STRUCTURE type="root"><GROUP_ID>1</GROUP_ID><GROUP_NAME>All</GROUP_NAME>
    <PARENT_ID>0</PARENT_ID></CATALOG_STRUCTURE>
   <CATALOG_STRUCTURE type="node"><GROUP_ID>2</GROUP_ID><GROUP_NAME>Lighting</GROUP_NAME>
    <PARENT_ID>1</PARENT_ID></CATALOG_STRUCTURE>
   <CATALOG_STRUCTURE type="leaf"><GROUP_ID>3</GROUP_ID><GROUP_NAME>Desk lamps</GROUP_NAME>
    <PARENT_ID>2</PARENT_ID></CATALOG_STRUCTURE>
  </CATALOG_GROUP_SYSTEM>
  <ARTICLE>
   <SUPPLIER_AID>007</SUPPLIER_AID>
   <ARTICLE_DETAILS>
    <DESCRIPTION_SHORT>Desk lamp Gr&#252;n</DESCRIPTION_SHORT>
    <DESCRIPTION_LONG>&lt;p&gt;A lamp with a long arm.&lt;/p&gt;</DESCRIPTION_LONG>
    <EAN>4012345678901</EAN>
   </ARTICLE_DETAILS>
   <ARTICLE_FEATURES>
    <REFERENCE_FEATURE_SYSTEM_NAME>ETIM-10</REFERENCE_FEATURE_SYSTEM_NAME>
    <FEATURE><FNAME>Colour</FNAME><FVALUE>green</FVALUE></FEATURE>
    <FEATURE><FNAME>Height</FNAME><FVALUE>45</FVALUE><FUNIT>CMT</FUNIT></FEATURE>
    <FEATURE><FNAME>EF000001</FNAME><FVALUE>steel</FVALUE><FDESCR>Material</FDESCR></FEATURE>
    <FEATURE><FNAME>Weight</FNAME><FVALUE>-</FVALUE></FEATURE>
   </ARTICLE_FEATURES>
   <MIME_INFO>
    <MIME><MIME_TYPE>image/tiff</MIME_TYPE><MIME_SOURCE>small\1.png</MIME_SOURCE>
     <MIME_PURPOSE>thumbnail</MIME_PURPOSE><MIME_ORDER>1</MIME_ORDER></MIME>
    <MIME><MIME_TYPE>application/pdf</MIME_TYPE><MIME_SOURCE>Foto\1.png</MIME_SOURCE>
     <MIME_PURPOSE>normal</MIME_PURPOSE><MIME_ORDER>2</MIME_ORDER></MIME>
    <MIME><MIME_TYPE>image/png</MIME_TYPE><MIME_SOURCE>sheets\1.pdf</MIME_SOURCE>
     <MIME_PURPOSE>data_sheet</MIME_PURPOSE></MIME>
   </MIME_INFO>
  </ARTICLE>
  <ARTICLE><SUPPLIER_AID></SUPPLIER_AID><ARTICLE_DETAILS>
   <DESCRIPTION_SHORT>No key</DESCRIPTION_SHORT></ARTICLE_DETAILS></ARTICLE>
  <ARTICLE><SUPPLIER_AID>007</SUPPLIER_AID><ARTICLE_DETAILS>
   <DESCRIPTION_SHORT>Again</DESCRIPTION_SHORT></ARTICLE_DETAILS></ARTICLE>
  <ARTICLE><SUPPLIER_AID>008</SUPPLIER_AID><ARTICLE_DETAILS>
   <DESCRIPTION_SHORT>Clamp</DESCRIPTION_SHORT></ARTICLE_DETAILS>
   <ARTICLE_FEATURES><FEATURE><FNAME>Colour</FNAME><VARIANTS>
    <VARIANT><FVALUE>black</FVALUE><SUPPLIER_AID_SUPPLEMENT>-B</SUPPLIER_AID_SUPPLEMENT></VARIANT>
    <VARIANT><FVALUE>white</FVALUE><SUPPLIER_AID_SUPPLEMENT>-W</SUPPLIER_AID_SUPPLEMENT></VARIANT>
   </VARIANTS></FEATURE></ARTICLE_FEATURES>
   <MIME_INFO><MIME><MIME_SOURCE>Foto\none.png</MIME_SOURCE></MIME></MIME_INFO></ARTICLE>
  <ARTICLE_TO_CATALOGGROUP_MAP><ART_ID>007</ART_ID>
   <CATALOG_GROUP_ID>3</CATALOG_GROUP_ID></ARTICLE_TO_CATALOGGROUP_MAP>
 </T_NEW_CATALOG>
</BMECAT>
"""
NEW = """<?xml version="1.0" encoding="UTF-8"?>
<BMECAT version="2005"><HEADER/><T_NEW_CATALOG>
 <PRODUCT mode="new"><SUPPLIER_PID>A-1</SUPPLIER_PID>
  <PRODUCT_DETAILS>
   <DESCRIPTION_SHORT lang="ger">Wasserhahn</DESCRIPTION_SHORT>
    <DESCRIPTION_SHORT lang="eng">Water tap</DESCRIPTION_SHORT>
   <DESCRIPTION_LONG lang="ger">Ein Hahn.</DESCRIPTION_LONG><DESCRIPTION_LONG lang="eng">A tap.</DESCRIPTION_LONG>
  </PRODUCT_DETAILS>
  <PRODUCT_FEATURES><FEATURE><FNAME lang="ger">Farbe</FNAME><FNAME lang="eng">Colour</FNAME>
   <FVALUE>chrome</FVALUE></FEATURE></PRODUCT_FEATURES>
  <MIME_INFO><MIME><MIME_SOURCE>tap.jpg</MIME_SOURCE></MIME></MIME_INFO>
 </PRODUCT>
</T_NEW_CATALOG></BMECAT>
"""


def catalogue_of(folder: Path, text: str, encoding: str, *pictures: str) -> DraftCatalogue:
    (folder / "catalog.xml").write_bytes(text.encode(encoding))
    for path in pictures:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (32, 32), "white").save(folder / path)
    return read_dump(Dump(folder))


def test_bmecat_reads_articles_features_and_backslash_pictures(tmp_path: Path) -> None:
    catalogue = catalogue_of(
        tmp_path, OLD, "latin-1", "images/Web/small/1.png", "images/Web/Foto/1.png", "other/Foto/1.png"
    )
    assert catalogue.reader == "bmecat"
    lamp, clamp = catalogue.products
    assert (lamp.sku, lamp.name, lamp.category) == ("007", "Desk lamp Grün", "Lighting > Desk lamps")
    assert lamp.description == "A lamp with a long arm."
    facts = [(fact.name, fact.value) for fact in lamp.attributes if fact.kind == "fact"]
    assert facts == [("colour", "green"), ("height", "45 cm"), ("material", "steel")]
    # The full picture comes before its thumbnail, whatever the order says, and the right one of two of that name.
    assert [picture.path for picture in lamp.pictures] == ["images/Web/Foto/1.png", "images/Web/small/1.png"]
    assert [(variant.sku, variant.attributes[0].value) for variant in clamp.variants] == [
        ("008-B", "black"),
        ("008-W", "white"),
    ]


def test_bmecat_books_balance(tmp_path: Path) -> None:
    catalogue = catalogue_of(tmp_path, OLD, "latin-1", "images/Web/small/1.png", "images/Web/Foto/1.png")
    assert catalogue.rows == RowBooks(read=4, accepted=2, duplicate=1, quarantined=1)
    assert [(issue.reason, issue.line) for issue in catalogue.issues] == [
        ("ROW_NO_KEY", 2),
        ("ROW_DUP_KEY", 3),
        ("FILE_MISSING", 4),
    ]


def test_bmecat_prefers_english_and_keeps_the_other_languages(tmp_path: Path) -> None:
    (tap,) = catalogue_of(tmp_path, NEW, "utf-8", "tap.jpg").products
    assert (tap.sku, tap.name, tap.description) == ("A-1", "Water tap", "A tap.")
    stated = {(fact.name, fact.value) for fact in tap.attributes}
    assert stated == {
        ("description", "A tap."),
        ("description ger", "Ein Hahn."),
        ("name ger", "Wasserhahn"),
        ("colour", "chrome"),
    }


@pytest.mark.parametrize("entity", ['<!ENTITY x SYSTEM "file:///etc/hostname">', '<!ENTITY x "boom">'])
def test_bmecat_with_entities_of_its_own_is_refused(tmp_path: Path, entity: str) -> None:
    text = NEW.replace("<BMECAT", f"<!DOCTYPE BMECAT [{entity}]><BMECAT", 1).replace("A tap.", "&x;")
    with pytest.raises(IngestRefused, match=r"catalog\.xml \(FILE_UNREADABLE: the XML breaks off after 0 articles"):
        catalogue_of(tmp_path, text, "utf-8", "tap.jpg")
