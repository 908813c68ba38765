"""The datasets that `adapt pretrain` reads, by name."""

from collections.abc import Callable
from pathlib import Path

from adapt.data.coco import read_coco
from adapt.data.cub import read_cub
from adapt.errors import AdaptError
from adapt.registry import Registry
from catalog.manifest import read
from catalog.records import ManifestEntry

DATASETS: Registry[Callable[[Path], list[ManifestEntry]]] = Registry("dataset")
_SIGNS = {"cub": "images.txt", "coco": "annotations", "folder": "dataset.json"}
"""What the folder of each dataset holds and those of the others do not."""


@DATASETS.register("cub")
def _cub(root: Path) -> list[ManifestEntry]:
    return read_cub(root)


@DATASETS.register("coco")
def _coco(root: Path) -> list[ManifestEntry]:
    entries, _ = read_coco(root, official_split=False)
    return entries


@DATASETS.register("folder")
def _folder(root: Path) -> list[ManifestEntry]:
    return list(read(root).entries)


def read_dataset(name: str, root: Path) -> list[ManifestEntry]:
    """Pictures and captions of a dataset.

    Raises:
        AdaptError: unknown dataset, or a folder that does not hold it.
    """
    reader = DATASETS.get(name)
    if not root.exists():
        raise AdaptError(f"no folder {root}: give the folder of {name} with --data-dir")
    found = [other for other, sign in _SIGNS.items() if (root / sign).exists()]
    if found and name not in found:
        raise AdaptError(f"{root} holds the layout of {found[0]}, not of {name}: --dataset {found[0]}")
    return reader(root)
