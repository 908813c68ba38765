"""A folder of Japanese product data: right products, pictures and English captions, and a list of missing terms."""

import importlib.util
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from japanese_dump import ARCHIVE, JARGON, PRODUCTS, TABLE, JapaneseProduct, pixels, write_japanese_dump
from sqlalchemy import select
from typer.testing import CliRunner

from adapt.cli import app
from catalog import glossary, intake, readers
from catalog import ingest as run_of_ingest
from catalog.caption import Writer, rebuild_captions
from catalog.ingest import ingest
from catalog.products import load_products, product_ids
from catalog.records import Caption, IngestReport, Product
from catalog.schema import CaptionRow
from catalog.store import Catalog

READS_ARCHIVES = importlib.util.find_spec("catalog.archives") is not None
READS_MEASURES = any(hasattr(module, "refine") for module in (readers, run_of_ingest, intake))
NEVER = re.compile(
    r"[^\x00-\x7f]|\d{3}|free|ship|sale|new|limited|popular|point|warrant|yen|price|takasaki|\bjan\b", re.I
)
"""What no picture shows: other scripts, codes, sales talk, price, warranty and maker."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Catalog, IngestReport, dict[str, bytes]]]:
    """The folder with its zip, ingested; without it where archives are not read."""
    root = tmp_path_factory.mktemp("japanese")
    pictures = write_japanese_dump(root / "商品データ", archive=READS_ARCHIVES)
    with Catalog.open(root / "workspace") as catalog:
        yield catalog, ingest(catalog, root / "商品データ"), pictures


def products(catalog: Catalog) -> dict[str, Product]:
    with catalog.read() as session:
        return {product.sku: product for product in load_products(session, product_ids(session))}


def captions(catalog: Catalog) -> dict[str, list[Caption]]:
    found: dict[str, list[Caption]] = {}
    by_id = {product.id: product.sku for product in products(catalog).values()}
    with catalog.read() as session:
        for row in session.scalars(select(CaptionRow).order_by(CaptionRow.id)):
            caption = Caption(id=row.id, text=row.text, lang=row.lang, template=row.template, facts=dict(row.facts))
            found.setdefault(by_id[row.product_id], []).append(caption)
    return found


def run(workspace: Path, *arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["-w", str(workspace), "--json", *arguments])
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


def test_every_row_is_a_product_with_its_own_picture(shop: tuple[Catalog, IngestReport, dict[str, bytes]]) -> None:
    catalog, report, pictures = shop
    assert (report.products_added, report.images_linked) == (24, 24)
    assert [issue for issue in report.issues if issue.severity == "error"] == []
    found = products(catalog)
    assert found.keys() == pictures.keys() and "0001" in found
    for sku, product in found.items():
        assert product.lang == "ja" and len(product.pictures) == 1
        assert pixels(catalog.blobs.read(product.pictures[0].sha256)) == pixels(pictures[sku])


def test_cells_arrive_as_they_were_written(shop: tuple[Catalog, IngestReport, dict[str, bytes]]) -> None:
    found = products(shop[0])
    for row in PRODUCTS:
        facts = {fact.name: fact.value for fact in found[row.sku].attributes}
        jan = next(value for name, value in facts.items() if "jan" in name.casefold())
        assert jan == row.jan and jan.startswith("0")
        assert "㈱髙﨑" in found[row.sku].description and "<br>" not in found[row.sku].description
    assert found["0002"].name == "マグカップ 1型"
    assert {fact.value for fact in found["0002"].attributes} >= {"ブルー", "磁器"}


@pytest.mark.skipif(not READS_MEASURES, reason="sizes are not read as measures yet")
def test_sizes_become_numbers_with_units(shop: tuple[Catalog, IngestReport, dict[str, bytes]]) -> None:
    found = products(shop[0])
    for row in PRODUCTS:
        measured = {
            fact.name: (float(fact.value), fact.unit) for fact in found[row.sku].attributes if fact.name in row.measures
        }
        assert measured == row.measures, row.sku


@pytest.mark.skipif(not READS_ARCHIVES, reason="archives are not read yet")
def test_half_of_the_pictures_come_out_of_the_zip(shop: tuple[Catalog, IngestReport, dict[str, bytes]]) -> None:
    origins = {sku: product.pictures[0].origin for sku, product in products(shop[0]).items()}
    assert {sku for sku, origin in origins.items() if ARCHIVE in origin} == {row.sku for row in PRODUCTS if row.packed}
    assert origins["0002"].endswith("写真/ガラス_プレート～0002.jpg")


def said(text: str, words: tuple[str, ...]) -> bool:
    return any(re.search(rf"\b{re.escape(word)}", text, re.I) for word in words)


def without(text: str, words: list[str]) -> str:
    for word in sorted(words, key=len, reverse=True):
        text = re.sub(rf"\b{re.escape(word)}\w*", " ", text, flags=re.I)
    return text


@pytest.mark.parametrize("row", PRODUCTS, ids=lambda row: row.sku)
def test_english_captions_state_what_is_true_and_nothing_else(
    shop: tuple[Catalog, IngestReport, dict[str, bytes]], row: JapaneseProduct
) -> None:
    terms = glossary.load()
    written = captions(shop[0])[row.sku]
    assert len(written) == 10 and len({caption.text for caption in written}) == 10
    kinds = {"noun": "category", "colour": "colour", "material": "material"}
    right = {name: terms.words(kinds[name], fact, "en") for name, fact in row.facts.items()}
    right["material"] = (*right.get("material", ()), *(("wooden",) if row.facts.get("material") == "wood" else ()))
    others = {
        (name, fact): terms.words(kinds[name], fact, "en")
        for other in PRODUCTS
        for name, fact in other.facts.items()
        if name != "noun" and fact != row.facts.get(name)
    }
    for caption in written:
        assert {name: fact for name, fact in caption.facts.items() if name in kinds}.items() <= row.facts.items()
        assert all(said(caption.text, right[name]) for name in caption.facts if name in kinds), caption.text
        assert not NEVER.search(caption.text), caption.text
        rest = without(caption.text, [word for words in right.values() for word in words])
        assert [fact for fact, words in others.items() if said(rest, words)] == [], caption.text
    # Every fact is said by most of them: medium and full ones leave none out.
    assert sum(row.facts.items() <= caption.facts.items() for caption in written) >= 7


def test_terms_the_glossary_lacks_are_listed_and_can_be_added(tmp_path: Path) -> None:
    write_japanese_dump(tmp_path / "dump", archive=False)
    workspace = tmp_path / "workspace"
    assert run(workspace, "ingest", str(tmp_path / "dump"), "--encoding", "cp932")["products_added"] == 24
    unknown = run(workspace, "captions", "--unknown")["unknown"]
    assert {
        term["term"]: (term["attribute"], term["products"], term["examples"], term["used"]) for term in unknown
    } == {
        "錆御納戸": ("色", 1, ["dump/0004"], False),
        "朝凪セラミカ": ("素材", 1, ["dump/0011"], False),
    }
    assert {term["term"] for term in unknown} == JARGON
    (workspace / "glossary.csv").write_text(
        "term,lang,concept,en,ja,kind,status\n"
        "錆御納戸,ja,slate blue,slate blue,錆御納戸,colour,ok\n朝凪セラミカ,ja,ceramic,,,material,ok\n",
        encoding="utf-8",
    )
    with Catalog.open(workspace) as catalog:
        before = captions(catalog)
        again = run(workspace, "captions", "--rebuild")
        assert again["unknown"] == [] and again["unchanged"] >= 220 and again["added"] > 0
        after = captions(catalog)
        assert {sku for sku in after if after[sku] != before[sku]} == {"0004", "0011"}
        assert any("slate blue" in caption.text for caption in after["0004"])
        assert any("ceramic" in caption.text for caption in after["0011"])
        assert captions(catalog) == after and rebuild_captions(catalog).unchanged == 240


def test_wordings_have_three_lengths_and_follow_the_seed(
    shop: tuple[Catalog, IngestReport, dict[str, bytes]],
) -> None:
    catalog = shop[0]
    for product in products(catalog).values():
        lengths = Counter(wording.length for wording in next(Writer.open().views(product)).wordings)
        assert lengths == {"short": 3, "medium": 4, "full": 3}, product.sku
    assert rebuild_captions(catalog, dry_run=True).unchanged == 240
    other = rebuild_captions(catalog, seed=7, dry_run=True)
    assert other.added > 0 and other.captions == 240


def test_table_is_what_companies_have(tmp_path: Path) -> None:
    write_japanese_dump(tmp_path / "dump", archive=False)
    data = (tmp_path / "dump" / TABLE).read_bytes()
    with pytest.raises(UnicodeDecodeError):
        data.decode("utf-8")
    with pytest.raises(UnicodeDecodeError):
        data.decode("shift_jis")
    assert "髙﨑" in data.decode("cp932")
