"""The HTML report: whole in itself, safe with any caption, complete."""

import base64
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from adapt.metrics.charts import curve, intervals
from adapt.metrics.glossary import MEANINGS, OTHER, SUBJECTS, is_control, meaning
from adapt.metrics.html import data_uri, sections, training_curves, write_html
from adapt.metrics.report import Metric
from adapt.metrics.suite.sheets import sheet

EVIL = "<script>alert('1')</script> a \"red\" bird & 'more' {{ title }} 🙂 赤い鳥"
METRICS = {
    "kid": Metric(value=0.12, n=256, extractor="judge", seed=3, low=-0.01, high=0.2, note="256 real"),
    "fid": Metric(value=432.5, n=256, extractor="judge", seed=3, low=400.0, high=460.0, truncation="psi:0.7"),
    "r_precision": Metric(value=0.125, n=250, extractor="matcher", seed=3, low=0.09, high=0.17, chance=0.01),
    "hard_negative_ratio": Metric(value=float("nan"), n=9, extractor="judge", seed=3, low=float("nan"), high=1.0),
    "home_made": Metric(value=0.5, n=1, extractor="<b>", seed=3),
}


class _Tags(HTMLParser):
    """Collects what a browser would read."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("report")
    log = folder / "metrics.jsonl"
    rows = [{"step": step, "d_real": 1 / step, "note": "text"} for step in (10, 20, 30)]
    log.write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"step": 40, "d_re')
    pictures = torch.rand(2, 3, 8, 8) * 2 - 1
    shown = sheet("Pairs", "note", (pictures, [EVIL, "plain"]), (pictures, ["one", "other"]))
    path = folder / "report.html"
    write_html(path, METRICS, title=EVIL, facts={"dataset": EVIL}, sheets=[shown], log=log)
    return path.read_text(encoding="utf-8")


def test_page_asks_the_network_for_nothing_and_runs_no_script(page: str) -> None:
    parser = _Tags()
    parser.feed(page)
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in parser.tags}
    sources = [value or "" for _, given in parser.tags for name, value in given.items() if name in {"src", "href"}]
    assert len(sources) == 4 and all(source.startswith("data:image/png;base64,") for source in sources)
    assert "@import" not in page and "url(" not in page
    assert not [name for _, given in parser.tags for name in given if name.startswith("on")]


def test_page_shows_captions_as_they_are_written(page: str) -> None:
    parser = _Tags()
    parser.feed(page)
    assert parser.text.count(EVIL) == 4  # title, heading, fact and caption
    assert "<b>" not in page


def test_page_states_everything_that_a_figure_needs(page: str) -> None:
    row = re.search(r"<tr><td><code>r_precision</code>.*?</tr>", page, re.DOTALL)
    assert row is not None
    for words in ("0.125", "0.09 to 0.17", "0.01", "250", "matcher", ">3<", "higher"):
        assert words in row.group(0)
    assert "noise truncated: psi:0.7" in page
    for subject in ("Realism", "Fit to the caption", OTHER, "Training", "Pairs"):
        assert f"<h2>{subject}</h2>" in page


def test_page_shows_a_dash_for_what_is_no_number(page: str) -> None:
    row = re.search(r"<tr><td><code>hard_negative_ratio</code>.*?</tr>", page, re.DOTALL)
    assert row is not None and "–" in row.group(0) and "nan" not in row.group(0)


def test_caption_with_half_a_surrogate_pair_is_written(tmp_path: Path) -> None:
    pictures = torch.zeros(1, 3, 4, 4)
    write_html(tmp_path / "r.html", {}, title="t", facts={}, sheets=[sheet("s", "", (pictures, ["a \ud83d b"]))])
    assert "a ? b" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_curves_pass_over_damaged_lines_and_missing_logs(tmp_path: Path) -> None:
    log = tmp_path / "metrics.jsonl"
    log.write_text('{"step": 1, "a": 1}\nnot json\n[1]\n{"a": 2}\n{"step": 2, "a": NaN, "b": 1}\n{"step": 3, "a": 3}\n')
    (drawn,) = training_curves(log)
    assert "1 to 3" in drawn and "last 3" in drawn
    assert drawn.count("M") == 2  # the gap where a was NaN
    assert training_curves(tmp_path / "none") == [] and training_curves(None) == []


def test_intervals_place_values_chance_and_interval_on_one_axis() -> None:
    drawn = intervals({"a": Metric(value=0.5, n=1, extractor="x", seed=0, low=0.0, high=1.0, chance=0.25)})
    circle = float(re.search(r'circle cx="([\d.]+)"', drawn).group(1))  # type: ignore[union-attr]
    left, right = map(float, re.search(r'x1="([\d.]+)" x2="([\d.]+)" [^>]*"interval', drawn).groups())  # type: ignore[union-attr]
    chance = float(re.search(r'x1="([\d.]+)"[^>]*"chance"', drawn).group(1))  # type: ignore[union-attr]
    assert circle == pytest.approx((left + right) / 2, abs=0.2)
    assert chance == pytest.approx(left + (right - left) / 4, abs=0.2)


def test_plots_of_nothing_are_empty_and_of_one_value_are_drawn() -> None:
    assert intervals({}) == "" and curve("a", [1.0], [float("nan")]) == ""
    assert "<circle" in intervals({"a": Metric(value=0.0, n=1, extractor="x", seed=0)})
    assert "<path" in curve("a", [1.0, 1.0], [2.0, 2.0])


def test_names_in_plots_are_escaped() -> None:
    assert "<b>" not in intervals({"<b>": METRICS["kid"]}) and "<b>" not in curve("<b>", [1.0, 2.0], [1.0, 2.0])


def test_data_uri_holds_the_picture_enlarged_without_smoothing() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    image = Image.open(io.BytesIO(base64.b64decode(data_uri(pixels).partition(",")[2])))
    assert image.size == (128, 128)
    assert np.array_equal(np.asarray(image)[8::16, 8::16], pixels)


def test_sections_put_controls_beside_what_they_control() -> None:
    one = METRICS["kid"]
    metrics = dict.fromkeys(["precision", "kid", "fid", "kid_real", "kid_efficientnet_lite0"], one)
    assert [name for name, _, _ in sections(metrics)[0].rows] == [
        "kid",
        "kid_real",
        "fid",
        "precision",
        "kid_efficientnet_lite0",
    ]


def test_meaning_of_a_further_extractors_figure_is_that_of_the_judges() -> None:
    assert meaning("consistency_gap_efficientnet_lite0") == meaning("consistency_gap")
    assert meaning("nobody_described_this").subject == OTHER
    assert {entry.subject for entry in MEANINGS.values()} == set(SUBJECTS)
    assert is_control("kid_real") and is_control("fake_real_ceiling") and not is_control("fake_real")
