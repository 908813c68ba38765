"""BMEcat 1.2 and 2005, the XML of German industry: articles with features and pictures.

Recognised by the root element `BMECAT`. Pictures are named below the header's MIME_ROOT, often with backslashes, and
often under a wrong MIME type, so their suffix decides. The file is read article by article; its external DTD is never
fetched.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from catalog.paths import IMAGE_SUFFIXES, DumpFile
from catalog.phrases import say
from catalog.readers.cells import clean, clean_line
from catalog.readers.draft import DraftAttribute, DraftCatalogue, DraftProduct
from catalog.readers.drafting import Drafting, Place
from catalog.readers.table_set import TableSet
from catalog.readers.tabular import MAX_TABLE_BYTES
from catalog.readers.unit_codes import unit_of

NAME = "bmecat"
_ARTICLES = frozenset({"ARTICLE", "PRODUCT"})
_KEYS = ("SUPPLIER_AID", "SUPPLIER_PID")
_FEATURES = frozenset({"PRODUCT_FEATURES", "ARTICLE_FEATURES"})
_ENGLISH = ("eng", "en", "")
_NOT_PICTURES = frozenset({"data_sheet", "logo", "icon"})
_CODE_NAME = re.compile(r"^(EF\d{6}|0173-1#.*|\d+-\d+.*)$")
"""A feature named by its ETIM or ECLASS code says nothing without the dictionary."""
_HEAD_BYTES = 4096


@dataclass(kw_only=True)
class _Catalogue:
    """What stands beside the articles: the pictures' root, the groups, and which article is in which."""

    picture_root: str = ""
    groups: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Id of a group → (its name, id of the group it is in)."""
    members: dict[str, str] = field(default_factory=dict)
    """Article → its first group."""
    classes: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    """(Classification, id of a class) → (its name, id of the class it is in)."""
    classified: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """Article → the classes it is in, each with its classification."""

    def category(self, key: str) -> str:
        names: list[str] = []
        group = self.members.get(key, "")
        while group in self.groups and len(names) < 20:
            name, group = self.groups[group]
            names.insert(0, name)
        # The root group is the catalogue itself.
        return " > ".join(names[1:] or names) or self._class(key)

    def _class(self, key: str) -> str:
        """Return the first class of an article whose name the file states, with those it is in."""
        for system, inside in self.classified.get(key, []):
            names: list[str] = []
            while (system, inside) in self.classes and len(names) < 20:
                name, inside = self.classes[system, inside]
                names.insert(0, name)
            if names:
                return " > ".join(names)
        return ""


def read(tables: TableSet) -> DraftCatalogue:
    """Read the BMEcat files of a dump; without products if there are none."""
    files = [file for file in tables.dump.with_suffix({".xml", ".bmecat"}) if _is_bmecat(file)]
    if not files:
        return DraftCatalogue(reader=NAME)
    drafting = Drafting(NAME, tables.dump)
    for file in files:
        _read_file(file, drafting)
    return drafting.done()


def _is_bmecat(file: DumpFile) -> bool:
    try:
        head = file.read(_HEAD_BYTES)[:_HEAD_BYTES]
    except OSError:
        return False
    text = head.decode("utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1", errors="replace")
    return re.search(r"<(?:\w+:)?BMECAT[\s>]", text) is not None


def _read_file(file: DumpFile, drafting: Drafting) -> None:
    about = _Catalogue()
    articles: list[DraftProduct] = []
    number = 0
    try:
        stream = io.BytesIO(file.read(MAX_TABLE_BYTES))
        for _, element in defusedxml.ElementTree.iterparse(stream, events=("end",)):
            tag = _local(element.tag)
            if tag in _ARTICLES:
                number += 1
                place = drafting.count(file.path, number)
                if (product := _add_article(element, place, about, drafting)) is not None:
                    articles.append(product)
                element.clear()
            else:
                _note(element, tag, about)
    except (ParseError, DefusedXmlException, OSError, ValueError) as error:
        line = error.position[0] if isinstance(error, ParseError) else None
        drafting.documents.add(file.path)
        detail = say("the XML breaks off after {number} articles: {error}", number=number, error=str(error))
        drafting.report(Place(file.path, line), "FILE_UNREADABLE", detail)
    for product in articles:
        product.category = about.category(product.sku)
    root = say(", pictures below {picture_root}", picture_root=about.picture_root) if about.picture_root else ""
    drafting.evidence.append(
        say("{path}: a BMEcat of {number} articles{root}", path=file.path, number=number, root=root)
    )


def _note(element: Element, tag: str, about: _Catalogue) -> None:
    if tag == "MIME_ROOT":
        about.picture_root = clean_line(element.text or "").replace("\\", "/").strip("/")
    elif tag == "CATALOG_STRUCTURE":
        about.groups[_text(element, "GROUP_ID")] = (_text(element, "GROUP_NAME"), _text(element, "PARENT_ID"))
        element.clear()
    elif tag == "CLASSIFICATION_SYSTEM":
        system = _text(element, "CLASSIFICATION_SYSTEM_NAME")
        for group in _all(element, "CLASSIFICATION_GROUP"):
            inside = _text(group, "CLASSIFICATION_GROUP_PARENT_ID")
            about.classes[system, _text(group, "CLASSIFICATION_GROUP_ID")] = (
                _best(group, "CLASSIFICATION_GROUP_NAME"),
                inside,
            )
        element.clear()
    elif tag.endswith("_TO_CATALOGGROUP_MAP"):
        article = _text(element, "ART_ID") or _text(element, "PROD_ID")
        about.members.setdefault(article, _text(element, "CATALOG_GROUP_ID"))
        element.clear()


def _add_article(element: Element, place: Place, about: _Catalogue, drafting: Drafting) -> DraftProduct | None:
    key = next((found for name in _KEYS if (found := _text(element, name))), "")
    names = _by_language(element, "DESCRIPTION_SHORT")
    lang = _preferred(names)
    product = drafting.product(place, key, names.get(lang, ""))
    if product is None:
        return None
    for tag in ("DESCRIPTION_LONG", "REMARKS"):
        texts = _by_language(element, tag)
        for code in sorted(texts, key=lambda code: code != lang):
            label = tag.replace("_LONG", "").lower()
            drafting.text(product, label if code == lang else f"{label} {code}", texts[code], tag)
    for code, name in names.items():
        if code != lang:
            product.attributes.append(
                DraftAttribute(name=f"name {code}", value=name, source="DESCRIPTION_SHORT", kind="text")
            )
    for name in ("MANUFACTURER_NAME", "KEYWORD"):
        drafting.fact(product, {"MANUFACTURER_NAME": "brand"}.get(name, "keyword"), _text(element, name), name)
    about.classified[product.sku] = [
        (_text(features, "REFERENCE_FEATURE_SYSTEM_NAME"), _text(features, "REFERENCE_FEATURE_GROUP_ID"))
        for features in element
        if _local(features.tag) in _FEATURES
    ]
    for feature in _all(element, "FEATURE"):
        _add_feature(feature, product, place, drafting)
    drafting.pictures(product, place, _pictures(element), folders=_folders(place, about))
    return product


def _add_feature(feature: Element, product: DraftProduct, place: Place, drafting: Drafting) -> None:
    name = _best(feature, "FNAME")
    if not name or _CODE_NAME.match(name):
        name = _best(feature, "FDESCR") or name
    unit = unit_of(_text(feature, "FUNIT"))
    variants = list(_all(feature, "VARIANT"))
    for variant in variants:
        value = f"{_text(variant, 'FVALUE')} {unit}".strip()
        supplement = _text(variant, "SUPPLIER_AID_SUPPLEMENT") or _text(variant, "SUPPLIER_PID_SUPPLEMENT")
        attribute = DraftAttribute(name=clean_line(name).lower(), value=clean_line(value), source="FVALUE")
        drafting.variant(product, place, product.sku + supplement, "", [attribute], key=product.sku + supplement)
    if not variants:
        values = [clean_line(value.text or "") for value in feature if _local(value.tag) == "FVALUE"]
        stated = ", ".join(value for value in values if value not in ("", "-"))
        drafting.fact(product, name, f"{stated} {unit}".strip() if stated else "", "FVALUE", unit)


def _pictures(element: Element) -> list[str]:
    """Return the article's pictures by their order, reduced ones last."""
    found: list[tuple[bool, int, str]] = []
    for mime in _all(element, "MIME"):
        source = (_best(mime, "MIME_SOURCE") or "").replace("\\", "/")
        purpose = _text(mime, "MIME_PURPOSE").casefold()
        if source.lower().endswith(tuple(IMAGE_SUFFIXES)) and purpose not in _NOT_PICTURES:
            order = _text(mime, "MIME_ORDER")
            found.append((purpose == "thumbnail", int(order) if order.isdecimal() else len(found) + 1, source))
    return [source for _, _, source in sorted(found, key=lambda item: item[:2])]


def _folders(place: Place, about: _Catalogue) -> list[str]:
    if not about.picture_root:
        return []
    own = place.file.rpartition("/")[0]
    return [f"{own}/{about.picture_root}".strip("/"), about.picture_root]


# --- elements ------------------------------------------------------------------------------------


def _local(tag: object) -> str:
    return str(tag).rpartition("}")[2].rpartition(":")[2]


def _all(element: Element, name: str) -> Iterator[Element]:
    return (inner for inner in element.iter() if _local(inner.tag) == name)


def _text(element: Element, name: str) -> str:
    return next((clean_line(inner.text or "") for inner in _all(element, name) if (inner.text or "").strip()), "")


def _best(element: Element, name: str) -> str:
    texts = _by_language(element, name)
    return clean_line(texts.get(_preferred(texts), ""))


def _by_language(element: Element, name: str) -> dict[str, str]:
    """Return the texts of an element that stands once a language, by the value of its `lang`."""
    texts: dict[str, str] = {}
    for inner in _all(element, name):
        lang = next((value for key, value in inner.attrib.items() if _local(key) == "lang"), "").casefold()
        if text := clean(inner.text or ""):
            texts.setdefault(lang, text)
    return texts


def _preferred(texts: Mapping[str, str]) -> str:
    """Return the language to read: English, else the first there is."""
    return next((lang for lang in _ENGLISH if lang in texts), next(iter(texts), ""))
