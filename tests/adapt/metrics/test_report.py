"""Figures as JSON and as lines."""

import json
from pathlib import Path

from adapt.metrics.report import Metric, lines, write_report


def test_metric_keeps_the_promised_keys_and_leaves_out_the_unknown() -> None:
    metric = Metric(value=0.5, n=4, extractor="x", seed=0)
    assert metric.as_dict() == {"value": 0.5, "n": 4, "extractor": "x", "seed": 0}


def test_metric_keeps_zero_bounds_and_nulls_what_is_not_finite() -> None:
    metric = Metric(value=float("nan"), n=1, extractor="x", seed=0, low=0.0, high=float("inf"), chance=0.0)
    assert metric.as_dict() == {
        "value": None,
        "n": 1,
        "extractor": "x",
        "seed": 0,
        "low": 0.0,
        "high": None,
        "chance": 0.0,
    }


def test_write_report_replaces_the_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    for value in (1.0, 2.0):
        write_report(path, {"kid": Metric(value=value, n=3, extractor="x", seed=0)}, run="r")
    content = json.loads(path.read_text())
    assert (content["run"], content["metrics"]["kid"]["value"]) == ("r", 2.0)
    assert [file.name for file in tmp_path.iterdir()] == ["metrics.json"]


def test_lines_state_interval_chance_and_source() -> None:
    metric = Metric(value=0.25, n=4, extractor="judge", seed=1, low=0.1, high=0.5, chance=0.125, note="gallery of 8")
    assert lines({"top1": metric}) == ["top1  0.2500 [0.1000, 0.5000], chance 0.1250  n 4, judge, seed 1; gallery of 8"]
