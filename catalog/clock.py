"""Where services get the time from: an argument, so that tests need not wait."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the present moment, with a time zone."""


def utc_now() -> datetime:
    """Return the present moment; the clock that services use by default."""
    return datetime.now(UTC)
