"""Delivery formats, one file each. A format writes a folder and can check one by reading it back."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from catalog.errors import ExportRefused
from catalog.exporters import folder
from catalog.exporters.delivery import Exporter

FORMATS: Mapping[str, Exporter] = MappingProxyType({"folder": folder.FolderExporter()})


def exporter(name: str) -> Exporter:
    """Return the exporter of a format.

    Raises:
        ExportRefused: There is no such format.
    """
    if name not in FORMATS:
        raise ExportRefused(f"no export format {name!r}; allowed: {', '.join(sorted(FORMATS))}")
    return FORMATS[name]
