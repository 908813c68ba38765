"""What makes two pictures false negatives of each other: one photograph or group, one product, one class."""

import logging
from collections.abc import Sequence

import torch
from jaxtyping import Int
from torch import Tensor

from adapt.errors import ConfigError
from adapt.loss_options import IDENTITIES
from catalog.records import ManifestEntry

_LOG = logging.getLogger(__name__)


def identities(entries: Sequence[ManifestEntry], kind: str) -> Int[Tensor, " N"]:
    """Number the entries by identity; equal numbers are one thing.

    Args:
        entries: pictures of a dataset.
        kind: `image` for the group (one photograph; in a catalogue, products that share a picture or a shape),
            `product`, or `class` for the category.
    """
    if kind == "product":  # the catalogue's own numbers
        return torch.tensor([entry.product_id for entry in entries])
    names = [entry.group if kind == "image" else entry.category for entry in entries]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return torch.tensor([numbers[name] for name in names])


def check_mask(mask: Sequence[str], entries: Sequence[ManifestEntry]) -> None:
    """Refuse a mask that leaves no negatives: both losses would be 0 whatever is drawn.

    `product` is taken as it comes, since a catalogue of one product can still be learned; it is said, though.

    Raises:
        ConfigError: all pictures share one image or class that `mask` names.
    """
    if "product" in mask and len(entries) > 1 and len(identities(entries, "product").unique()) == 1:
        _LOG.warning(
            "all %d training pictures are of one product: the distribution-sensitive losses have nothing to compare "
            "and stay 0; give more products, or --set 'loss.mask=[\"image\"]'",
            len(entries),
        )
    for kind in mask:
        if kind != "product" and len(entries) > 1 and len(identities(entries, kind).unique()) == 1:
            raise ConfigError(
                f"loss.mask names '{kind}', but all {len(entries)} pictures are of one {kind}, so that none could be "
                f"told from another; choose from {', '.join(IDENTITIES)}: --set 'loss.mask=[\"product\"]'"
            )
