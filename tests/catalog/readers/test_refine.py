"""Drafts of any reader gain measures, and wrong trade numbers and damaged keys are named; nothing is lost."""

import pytest

from catalog.readers.draft import DraftAttribute, DraftCatalogue, DraftProduct, DraftVariant
from catalog.readers.refine import check_digit_fits, refine
from catalog.records import Issue


def fact(name: str, value: str, source: str = "", unit: str | None = None, kind: str = "fact") -> DraftAttribute:
    return DraftAttribute(name=name, value=value, source=source or name, unit=unit, kind=kind)


def refined(*attributes: DraftAttribute, sku: str = "A-1") -> DraftCatalogue:
    product = DraftProduct(sku=sku, name="Mug", attributes=list(attributes), origin="a.csv", line=7)
    catalogue = DraftCatalogue(reader="table", products=[product])
    refine(catalogue)
    return catalogue


def values(catalogue: DraftCatalogue) -> list[tuple[str, str, float | None, str | None]]:
    return [(item.name, item.value, item.number, item.unit) for item in catalogue.products[0].attributes]


def test_refine_derives_measures_beside_the_fact_they_stand_in() -> None:
    catalogue = refined(fact("サイズ", "幅120×奥行45.5×高さ72cm"), fact("色", "白"))
    assert values(catalogue) == [
        ("サイズ", "幅120×奥行45.5×高さ72cm", None, None),
        ("色", "白", None, None),
        ("width", "120", 120.0, "cm"),
        ("depth", "45.5", 45.5, "cm"),
        ("height", "72", 72.0, "cm"),
    ]
    assert catalogue.products[0].attributes[-1].source == "サイズ"
    assert catalogue.issues == []


def test_a_fact_that_is_one_quantity_gets_number_and_unit_itself() -> None:
    catalogue = refined(
        fact("重量", "約30kg"),
        fact("height", "72", "Height (cm)"),
        fact("length", "12", unit="in"),
        fact("容量", "500ml"),
        fact("shelves", "3段"),
    )
    assert values(catalogue) == [
        ("重量", "約30kg", 30.0, "kg"),
        ("height", "72", 72.0, "cm"),
        ("length", "12", 12.0, "in"),
        ("容量", "500ml", 500.0, "ml"),
        ("shelves", "3段", 3.0, "段"),
    ]


def test_a_range_is_no_number_and_a_stated_measure_is_not_derived_again() -> None:
    catalogue = refined(fact("size", "W20〜25 × H30 cm"), fact("height", "31cm"))
    assert values(catalogue) == [
        ("size", "W20〜25 × H30 cm", None, None),
        ("height", "31cm", 31.0, "cm"),
        ("width", "20–25", None, "cm"),
    ]


def test_names_models_and_running_text_give_no_measures() -> None:
    facts = [fact("model", "W120-D45"), fact("material", "oak, 2nd choice"), fact("text", "幅120cm", kind="text")]
    before = [(item.name, item.value, None, None) for item in facts]
    assert values(refined(*facts)) == before


def test_refine_reads_the_attributes_of_variants() -> None:
    variant = DraftVariant(key="L", sku="A-1-L", attributes=[fact("dimensions", "W30 x D20 cm")])
    product = DraftProduct(sku="A-1", name="Mug", variants=[variant], origin="a.csv", line=2)
    refine(DraftCatalogue(reader="table", products=[product]))
    assert [item.name for item in variant.attributes] == ["dimensions", "width", "depth"]
    assert product.attributes == []


def test_an_unknown_unit_is_one_warning_for_all_its_products() -> None:
    products = [
        DraftProduct(sku=f"A-{n}", name="M", attributes=[fact("weight", f"{n} stone")], origin="a.csv", line=n)
        for n in (2, 3, 4)
    ]
    catalogue = DraftCatalogue(reader="table", products=products)
    refine(catalogue)
    [issue] = catalogue.issues
    assert (issue.reason, issue.severity, issue.source, issue.line) == ("ATTR_UNIT", "warning", "a.csv", 2)
    assert issue.detail == "'stone' is no unit that is known: weight '2 stone' and 2 more; kept as text"


@pytest.mark.parametrize("gtin", ["4006381333931", "4901234567894", "012345678905", "96385074", "14006381333938"])
def test_right_check_digits_pass(gtin: str) -> None:
    assert check_digit_fits(gtin)
    wrong = gtin[:-1] + str((int(gtin[-1]) + 1) % 10)
    assert not check_digit_fits(wrong)
    assert refined(fact("JANコード", gtin), fact("ean", gtin), fact("GTIN-13", gtin)).issues == []
    [issue] = refined(fact("jan", wrong)).issues
    assert (issue.reason, issue.severity, issue.source, issue.line) == ("GTIN_CHECK", "warning", "a.csv", 7)
    assert repr(wrong) in issue.detail


@pytest.mark.parametrize(
    "name", ["gtin", "EAN", "ean13", "UPC", "barcode", "Variant Barcode", "GTIN(JANコード)", "JAN"]
)
def test_trade_numbers_are_known_by_the_names_of_their_columns(name: str) -> None:
    assert [issue.reason for issue in refined(fact(name, "12345")).issues] == ["GTIN_CHECK"]


def test_trade_numbers_in_lists_and_from_spreadsheets() -> None:
    assert [i.reason for i in refined(fact("ean", "4006381333931, 4006381333932")).issues] == ["GTIN_CHECK"]
    assert [i.reason for i in refined(fact("ean", "4.00638E+12")).issues] == ["KEY_EXCEL_DAMAGED"]
    assert refined(fact("ean", "does not apply"), fact("january", "12345")).issues == []


@pytest.mark.parametrize("key", ["4.97171E+12", "4.97E+12", "4,97E+12", "1-Feb", "Feb-01", "2月1日", "2024/2/1"])
def test_keys_damaged_by_a_spreadsheet_are_warned_of_and_kept(key: str) -> None:
    products = [
        DraftProduct(sku=sku, name="Mug", origin="a.csv", line=n) for n, sku in enumerate(["A-1", key, "A-3"], 2)
    ]
    catalogue = DraftCatalogue(reader="table", products=products)
    refine(catalogue)
    assert [product.sku for product in catalogue.products] == ["A-1", key, "A-3"]
    [issue] = catalogue.issues
    assert (issue.reason, issue.severity, issue.line) == ("KEY_EXCEL_DAMAGED", "warning", 3)
    assert repr(key) in issue.detail and "format the column as text" in issue.detail


@pytest.mark.parametrize("key", ["1E5", "3E5", "007", "1-2", "Feb", "A-1-Feb", "12月", "MAY-FLOWER"])
def test_ordinary_keys_are_not_damaged(key: str) -> None:
    assert refined(sku=key).issues == []


def test_keys_that_are_dates_throughout_are_meant_so() -> None:
    products = [DraftProduct(sku=f"2024-01-{n:02d}", name="Menu", origin="a.csv", line=n) for n in range(1, 9)]
    catalogue = DraftCatalogue(reader="table", products=products)
    refine(catalogue)
    assert catalogue.issues == []


def test_a_damaged_key_of_two_products_is_an_error() -> None:
    catalogue = DraftCatalogue(
        reader="table",
        products=[DraftProduct(sku="4.97E+12", name="Mug", origin="a.csv", line=2)],
        issues=[Issue(source="a.csv", line=3, reason="ROW_DUP_KEY", detail="key '4.97E+12' was taken by a.csv line 2")],
    )
    refine(catalogue)
    assert [(i.reason, i.severity) for i in catalogue.issues[1:]] == [("KEY_EXCEL_DAMAGED", "error")]
    shared = [DraftVariant(key=name, sku="4.9E+12") for name in ("S",)]
    products = [DraftProduct(sku=sku, name="Mug", origin="a.csv", variants=list(shared)) for sku in ("A", "B")]
    catalogue = DraftCatalogue(reader="table", products=products)
    refine(catalogue)
    assert [i.severity for i in catalogue.issues] == ["error", "error"]


def test_refining_twice_adds_nothing() -> None:
    catalogue = refined(fact("サイズ", "幅120×奥行45cm"), fact("weight", "3kg"))
    once = values(catalogue)
    refine(catalogue)
    assert values(catalogue) == once


def test_refine_gives_each_of_many_products_its_own_measures() -> None:
    products = [
        DraftProduct(
            sku=f"A-{n:06d}",
            name=f"Mug {n}",
            origin="a.csv",
            line=n,
            attributes=[
                fact("カラー", "白"),
                fact("素材", "オーク材"),
                fact("サイズ", f"幅{n % 300}×奥行{n // 300}×高さ{n % 77}cm"),
                fact("重量", f"約{n / 10}kg"),
                fact("brand", "Acme"),
                fact("型番", f"XY-{n}-Z"),
                fact("note", f"number {n} of many"),
                fact("pattern", "striped"),
            ],
        )
        for n in range(2_000)
    ]
    refine(DraftCatalogue(reader="table", products=products))
    for n, product in enumerate(products):
        stated = {attribute.name: attribute.value for attribute in product.attributes}
        assert (stated["width"], stated["height"]) == (str(n % 300), str(n % 77))


@pytest.mark.parametrize(
    ("value", "name", "number"),
    [
        ("高さ25cm", "height", 25.0),
        ("幅30cm", "width", 30.0),
        ("深さ12cm", "depth", 12.0),
        ("直径9cm", "diameter", 9.0),
    ],
)
def test_a_size_that_is_one_named_measure_gives_that_measure(value: str, name: str, number: float) -> None:
    assert (name, f"{number:g}", number, "cm") in values(refined(fact("サイズ", value)))


def test_size_with_a_remark_gives_diameter_and_depth() -> None:
    found = values(refined(fact("サイズ", "直径22cm×深さ12cm（取っ手含む40cm）")))[1:]
    assert found == [("diameter", "22", 22.0, "cm"), ("depth", "12", 12.0, "cm")]


def test_outer_diameter_thickness_and_length_are_told_apart() -> None:
    found = values(refined(fact("サイズ", "外径12cm 厚さ2mm 長さ30cm")))[1:]
    assert found == [("diameter", "12", 12.0, "cm"), ("length", "30", 30.0, "cm")]
    assert values(refined(fact("内径", "10cm"))) == [("内径", "10cm", 10.0, "cm")]
