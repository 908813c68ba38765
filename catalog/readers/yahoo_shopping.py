"""Yahoo!ショッピング item tables: `path,name,code,sub-code,…`, pictures joined by file name.

The classic table names no picture: `code.jpg` is the first, `code_1.jpg` to `code_20.jpg` are the others, flat in one
img.zip. Variants are pairs of `sub-code`: `カラー:赤#サイズ:M=code-rm&カラー:青#サイズ:M=code-bm`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from catalog.paths import IMAGE_SUFFIXES, DumpFile
from catalog.phrases import say
from catalog.readers.cells import clean_line
from catalog.readers.draft import DraftAttribute, DraftCatalogue, DraftProduct, DraftVariant
from catalog.readers.drafting import Drafting, NamedRow, Place
from catalog.readers.mall import add_facts, add_text, category_of, column_name
from catalog.readers.table_set import TableSet

NAME = "yahoo_shopping"
SIGNATURE = frozenset({"path", "name", "code"})
_MARKS = frozenset(
    {
        "sub-code", "options", "headline", "caption", "explanation", "relevant-links", "product-category",
        "sp-additional", "lead-time-instock", "postage-set", "astk-code", "taxrate-type",
    }
)  # fmt: skip
_TEXTS = (
    "caption", "explanation", "headline", "abstract", "sp-additional", "additional1", "additional2", "additional3",
)  # fmt: skip
_FACTS = ("jan", "ship-weight")
_NUMBERED = re.compile(r"^(.+)_([1-9]|1\d|20)$")


@dataclass(kw_only=True)
class _Claim:
    """What a code or sub-code stands for, with the picture files of its name by number."""

    product: DraftProduct
    variant: DraftVariant | None
    place: Place
    files: dict[int, list[DumpFile]] = field(default_factory=dict)


def read(tables: TableSet) -> DraftCatalogue:
    """Read the Yahoo!ショッピング tables of a dump; without products if there are none."""
    exports = []
    for found in tables:
        headed = found.with_header()
        names = {_column(header) for header in headed.header}
        if names >= SIGNATURE and len(names & _MARKS) >= 2:
            exports.append(headed)
    if not exports:
        return DraftCatalogue(reader=NAME)
    drafting = Drafting(NAME, tables.dump)
    claims: dict[str, _Claim] = {}
    for table in exports:
        for row in drafting.rows(table, _column):
            _read_row(row, claims, drafting)
        drafting.evidence.append(
            say("{path}: a Yahoo!ショッピング table of {count} rows", path=table.file.path, count=len(table.rows))
        )
    _claim_variants(claims, drafting)
    joined = _join_pictures(claims, drafting)
    drafting.evidence.append(
        say("{joined} pictures joined by file name: code.jpg, code_1.jpg to code_20.jpg", joined=joined)
    )
    return drafting.done(encoding=exports[0].encoding)


def _column(header: str) -> str:
    return column_name(header).lower()


def _read_row(row: NamedRow, claims: dict[str, _Claim], drafting: Drafting) -> None:
    product = drafting.product(row.place, row["code"], row["name"], category_of(row["path"], "[:：]"))
    if product is None:
        return
    add_facts(product, row, _FACTS, drafting)
    for column in _TEXTS:
        add_text(product, column, row[column], drafting)
    for sub_code, facts in _sub_codes(row, drafting):
        drafting.variant(product, row.place, sub_code, "", facts)
    drafting.pictures(product, row.place, row["item-image-urls"].split(";"))
    known = claims.setdefault(product.sku.casefold(), _Claim(product=product, variant=None, place=row.place))
    if known.product is not product:
        detail = say(
            "code {sku!r} and {sku2!r} differ only in case, as file names need not",
            sku=product.sku,
            sku2=known.product.sku,
        )
        drafting.report(row.place, "FILE_AMBIGUOUS", detail, "warning")


def _sub_codes(row: NamedRow, drafting: Drafting) -> list[tuple[str, list[DraftAttribute]]]:
    """Return (sub-code, facts) of each variant of a row; a pair that says nothing is reported."""
    found = []
    for pair in re.split(r"[&\n]+", row["sub-code"]):
        choice, equals, code = pair.rpartition("=")
        facts = [
            DraftAttribute(name=clean_line(name).lower(), value=clean_line(value), source="sub-code")
            for name, colon, value in (re.split("([:：])", part, maxsplit=1) for part in _parts(choice))
            if name.strip() and value.strip()
        ]
        if equals and facts and code.strip():
            found.append((code.strip(), facts))
        elif pair.strip():
            drafting.report(
                row.place, "VARIANT_UNREADABLE", say("sub-code {pair!r} is no name:value=code", pair=pair.strip()[:60])
            )
    return found


def _parts(choice: str) -> list[str]:
    return [part for part in re.split("[#＃]", choice) if re.search("[:：]", part)]


def _claim_variants(claims: dict[str, _Claim], drafting: Drafting) -> None:
    # After all products: the code of a product is its own even where another product calls a variant so.
    for product in drafting.products.values():
        place = Place(product.origin, product.line)
        for variant in product.variants:
            claims.setdefault(variant.sku.casefold(), _Claim(product=product, variant=variant, place=place))


def _join_pictures(claims: dict[str, _Claim], drafting: Drafting) -> int:
    for file in drafting.dump.with_suffix(IMAGE_SUFFIXES):
        stem = file.stem.casefold()
        numbered = _NUMBERED.match(stem)
        # `a_1.jpg` is the first picture of a product `a_1` if there is one, and else the second of `a`.
        if stem in claims:
            claims[stem].files.setdefault(0, []).append(file)
        elif numbered and numbered[1] in claims:
            claims[numbered[1]].files.setdefault(int(numbered[2]), []).append(file)
    joined = 0
    for claim in claims.values():
        for _, files in sorted(claim.files.items()):
            if len(files) > 1:
                detail = say(
                    "{count} files have the name of one picture: {names}",
                    count=len(files),
                    names=", ".join(file.path for file in files[:3]),
                )
                drafting.report(claim.place, "FILE_AMBIGUOUS", detail)
                continue
            drafting.link(claim.product, files[0], claim.place, claim.variant)
            joined += 1
    for product in drafting.products.values():
        if not product.pictures:
            place = Place(product.origin, product.line)
            drafting.report(place, "FILE_MISSING", say("no picture is called {sku}.jpg", sku=product.sku), "warning")
    return joined
