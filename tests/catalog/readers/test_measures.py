"""Sizes, weights and quantities as shops write them become numbers with a unit and a name."""

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from catalog.readers.measures import MAX_CHARS, _read, read_measures
from catalog.readers.quantities import number_of
from catalog.readers.units import sense_of


def found(value: str, label: str = "") -> list[tuple[str, float, str]]:
    return [(measure.name, measure.number, measure.unit) for measure in read_measures(value, label).measures]


@pytest.mark.parametrize(
    ("value", "measures"),
    [
        ("幅120×奥行45×高さ72cm", [("width", 120, "cm"), ("depth", 45, "cm"), ("height", 72, "cm")]),
        ("W120 x D45", [("width", 120, ""), ("depth", 45, "")]),
        ("W120 x D45 (x H72 cm)", [("width", 120, "cm"), ("depth", 45, "cm"), ("height", 72, "cm")]),
        ("W1200mm×D450mm", [("width", 1200, "mm"), ("depth", 450, "mm")]),
        (
            "サイズ：W45×D50×H80（SH42）cm",
            [("width", 45, "cm"), ("depth", 50, "cm"), ("height", 80, "cm"), ("seat height", 42, "cm")],
        ),
        ("約30kg", [("weight", 30, "kg")]),
        ("φ25cm", [("diameter", 25, "cm")]),
        ("Ø 20 mm", [("diameter", 20, "mm")]),
        ("直径25cm", [("diameter", 25, "cm")]),
        ("φ25×H30cm", [("diameter", 25, "cm"), ("height", 30, "cm")]),
        ("3段", [("count", 3, "段")]),
        ("2人掛け", [("count", 2, "人掛け")]),
        ("60W形", [("power", 60, "W")]),
        ("12.5 x 8 in", [("size", 12.5, "in"), ("size", 8, "in")]),
        ("1,200 mm", [("size", 1200, "mm")]),
        ("5'10\"", [("size", 70, "in")]),
        ("500ml", [("volume", 500, "ml")]),
        ("1.5L", [("volume", 1.5, "L")]),
        ("500ml×24本", [("volume", 500, "ml"), ("count", 24, "本")]),
        ("10号", [("size", 10, "号")]),
        ("Width: 45 cm", [("width", 45, "cm")]),
        ('45"W x 20"D x 30"H', [("width", 45, "in"), ("depth", 20, "in"), ("height", 30, "in")]),
        ("B 45 x T 50 x H 80 cm", [("width", 45, "cm"), ("depth", 50, "cm"), ("height", 80, "cm")]),
        ("Breite 45,5 cm, Tiefe 50 cm", [("width", 45.5, "cm"), ("depth", 50, "cm")]),
        ("縦20×横30cm", [("length", 20, "cm"), ("width", 30, "cm")]),
        ("３０㎝ １２㎏", [("size", 30, "cm"), ("weight", 12, "kg")]),
        ("２５０㎖ 3㎡", [("volume", 250, "ml"), ("area", 3, "m²")]),
        ("ｻｲｽﾞ 幅30センチ 重さ2キロ", [("width", 30, "cm"), ("weight", 2, "kg")]),
        ("1 1/2 in", [("size", 1.5, "in")]),
        ("100V 50/60Hz", [("voltage", 100, "V"), ("frequency", 60, "Hz")]),
        (".5 in", [("size", 0.5, "in")]),
    ],
)
def test_measures_are_read_as_written(value: str, measures: list[tuple[str, float, str]]) -> None:
    assert found(value) == measures


@pytest.mark.parametrize(
    ("value", "label", "measures"),
    [
        ("120", "Weight (lbs)", [("weight", 120, "lb")]),
        ("12.5", "Length (in)", [("length", 12.5, "in")]),
        ("72", "高さ(cm)", [("height", 72, "cm")]),
        ("350", "重量[g]", [("weight", 350, "g")]),
        ("45", "width_cm", [("width", 45, "cm")]),
        ("100", "width", [("width", 100, "")]),
        ("30cm", "本体高さ", [("height", 30, "cm")]),
        ("φ25", "サイズ", [("diameter", 25, "")]),
        ("500 ml", "容量", [("capacity", 500, "ml")]),
        ("45x50x80", "Dimensions (cm)", [("size", 45, "cm"), ("size", 50, "cm"), ("size", 80, "cm")]),
        ("10 × 20 × 5", "サイズ(幅×奥行×高さ) (cm)", [("width", 10, "cm"), ("depth", 20, "cm"), ("height", 5, "cm")]),
        ("30 x 20 cm", "W x D", [("width", 30, "cm"), ("depth", 20, "cm")]),
        ("10 kg", "shippingWeight", [("weight", 10, "kg")]),
    ],
)
def test_the_column_names_bare_numbers_and_gives_their_unit(
    value: str, label: str, measures: list[tuple[str, float, str]]
) -> None:
    assert found(value, label) == measures


@pytest.mark.parametrize("value", ["20〜25cm", "20～25cm", "20-25cm", "20cm-25cm", "20 to 25 cm", "20–25㎝"])
def test_a_range_has_two_ends(value: str) -> None:
    [measure] = read_measures(value, "直径").measures
    assert (measure.name, measure.number, measure.upper, measure.unit) == ("diameter", 20, 25, "cm")


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("SKU-12345-AB", "code"),
        ("W120", "Model"),
        ("A4", ""),
        ("10 M", "Size"),
        ("42", "Size"),
        ("42 EU", "Size"),
        ("iPhone 12", ""),
        ("綿100%", "素材"),
        ("3 in 1", ""),
        ("5 in stock", ""),
        ("12/25/2024", "date"),
        ("90's style", ""),
        ("4901234567894", "JAN"),
        ("2024年1月", ""),
        ("x" * MAX_CHARS + " 45cm", "Width"),
    ],
)
def test_what_is_no_measure_gives_none(value: str, label: str) -> None:
    assert read_measures(value, label) == ((), "")


def test_only_a_number_that_clearly_carries_a_unit_makes_it_unknown() -> None:
    assert read_measures("3 stone", "Weight").unknown == "stone"
    assert read_measures("5", "Weight (stone)").unknown == "stone"
    assert read_measures("3 ポンポン", "重量").unknown == "ポンポン"
    for value, label in (("3 stone", "Material"), ("42 EU", "Size"), ("about 3 of them", "Width"), ("3kg", "Weight")):
        assert read_measures(value, label).unknown == ""


def test_text_is_the_part_that_was_read() -> None:
    texts = [measure.text for measure in read_measures("本体:幅1,200×奥行45.5×高さ72cm (約12.5kg)").measures]
    assert texts == ["幅1,200", "奥行45.5", "高さ72cm", "約12.5kg"]


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1,200", 1200), ("12,5", 12.5), ("1.200,5", 1200.5), ("1,200.5", 1200.5), ("0,125", 0.125), ("1 1/2", 1.5),
        ("1/2", 0.5), ("1.234.567", 1234567), ("1,234,567", 1234567), ("007", 7), (".5", 0.5),
    ],
)  # fmt: skip
def test_number_of(written: str, number: float) -> None:
    assert number_of(written) == number


def test_sense_of_reads_names_and_units_of_columns() -> None:
    assert sense_of("Weight (lbs)") == (("weight",), "lb", False, "")
    assert sense_of("外寸（幅×奥行×高さ）")[:3] == (("width", "depth", "height"), "", True)
    assert sense_of("shipping_weight_kg")[:2] == (("weight",), "kg")
    assert sense_of("colour") == ((), "", False, "")


PIECES = (
    *"幅 奥行 W D SH φ 約 12 1,200 4.5 1/2 ½ ' \" × x - 〜 cm in kg 段 ( ) . , ： W形 １２ ㎝ to ± ² A 0 %".split(),
    " ",
)
VALUES = st.lists(st.sampled_from(PIECES), max_size=20).map("".join)


@settings(deadline=None)
@given(
    st.one_of(VALUES, st.text(max_size=60)),
    st.sampled_from(["", "Width", "サイズ", "Weight (lbs)", "幅×奥行(cm)", "x"]),
)
@example("\u0660\u0661\u0662 cm", "Width")
@example("9" * 200, "Width")
@example("1,2,3,4,5,6 cm", "Width")
@example("1.1.1.1.1 cm", "Width")
def test_read_measures_never_raises_and_reads_shapes_as_values(value: str, label: str) -> None:
    reading = read_measures(value, label)
    assert reading == _read(value, label)
    for measure in reading.measures:
        assert measure.name and measure.number >= 0
        assert measure.upper is None or measure.upper > measure.number


@settings(deadline=None)
@given(st.text(max_size=80))
def test_sense_of_never_raises(label: str) -> None:
    assert isinstance(sense_of(label).size, bool)


def test_values_are_cheap_to_read() -> None:
    start = time.process_time()
    for _ in range(50_000):
        read_measures("Blue ceramic mug with a long handle", "name")
    assert time.process_time() - start < 5  # 0.2 s on an idle machine
    start = time.process_time()
    for number in range(10_000):
        read_measures(f"幅{number}×奥行{number % 77}×高さ{number % 7}cm", "サイズ")
    assert time.process_time() - start < 10
    for hostile in (
        "1 " * 140,
        "1x" * 140,
        "(" * 140 + "1",
        "W" * 290 + "1",
        "1/2 " * 70,
        "1'" * 140,
        "約" * 290 + "1",
    ):
        start = time.process_time()
        read_measures(hostile, "サイズ")
        assert time.process_time() - start < 5


def test_measures_of_a_value_with_nul_are_those_without_it() -> None:
    assert read_measures("0Ø\x00", "サイズ") == read_measures("0Ø", "サイズ")
