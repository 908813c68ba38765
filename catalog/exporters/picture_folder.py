"""What formats with one file a picture share: `images/`, and no limit on what they take."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import BinaryIO

from catalog.exporters.delivery import ApprovedPicture, Load, Offer
from catalog.exporters.manifest import picture_name
from catalog.exporters.part_folder import PartFolder

IMAGES = "images"
PICTURES = "pictures"
"""Kind of the notes that hold each picture's digest."""


class PictureFolder:
    """Writes pictures as files of their own."""

    needs_base_url = False
    asks_for_px = 0

    def rule(self) -> Callable[[Offer], str | None]:
        """Return a rule that takes everything."""
        return lambda offer: None

    def write_pictures(self, part: PartFolder, pictures: Iterable[ApprovedPicture], load: Load) -> None:
        """Write the pictures that are not there yet."""
        for index, picture in enumerate(pictures):

            def write(file: BinaryIO, picture: ApprovedPicture = picture) -> None:
                file.write(load(picture))

            part.keep(PICTURES, index, self.file_name(index, picture), write)

    def file_name(self, index: int, picture: ApprovedPicture) -> str:
        """Return where a picture is in the delivery."""
        return f"{IMAGES}/{picture_name(picture)}"
