"""Bytes of generated tables come back as the text that was written, whatever a shop's program made of them."""

import time
from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from catalog.errors import IngestRefused
from catalog.readers.encoding import decode, decode_text
from catalog.readers.mojibake import find_mojibake

ROWS = {
    "ja": ["JA-%d,ステンレスのマグカップ,ブルー", "JA-%d,髙級チェア（幅45cm）①,白", "JA-%d,有田焼 皿,赤"],
    "ja plain": ["JA-%d,ステンレスのマグカップ,ブルー", "JA-%d,高級チェア（幅45cm）,白", "JA-%d,有田焼 皿,赤"],
    "de": ["DE-%d,Möbel für die Küche – groß,grün", "DE-%d,Stuhl Größe 45×60 cm,weiß", "DE-%d,20 °C, Wärme"],
    "fr": ["FR-%d,Chaise en chêne,élégante à l’intérieur", "FR-%d,Canapé d’été,légère", "FR-%d,Œuf,forêt"],
    "zh": ["CN-%d,陶瓷咖啡杯,红色", "CN-%d,实木餐椅，简约现代,胡桃木色", "CN-%d,不锈钢锅,银色"],
    "ascii": ["A-%d,Mug with handle,blue"],
}
HEADERS = {
    "ja": "商品コード,商品名,カラー",
    "ja plain": "商品コード,商品名,カラー",
    "de": "Artikelnummer,Größe,Farbe",
    "fr": "référence,désignation,couleur",
    "zh": "商品编号,商品名称,颜色",
    "ascii": "sku,name,color",
}
FILES = [
    ("ja", "cp932"),
    ("ja plain", "euc_jp"),
    ("de", "cp1252"),
    ("fr", "cp1252"),
    ("zh", "gb18030"),
    ("ascii", "cp1252"),
]
COUNTS = (1, 3, 50, 2000)


def table(kind: str, count: int, known: bool) -> str:
    rows = [ROWS[kind][number % len(ROWS[kind])].replace("%d", str(number)) for number in range(count)]
    return "\r\n".join([HEADERS[kind] if known else "a,b,c", *rows]) + "\r\n"


@pytest.mark.parametrize("known", [True, False], ids=["known headers", "unknown headers"])
def test_decode_reads_the_whole_set_of_tables(known: bool) -> None:
    wrong = [
        (kind, encoding, count)
        for (kind, encoding), count in product(FILES, COUNTS)
        if decode_text(table(kind, count, known).encode(encoding))[0] != table(kind, count, known)
    ]
    assert wrong == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "iso2022_jp", "utf-32"])
@pytest.mark.parametrize("count", COUNTS[:3])
def test_decode_knows_unicode_and_jis_without_guessing(encoding: str, count: int) -> None:
    text = table("ja plain", count, known=False)
    found = decode(text.encode(encoding))
    assert (found.text, found.certain, found.issues("a.csv")) == (text, True, [])


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_decode_reads_western_utf16_without_bom(encoding: str) -> None:
    text = table("fr", 3, known=True)
    assert decode_text(text.encode(encoding)) == (text, encoding)


def test_stray_nul_bytes_are_no_utf16() -> None:
    assert decode(b"sku,name\x00\x00\nA,Mug\x00\n").encoding == "utf-8"


@pytest.mark.parametrize(
    "text",
    [
        "Möbel für Küche",
        "Stück: 20 °C – weiß",
        "Tür\nGerät\nÄste",
        "Théière élégante à l’été",
        "Café crème, forêt, chêne",
        "niños, señor, camión",
        "TÜR FÜR KÜCHE",
    ],
)
def test_western_accents_that_form_chinese_pairs_stay_western(text: str) -> None:
    text = f"a,b\n1,{text}\n"
    found = decode(text.encode("cp1252"))
    assert (found.text, found.encoding, found.certain) == (text, "cp1252", True)


@pytest.mark.parametrize("text", ["红色", "陶瓷咖啡杯", "儿童羽绒服冬季加厚保暖", "蓝牙耳机降噪"])
def test_chinese_without_a_chinese_header_stays_chinese(text: str) -> None:
    text = f"a,b\n1,{text}\n"
    assert decode_text(text.encode("gb18030")) == (text, "gb18030")


def test_vendor_characters_are_read_in_cp932_euc_and_jis() -> None:
    assert decode_text("㈱髙﨑,①".encode("cp932")) == ("㈱髙﨑,①", "cp932")
    # ① is row 13 and 髙 row 92 of the JIS table, which only vendors filled.
    euc = "品番,名称のメモ\n".encode("euc_jp") + b"1,\xad\xa1\xfc\xe2\n"
    assert decode_text(euc) == ("品番,名称のメモ\n1,①髙\n", "euc_jp")
    assert decode_text(b"\x1b$B\x2d\x21\x7c\x62\x1b(B,abc") == ("①髙,abc", "iso2022_jp_ext")


def test_half_width_kana_alone_are_cp932() -> None:
    assert decode_text("ﾏｸﾞｶｯﾌﾟ,ﾌﾞﾙｰ".encode("cp932")) == ("ﾏｸﾞｶｯﾌﾟ,ﾌﾞﾙｰ", "cp932")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("색상,가격\n빨강,큰 의자", "cp949"),
        ("顏色,尺寸\n紅色,大號木椅", "big5"),
        ("цвет,размер\nкрасный,большой стул", "cp1251"),
        ("krzesło,dąb\nżółty,mały stół", "cp1250"),
    ],
)
def test_other_encodings_are_a_second_opinion_and_said_to_be_a_guess(text: str, encoding: str) -> None:
    found = decode(text.encode(encoding))
    assert found.text == text
    [issue] = found.issues("a.csv")
    assert (issue.reason, issue.severity, issue.source) == ("TXT_ENCODING_GUESSED", "warning", "a.csv")
    assert f"read as {encoding}" in issue.detail and "--encoding" in issue.detail


def test_a_bad_byte_late_in_a_file_is_a_warning_with_its_line() -> None:
    for kind, encoding in (("ja", "cp932"), ("de", "utf-8"), ("zh", "gb18030")):
        good = table(kind, 3000, known=True)
        found = decode(good.encode(encoding) + b"X,\x80\xff,\r\n")
        assert found.encoding == encoding
        assert found.text.startswith(good)
        if encoding == "cp932":
            continue  # gives its last bytes a private meaning; nothing in it is undefined here
        [issue] = found.issues("a.csv")
        assert (issue.reason, issue.line, issue.severity) == ("TXT_ENCODING_GUESSED", 3002, "warning")


def test_a_given_encoding_is_used_and_an_unknown_one_refused() -> None:
    assert decode_text("é".encode("cp1252"), "cp1252") == ("é", "cp1252")
    assert decode(b"\xff\xfeA", "utf-8").broken == 2
    for name in ("shift_jis", "Shift-JIS", "sjis"):
        assert decode_text("①㈱髙﨑".encode("cp932"), name) == ("①㈱髙﨑", "cp932")
    assert decode_text(b"\xad\xa1", "EUC-JP") == ("①", "EUC-JP")
    for name in ("klingon", "", "a\x00b", "rot13", "hex"):
        with pytest.raises(IngestRefused, match=r"unknown encoding .*; use"):
            decode_text(b"x", name)


@pytest.mark.parametrize("text", ["Café crème", "マグカップ 白", "Größe – 20 °C", "陶瓷咖啡杯"])
@pytest.mark.parametrize("wrong", ["cp1252", "latin-1", "cp932", "gb18030"])
def test_text_saved_after_a_wrong_decoding_is_named(text: str, wrong: str) -> None:
    damaged = text.encode().decode(wrong, errors="replace")
    found = decode(f"sku,name\nA,{damaged}\n".encode())
    assert [issue.reason for issue in found.issues("a.csv")] == ["TXT_MOJIBAKE"]


@pytest.mark.parametrize(
    "text", [*(row for rows in ROWS.values() for row in rows), "Ã", "100 €", "ﾃｰﾌﾞﾙ ﾃｽﾄ", "縺れ 茅葺き"]
)
def test_sound_text_is_no_mojibake(text: str) -> None:
    assert find_mojibake(text) is None


@settings(deadline=None)
@given(st.binary(max_size=300))
@example(b"\x1b$B\x21")
@example(b"\x1b$B\xe9\xff")
@example(b"\x00\xd8\x00\x00")
@example(b"\xfe\xff\xd8")
@example(b"\x00\x00\xfe\xff\x7f\xff\xff\xff")
def test_decode_never_raises(data: bytes) -> None:
    found = decode(data)
    assert len(found.text) <= len(data)
    assert found.broken == 0 or "\ufffd" in found.text


@settings(deadline=None)
@given(st.text(max_size=200))
def test_decode_reads_utf8_exactly(text: str) -> None:
    text = text.encode(errors="ignore").decode().replace("\x1b", "").replace("\x00", "").removeprefix("\ufeff")
    assert decode_text(text.encode())[0] == text


@pytest.mark.parametrize("encoding", ["cp932", "euc_jp", "utf-8"])
def test_decode_costs_little_more_than_one_decoding(encoding: str) -> None:
    data = table("ja plain", 3, known=True).encode(encoding) * 60_000
    start = time.process_time()
    data.decode(encoding)
    plain = time.process_time() - start
    start = time.process_time()
    assert decode(data).encoding == encoding
    assert time.process_time() - start < 5 + 20 * plain
