"""What feeds of shops share: `images/`, addresses under a base address, and one name a product for all its rows."""

from __future__ import annotations

import ipaddress
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from urllib.parse import quote, unquote, urlsplit

from catalog.errors import ExportRefused
from catalog.exporters.delivery import Offer, Row
from catalog.exporters.picture_folder import PictureFolder
from catalog.phrases import say

_EXAMPLE = "https://cdn.example.com/pictures"


def checked_base_url(url: str) -> str:
    """Return the address under which the delivery's folder will be found, without a slash at the end.

    Raises:
        ExportRefused: It is no public https address that file names can be put behind.
    """
    try:
        parts = urlsplit(url)
        plain = parts.scheme == "https" and _is_public(parts.hostname or "") and parts.port in (None, 443)
    except ValueError:
        plain = False
    if not plain or "@" in parts.netloc or "?" in url or "#" in url or re.search(r"[\s\"'<>\\\x00-\x1f\x7f]", url):
        raise ExportRefused(
            say(
                "--base-url {url!r}: give a public https address without login or query, like {example}",
                url=url,
                example=_EXAMPLE,
            )
        )
    # A comma separates the addresses of a cell.
    return quote(url.rstrip("/"), safe="/:%[]!$&()*+;=~")


def _is_public(host: str) -> bool:
    """Say whether shops may be able to reach a host: no short name of a house, no address of this machine or net."""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host.strip(".") and not host.endswith((".local", ".localhost", ".internal"))


def address(base_url: str, name: str) -> str:
    """Return the address of a file of the delivery."""
    return f"{base_url}/{quote(name)}"


class FeedExporter(PictureFolder, ABC):
    """Base of the formats whose rows point to addresses and are matched to products by a name."""

    needs_base_url = True
    pictures_per_product: int

    @abstractmethod
    def product_name(self, sku: str, variant: str) -> str | None:
        """Return what the shop matches the row by; None when no such name can be made."""

    def rule(self) -> Callable[[Offer], str | None]:
        """Return a rule that leaves out what the shop would refuse or put to the wrong product."""
        owners: dict[str, str] = {}
        counts: dict[str, int] = {}
        product = ""

        def refused(offer: Offer) -> str | None:
            nonlocal product
            if offer.product != product:  # pictures come product by product
                product = offer.product
                counts.clear()
            name = self.product_name(offer.sku, offer.variant)
            if name is None:
                return "id_not_allowed"
            if owners.setdefault(name, offer.product) != offer.product:
                return "id_taken"
            counts[name] = counts.get(name, 0) + 1
            return "over_limit" if counts[name] > self.pictures_per_product else None

        return refused

    def named(self, rows: Iterator[Row]) -> Iterator[tuple[str, list[Row]]]:
        """Yield (name, its pictures), product by product in the order of the manifest."""
        product, groups = None, dict[str, list[Row]]()
        for row in rows:
            if row["product"] != product:
                yield from groups.items()
                product, groups = row["product"], {}
            groups.setdefault(self.product_name(row["sku"], row["variant"]) or "", []).append(row)
        yield from groups.items()

    def file_of(self, url: str, base_url: str) -> str:
        """Return the file an address of the feed points to; raises ValueError when it is none of the delivery."""
        head = f"{base_url}/"
        if not url.startswith(head):
            raise ValueError(f"{url} is not below {base_url}")
        return unquote(url.removeprefix(head))
