"""Random changes of real pictures (albumentations): what the generator may draw too. The rest is DiffAugment's.

Every picture has its own random numbers, drawn from the batch's seed and its place in the batch: they depend neither on
the pictures beside it nor on how a batch is split over devices.
"""

import os
import threading
from collections.abc import Sequence

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it asks the network for a newer version when imported

import albumentations as A
import cv2
import numpy as np
from numpy.typing import NDArray

from adapt.errors import ConfigError

CHANGES = ("affine", "resize", "color")
"""`affine` turns, shears and scales a little, `resize` crops a part of random size, `color` changes hue, saturation and
brightness: only for captions that name no colours."""


class CropAndFlip:
    """Random crop to the model's side, mirroring and the chosen changes; the same for the same seed."""

    def __init__(self, side_px: int, *, flip: bool, augment: Sequence[str] = ()) -> None:
        """Choose the changes.

        Raises:
            ConfigError: a name in `augment` that is none of `CHANGES`.
        """
        for name in augment:
            if name not in CHANGES:
                raise ConfigError(
                    f"data.augment has '{name}'; allowed are {', '.join(CHANGES)}: --set 'data.augment=[\"affine\"]'"
                )
        self._side_px, self._flip, self._augment = side_px, flip, tuple(augment)
        # A Compose holds the random state of its last call, so threads that read ahead need one each.
        self._own = threading.local()

    def __call__(
        self, pictures: NDArray[np.uint8], *, seed: int, places: Sequence[int] | None = None
    ) -> NDArray[np.uint8]:
        """(B, S, S, 3) → (B, side, side, 3).

        Args:
            pictures: a batch, or a part of one.
            seed: of the whole batch.
            places: where in the whole batch each picture stands; in order from 0 when left out.
        """
        if not hasattr(self._own, "transform"):
            self._own.transform = self._compose()
        changed = []
        for place, picture in zip(range(len(pictures)) if places is None else places, pictures, strict=True):
            self._own.transform.set_random_seed(int(np.random.SeedSequence([seed, place]).generate_state(1)[0]))
            changed.append(self._own.transform(image=picture)["image"])
        return np.stack(changed)

    def _compose(self) -> A.Compose:
        side, steps = self._side_px, list[A.BasicTransform]()
        if "affine" in self._augment:
            steps.append(
                A.Affine(rotate=(-7, 7), shear=(-4, 4), scale=(0.95, 1.05), border_mode=cv2.BORDER_REFLECT_101, p=1.0)
            )
        if "resize" in self._augment:
            # At least as large a part as a plain crop of AttnGAN's margin shows: (64 / 76)².
            steps.append(A.RandomResizedCrop((side, side), scale=(0.7, 1.0), ratio=(0.95, 1.05)))
        else:
            steps.append(A.RandomCrop(side, side))
        if self._flip:
            steps.append(A.HorizontalFlip(p=0.5))
        if "color" in self._augment:
            steps.append(A.ColorJitter(brightness=(0.85, 1.15), contrast=(0.85, 1.15), hue=(-0.05, 0.05), p=1.0))
        return A.Compose(steps)
