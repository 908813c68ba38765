"""Delivery formats, one file each. A format writes a folder and can check one by reading it back."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from catalog.errors import ExportRefused
from catalog.exporters.coco import CocoExporter
from catalog.exporters.delivery import Exporter
from catalog.exporters.folder import FolderExporter
from catalog.exporters.imagefolder import ImageFolderExporter
from catalog.exporters.merchant import MerchantExporter
from catalog.exporters.shopify import ShopifyExporter
from catalog.exporters.webdataset import WebDatasetExporter
from catalog.phrases import say

FORMATS: Mapping[str, Exporter] = MappingProxyType(
    {
        made.name: made
        for made in (
            FolderExporter(),
            ImageFolderExporter(),
            WebDatasetExporter(),
            CocoExporter(),
            MerchantExporter(),
            ShopifyExporter(),
        )
    }
)


def exporter(name: str) -> Exporter:
    """Return the exporter of a format.

    Raises:
        ExportRefused: There is no such format.
    """
    if name not in FORMATS:
        raise ExportRefused(say("no export format {name!r}; allowed: {allowed}", name=name, allowed=", ".join(FORMATS)))
    return FORMATS[name]
