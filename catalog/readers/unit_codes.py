"""Units as trade writes them: the common codes of UN/ECE Recommendation 20, as BMEcat and schema.org use them."""

from __future__ import annotations

_UNITS = {
    "MMT": "mm", "CMT": "cm", "MTR": "m", "DMT": "dm", "KMT": "km", "INH": "in", "FOT": "ft", "YRD": "yd",
    "MGM": "mg", "GRM": "g", "KGM": "kg", "TNE": "t", "ONZ": "oz", "LBR": "lb",
    "MLT": "ml", "CLT": "cl", "DLT": "dl", "LTR": "l", "MTQ": "m³", "CMQ": "cm³", "GLL": "gal", "OZA": "fl oz",
    "MTK": "m²", "CMK": "cm²", "MMK": "mm²",
    "CEL": "°C", "FAH": "°F", "KEL": "K", "DD": "°",
    "WTT": "W", "KWT": "kW", "VLT": "V", "AMP": "A", "HTZ": "Hz", "LUM": "lm", "BAR": "bar",
    "SEC": "s", "MIN": "min", "HUR": "h", "DAY": "d", "MON": "months", "ANN": "years",
    "C62": "", "EA": "", "PCE": "", "H87": "", "NMB": "", "PR": "pairs", "SET": "sets", "P1": "%",
}  # fmt: skip


def unit_of(written: str) -> str:
    """Return a unit as people write it: the meaning of a code, or what was written; pieces have no unit."""
    text = written.strip()
    return _UNITS.get(text.upper(), text) if text.isupper() or text.upper() in ("C62", "P1") else text
