"""Scores of generated pictures: finite numbers by name. Whatever else a scorer gives says nothing of a picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, case, func
from sqlalchemy.orm import Session

from catalog.policy import is_finite as is_finite
from catalog.schema import GenerationRow


def finite(scores: Mapping[str, Any]) -> dict[str, float]:
    """Return the scores that are finite numbers; a failed one counts as missing, so that people judge the picture."""
    return {name: float(value) for name, value in scores.items() if is_finite(value)}


def can_be_asked_for(name: str) -> bool:
    """Say whether a database can look for a score: a quotation mark would end the path to it."""
    return '"' not in name and "\0" not in name


def value_of(session: Session, name: str) -> ColumnElement[float]:
    """Return the expression of one score of `generation`, NULL where there is none; see `can_be_asked_for`.

    Earlier releases stored NaN, which is no JSON: SQLite would refuse the whole query for the sake of one row.
    """
    value: ColumnElement[float] = GenerationRow.scores[name].as_float()
    if session.get_bind().dialect.name != "sqlite":
        return value
    return case((func.json_valid(GenerationRow.scores) == 1, value))
