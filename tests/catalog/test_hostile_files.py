"""Every hostile or broken file ends as its code, or as the right pixels, in little memory."""

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hostile.case import PictureCase
from hostile.jpegs import block_replaced, noisy_jpeg
from hostile.pictures import PICTURES, write_pictures
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from catalog import images
from catalog.errors import ImageRejected


def each(cases: list[PictureCase]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.name)


REFUSED = [case for case in PICTURES if case.code]
SMALL = [case for case in PICTURES if 0 < len(case.make()) < 20_000]
SHOWN = [case for case in PICTURES if not case.code]
MAX_MEMORY_MB = 500
_MEASURE = """
import sys
from pathlib import Path
from catalog import images
from catalog.errors import ImageRejected

for path in sorted(Path(sys.argv[1]).iterdir()):
    if path.is_file():
        for read in (images.decode, images.survey):
            try:
                read(path.read_bytes())
            except ImageRejected:
                continue
# Not ru_maxrss: a child starts with the peak of the test run that started it.
status = Path("/proc/self/status").read_text()
print(int(status.split("VmHWM:")[1].split()[0]) // 1024)
"""


def test_hostile_files_have_names_of_their_own() -> None:
    assert len({case.name for case in PICTURES}) == len(PICTURES)


@each(REFUSED)
@pytest.mark.parametrize("read", [images.decode, images.survey])
def test_decode_and_survey_refuse_a_hostile_file(case: PictureCase, read: Callable[[bytes], object]) -> None:
    with pytest.raises(ImageRejected) as caught:
        read(case.make())
    assert caught.value.code == case.code
    assert case.says.lower() in caught.value.detail.lower()
    assert "\n" not in str(caught.value)


@each(SHOWN)
def test_decode_shows_the_right_pixels(case: PictureCase) -> None:
    decoded = images.decode(case.make())
    assert dict(decoded.flags) == dict(case.flags)
    assert decoded.plain == case.plain
    assert_pixels(decoded.pixels, case)


@each(SHOWN)
def test_survey_finds_what_decode_finds(case: PictureCase) -> None:
    data = case.make()
    surveyed, decoded = images.survey(data), images.decode(data)
    assert (surveyed.width, surveyed.height) == (decoded.width, decoded.height)
    assert (surveyed.flags, surveyed.plain, surveyed.format) == (decoded.flags, decoded.plain, decoded.format)
    assert np.array_equal(np.asarray(surveyed.reduced), decoded.pixels)  # all are too small to be reduced


@each([case for case in SHOWN if not case.plain])
def test_stored_picture_holds_the_pixels_and_nothing_else(case: PictureCase) -> None:
    data, ext = images.encode_plain(images.decode(case.make()))
    assert b"PK\x05\x06" not in data and b"<script>" not in data
    stored = Image.open(io.BytesIO(data))
    assert stored.mode == "RGB" and ext == ("jpg" if stored.format == "JPEG" else "png")
    assert not stored.getexif() and not {"icc_profile", "xmp", "exif", "comment"} & stored.info.keys()
    assert_pixels(np.asarray(stored), case, more=3 if ext == "jpg" else 0)


def assert_pixels(pixels: np.ndarray, case: PictureCase, more: float = 0) -> None:
    expected = case.expected(pixels.shape)
    assert pixels.shape == expected.shape
    assert np.abs(pixels.astype(int) - expected).mean() <= case.tolerance + more


def test_a_folder_with_a_pictures_name_is_walked_into_and_not_read(tmp_path: Path) -> None:
    from catalog.paths import Dump

    write_pictures(tmp_path)
    (tmp_path / "folder.jpg" / "inside.png").write_bytes(b"x")
    dump = Dump(tmp_path)
    assert "folder.jpg" not in dump.files and "folder.jpg/inside.png" in dump.files
    assert set(dump.files) >= {case.name for case in PICTURES}


@pytest.mark.parametrize("progressive", [False, True], ids=["baseline", "progressive"])
@pytest.mark.parametrize("read", [images.decode, images.survey])
def test_lost_blocks_are_found_in_nine_of_ten_jpegs_and_in_no_whole_one(
    progressive: bool, read: Callable[[bytes], object]
) -> None:
    found = 0
    for seed in range(20):
        whole = noisy_jpeg(progressive=progressive, seed=seed)
        read(whole)
        try:
            read(block_replaced(whole, share=seed / 19))
        except ImageRejected as error:
            assert error.code in ("IMG_DATA_CORRUPT", "IMG_TRUNCATED")
            found += 1
    assert found >= 18


@settings(max_examples=150, deadline=None)
@given(case=st.sampled_from(SMALL), where=st.floats(0, 1), written=st.binary(min_size=1, max_size=12))
def test_decode_and_survey_agree_on_any_damage(case: PictureCase, where: float, written: bytes) -> None:
    data = case.make()
    at = int(where * len(data))
    damaged = data[:at] + written + data[at + len(written) :]
    assert verdict(images.decode, damaged) == verdict(images.survey, damaged)


def verdict(read: Callable[[bytes], images.DecodedImage | images.SurveyedImage], data: bytes) -> object:
    try:
        found = read(data)
    except ImageRejected as error:
        return error.code
    return found.width, found.height, found.flags


def test_hostile_files_need_little_memory(tmp_path: Path, repository: Path) -> None:
    write_pictures(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(tmp_path)], cwd=repository, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < MAX_MEMORY_MB
