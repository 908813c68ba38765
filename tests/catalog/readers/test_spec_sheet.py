"""PDF spec sheets beside pictures become facts and text."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from catalog.paths import Dump
from catalog.readers import read_dump, spec_sheet, table_set
from catalog.readers.draft import DraftProduct
from catalog.readers.sidecar import facts_of, read_text
from catalog.readers.table_set import TableSet
from catalog.records import Issue

pytest.importorskip("pypdfium2")

Placed = tuple[int, int, str]
"""x and y in points from the lower left, and a text."""

CHAIR: Sequence[Placed] = (
    (30, 370, "Oak chair spec sheet"),
    (30, 340, "Material"),
    (200, 340, "Solid oak"),
    (30, 320, "Seat height"),
    (200, 320, "45 cm"),
    (30, 300, "Colour: natural brown"),
    (30, 270, "A quiet chair for long evenings, made by hand."),
)


def pdf(*pages: Sequence[Placed], trailer: str = "") -> bytes:
    """Return a PDF with these texts, written by hand: five kinds of object and a table of their places."""
    objects = ["<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    tree, kids = 2 + 2 * len(pages), []
    for page in pages:
        drawn = "".join(f"1 0 0 1 {x} {y} Tm ({text}) Tj\n" for x, y, text in page)
        stream = f"BT /F1 11 Tf\n{drawn}ET"
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
        fonts = "/Resources << /Font << /F1 1 0 R >> >>"
        box = f"/MediaBox [0 0 400 400] /Contents {len(objects)} 0 R"
        objects.append(f"<< /Type /Page /Parent {tree} 0 R {box} {fonts} >>")
        kids.append(f"{len(objects)} 0 R")
    objects.append(f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>")
    objects.append(f"<< /Type /Catalog /Pages {tree} 0 R >>")
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    end = f"trailer\n<< /Size {len(objects) + 1} /Root {len(objects)} 0 R {trailer} >>\nstartxref\n{len(out)}\n%%EOF"
    return out + f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{end}".encode()


def text_of(tmp_path: Path, data: bytes) -> str | Issue:
    (tmp_path / "a.pdf").write_bytes(data)
    return read_text(Dump(tmp_path).files["a.pdf"])


def facts(product: DraftProduct) -> dict[str, str]:
    return {fact.name: fact.value for fact in product.attributes if fact.kind == "fact"}


def test_two_columns_and_labels_become_facts_and_the_rest_stays_text(tmp_path: Path) -> None:
    text = text_of(tmp_path, pdf(CHAIR))
    assert isinstance(text, str)
    assert text.split("\n")[0] == "Oak chair spec sheet" and text.split("\n")[-1].startswith("A quiet chair")
    found = facts_of(Dump(tmp_path).files["a.pdf"], text)
    assert [(fact.name, fact.value) for fact in found] == [
        ("material", "Solid oak"),
        ("seat height", "45 cm"),
        ("colour", "natural brown"),
    ]


def test_running_text_in_two_halves_gives_no_facts(tmp_path: Path) -> None:
    page = [(30, 340, "A chair that"), (180, 340, "lasts"), (30, 320, "for years and"), (250, 320, "is kind")]
    text = text_of(tmp_path, pdf(page))
    assert text == "A chair that lasts\nfor years and is kind"


def test_pages_follow_each_other_up_to_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = [[(30, 300, f"page {number}")] for number in range(5)]
    assert text_of(tmp_path, pdf(*pages)) == "\n".join(f"page {number}" for number in range(5))
    monkeypatch.setattr(spec_sheet, "MAX_PAGES", 2)
    assert text_of(tmp_path, pdf(*pages)) == "page 0\npage 1"


def test_a_pdf_joins_the_product_whose_name_or_folder_it_shares(tmp_path: Path) -> None:
    for name, content in {
        "chair.jpg": b"1",
        "chair.pdf": pdf(CHAIR),
        "stool/front.jpg": b"2",
        "stool/spec.pdf": pdf([(30, 340, "Material: pine"), (30, 320, "Legs: 3")]),
        "readme.pdf": pdf([(30, 340, "About: this dump"), (30, 320, "By: us")]),
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    products = {product.sku: product for product in read_dump(Dump(tmp_path)).products}
    assert facts(products["chair"])["material"] == "Solid oak" and "quiet chair" in products["chair"].description
    assert facts(products["stool"]) == {"material": "pine", "legs": "3"}


def test_a_pdf_beside_a_table_joins_the_product_of_its_stem(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("sku,name,image\nchair,Chair,chair.jpg\nstool,Stool,stool.jpg\n")
    for name, data in {"chair.jpg": b"1", "stool.jpg": b"2", "chair.pdf": pdf(CHAIR)}.items():
        (tmp_path / name).write_bytes(data)
    products = {product.sku: product for product in read_dump(Dump(tmp_path)).products}
    assert facts(products["chair"])["seat height"] == "45 cm" and facts(products["stool"]) == {}


@pytest.mark.parametrize(
    ("data", "code", "severity"),
    [
        (pdf([]), "PDF_NO_TEXT", "warning"),
        (b"", "FILE_UNREADABLE", "error"),
        (b"%PDF-1.4 damaged", "FILE_UNREADABLE", "error"),
        (pdf(CHAIR)[:300], "FILE_UNREADABLE", "error"),
        (
            pdf(
                CHAIR,
                trailer="/ID [<00><00>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 "
                f"/O <{'41' * 32}> /U <{'42' * 32}> >>",
            ),
            "FILE_ENCRYPTED",
            "error",
        ),
    ],
)
def test_what_gives_no_text_is_one_issue(tmp_path: Path, data: bytes, code: str, severity: str) -> None:
    issue = text_of(tmp_path, data)
    assert isinstance(issue, Issue) and (issue.reason, issue.severity) == (code, severity)


def test_a_pdf_beyond_the_size_limit_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spec_sheet, "MAX_PDF_BYTES", 100)
    issue = text_of(tmp_path, pdf(CHAIR))
    assert isinstance(issue, Issue) and issue.reason == "FILE_UNREADABLE"


def test_without_the_extra_one_warning_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_set, "TEXT_SUFFIXES", frozenset({".txt"}))
    for name in ("a.pdf", "b.pdf", "a.jpg"):
        (tmp_path / name).write_bytes(b"1")
    issues = TableSet(Dump(tmp_path)).issues
    assert [(issue.reason, issue.severity) for issue in issues] == [("PDF_NO_READER", "warning")]
    assert "2 PDF files" in issues[0].detail and "uv sync --extra pdf" in issues[0].detail


def test_pdf_names_the_product_of_a_code_by_its_title_and_not_by_the_letterhead(tmp_path: Path) -> None:
    for number, title in enumerate(("Oak chair", "Kettle", "Tea pot")):
        (tmp_path / f"AB-{number}00.jpg").write_text(title)
        lines = [(30, 380, "Muster Living"), (30, 360, "Data sheet"), (30, 340, title), (30, 320, "Colour: red")]
        (tmp_path / f"AB-{number}00.pdf").write_bytes(pdf([*lines, (30, 300, "Weight: 2 kg")]))
    (tmp_path / "wall shelf.jpg").write_text("wall shelf")
    (tmp_path / "wall shelf.pdf").write_bytes(pdf([(30, 380, "Something else"), (30, 360, "Colour: red")]))
    names = [product.name for product in read_dump(Dump(tmp_path)).products]
    assert names == ["Oak chair", "Kettle", "Tea pot", "wall shelf"]
