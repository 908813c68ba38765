"""Duplicates: copies are found, colour variants are not merged, and the order of arrival changes nothing."""

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from sqlalchemy import select, update
from stored_pictures import recompressed, resized, scene, store, swapped_chroma, turned_hue

from catalog.copies import load_copies
from catalog.duplicates import find_duplicates
from catalog.schema import DuplicateGroupRow, DuplicateMemberRow, ImageRow
from catalog.store import Catalog

SCENES = 60


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.open(tmp_path / "workspace") as opened:
        yield opened


@pytest.fixture(scope="module")
def originals(sample_catalogue: Path) -> dict[str, Image.Image]:
    """Sixty made pictures, and those of the drawn products that have a colour to change."""
    found = {f"scene{seed}": scene(seed) for seed in range(SCENES)}
    for path in sorted((sample_catalogue / "images").glob("*.jpg")):
        picture = Image.open(path).convert("RGB")
        if np.percentile(np.asarray(picture.convert("HSV"))[..., 1], 95) > 120:
            found[path.stem] = picture
    assert len(found) > SCENES + 5
    return found


def groups(catalog: Catalog) -> set[tuple[str, str, str, int]]:
    """All that was found, by content: (kind, keeper, member, bits)."""
    with catalog.read() as session:
        digests = {image_id: sha256 for image_id, sha256 in session.execute(select(ImageRow.id, ImageRow.sha256))}
        rows = session.execute(
            select(
                DuplicateGroupRow.kind,
                DuplicateGroupRow.keeper_image_id,
                DuplicateMemberRow.image_id,
                DuplicateMemberRow.distance,
            ).join(DuplicateMemberRow)
        )
        return {(kind, digests[keeper], digests[member], bits) for kind, keeper, member, bits in rows}


def kinds(catalog: Catalog, ids: dict[str, int]) -> dict[tuple[str, str], str]:
    """(keeper, member) → kind, by the names of the pictures."""
    names = {image_id: name for name, image_id in ids.items()}
    with catalog.read() as session:
        rows = session.execute(
            select(DuplicateGroupRow, DuplicateMemberRow.image_id).join(
                DuplicateMemberRow, DuplicateMemberRow.group_id == DuplicateGroupRow.id
            )
        )
        return {(names[group.keeper_image_id], names[member]): group.kind for group, member in rows}


def test_resized_and_recompressed_copies_are_found(catalog: Catalog, originals: dict[str, Image.Image]) -> None:
    pictures = dict(originals)
    for name, picture in originals.items():
        pictures[f"{name}/half"] = recompressed(resized(picture, 0.5), 85)
        pictures[f"{name}/thumb"] = recompressed(resized(picture, 0.375), 75)
        pictures[f"{name}/q40"] = recompressed(picture, 40)
        pictures[f"{name}/webp"] = recompressed(picture, 75, "WEBP")
    ids = store(catalog, pictures)
    report = find_duplicates(catalog)
    with catalog.read() as session:
        copies = load_copies(session)
    made = [name for name in pictures if "/" in name]
    linked = [name for name in made if copies.best(ids[name]) == copies.best(ids[name.split("/")[0]])]
    assert len(linked) >= 0.99 * len(made)
    strangers = [
        name
        for name in made
        if copies.best(ids[name]) not in {ids[n] for n in pictures if n.split("/")[0] == name.split("/")[0]}
    ]
    assert len(strangers) <= 0.01 * len(made)
    assert report.compared == len(pictures)
    assert report.pictures["derived"] >= 2 * 0.99 * len(originals)


def test_recoloured_copies_are_variants_and_never_merged(catalog: Catalog, originals: dict[str, Image.Image]) -> None:
    pictures = dict(originals)
    for name, picture in originals.items():
        pictures[f"{name}/hue"] = recompressed(resized(turned_hue(picture), 0.5), 85)
        pictures[f"{name}/swap"] = swapped_chroma(picture)
    ids = store(catalog, pictures)
    find_duplicates(catalog)
    with catalog.read() as session:
        copies = load_copies(session)
    made = [name for name in pictures if "/" in name]
    merged = [name for name in made if copies.best(ids[name]) == copies.best(ids[name.split("/")[0]])]
    assert len(merged) <= 0.01 * len(made)
    swaps = [name for name in made if name.endswith("/swap")]
    variants = [name for name in swaps if copies.shape(ids[name]) == copies.shape(ids[name.split("/")[0]])]
    assert len(variants) >= 0.9 * len(swaps)


def test_the_largest_copy_is_kept_and_each_kind_named(catalog: Catalog) -> None:
    large = scene(1, (400, 300))
    ids = store(
        catalog,
        {
            "thumb": resized(large, 0.25),
            "large": large,
            "again": large,
            "squeezed": large.resize((400, 270)),
            "other": scene(2),
        },
    )
    report = find_duplicates(catalog)
    found = kinds(catalog, ids)
    keeper = next(iter(found))[0]
    # Which of two equal files stays is decided by size and digest.
    assert keeper in ("large", "again")
    twin = "again" if keeper == "large" else "large"
    assert found == {
        (keeper, twin): "pixels",
        (keeper, "thumb"): "derived",
        (keeper, "squeezed"): "near",
    }
    assert report.pictures == {"derived": 1, "near": 1, "pixels": 1}


def test_black_and_grey_of_one_shape_are_variants(catalog: Catalog) -> None:
    def mug(colour: str) -> Image.Image:
        picture = Image.new("RGB", (200, 200), "white")
        ImageDraw.Draw(picture).rounded_rectangle([50, 60, 130, 170], 12, fill=colour)
        ImageDraw.Draw(picture).ellipse([120, 80, 170, 140], outline=colour, width=12)
        return picture

    ids = store(catalog, {"black": mug("#222222"), "grey": mug("#777777"), "red": mug("#aa2222")})
    find_duplicates(catalog)
    assert set(kinds(catalog, ids).values()) == {"variant"}
    assert len(kinds(catalog, ids)) == 2


def test_blank_pictures_repeat_only_by_equal_pixels(catalog: Catalog) -> None:
    def note(text: str) -> Image.Image:
        picture = Image.new("RGB", (300, 300), "white")
        ImageDraw.Draw(picture).text((150, 150), text, fill="#888888", anchor="mm")
        return picture

    pictures = {f"blank{size}": Image.new("RGB", (size, size), "white") for size in (100, 200, 300)}
    pictures |= {
        "cream": Image.new("RGB", (200, 200), "#fffef8"),
        "one": note("We are sorry"),
        "two": note("Placeholder"),
    }
    pictures["copy"] = pictures["blank200"]
    ids = store(catalog, pictures)
    find_duplicates(catalog)
    found = kinds(catalog, ids)
    assert list(found.values()) == ["pixels"]
    assert set(next(iter(found))) == {"blank200", "copy"}


def _mixed() -> dict[str, Image.Image]:
    """Families of copies and variants, with chains of slowly changing pictures among them."""
    pictures = {}
    for seed in range(25):
        base = scene(seed, (160, 120))
        pictures[f"{seed}"] = base
        pictures[f"{seed}/half"] = recompressed(resized(base, 0.5), 60)
        if seed % 2:
            pictures[f"{seed}/poor"] = recompressed(base, 50)
        if seed % 3 == 0:
            pictures[f"{seed}/hue"] = turned_hue(base)
            pictures[f"{seed}/hue/small"] = resized(turned_hue(base), 0.6)
        if seed % 5 == 0:
            pictures[f"{seed}/twin"] = base
            other = scene(seed + 1, (160, 120))
            for step in range(1, 8):
                pictures[f"{seed}/blend{step}"] = Image.blend(base, other, step / 8)
    return pictures


def test_what_is_found_does_not_depend_on_the_order(tmp_path: Path) -> None:
    pictures = _mixed()
    assert len(pictures) > 100
    names = list(pictures)
    results = []
    # Steps of more and of less than 64 pictures take the two ways of looking up.
    for seed, cuts in enumerate(([], [90], [20, 25, 70, 72])):
        random.Random(seed).shuffle(names)
        with Catalog.open(tmp_path / str(seed)) as catalog:
            for start, end in zip([0, *cuts], [*cuts, len(names)], strict=True):
                store(catalog, {name: pictures[name] for name in names[start:end]})
                assert find_duplicates(catalog).compared == end - start
            results.append(groups(catalog))
    assert results[0] == results[1] == results[2]
    assert {kind for kind, *_ in results[0]} == {"pixels", "derived", "near", "variant"}


def test_a_second_search_changes_nothing(catalog: Catalog) -> None:
    store(catalog, {"a": scene(1), "b": resized(scene(1), 0.5)})
    first = find_duplicates(catalog)
    with catalog.read() as session:
        before = list(session.scalars(select(DuplicateGroupRow.id)))
    second = find_duplicates(catalog)
    with catalog.read() as session:
        assert list(session.scalars(select(DuplicateGroupRow.id))) == before
    assert (first.compared, second.compared) == (2, 0)
    assert first.pictures == second.pictures == {"derived": 1}


def test_signatures_of_an_older_release_are_made_again(catalog: Catalog) -> None:
    store(catalog, {"a": scene(1), "b": resized(scene(1), 0.5), "c": turned_hue(scene(1)), "d": scene(2)})
    find_duplicates(catalog)
    expected = groups(catalog)
    with catalog.write() as session:
        session.execute(update(ImageRow).values(fingerprint="", phash="0" * 16, chroma=b"", band0=None))
    assert find_duplicates(catalog).compared == 4
    assert groups(catalog) == expected
    with catalog.read() as session:
        bands = session.execute(select(ImageRow.phash, ImageRow.band0, ImageRow.band3))
        assert all((int(phash[:4], 16), int(phash[-4:], 16)) == (first, last) for phash, first, last in bands)


def test_a_picture_whose_file_is_gone_waits(catalog: Catalog) -> None:
    ids = store(catalog, {"a": scene(1), "b": resized(scene(1), 0.5)})
    with catalog.write() as session:
        session.execute(update(ImageRow).where(ImageRow.id == ids["a"]).values(fingerprint=""))
        digest = session.scalar(select(ImageRow.sha256).where(ImageRow.id == ids["a"]))
    catalog.blobs.path(str(digest)).unlink()
    assert find_duplicates(catalog).compared == 1
    assert find_duplicates(catalog).compared == 0


def test_generated_pictures_are_not_compared(catalog: Catalog) -> None:
    ids = store(catalog, {"photo": scene(1), "drawn": resized(scene(1), 0.5)})
    with catalog.write() as session:
        session.execute(update(ImageRow).where(ImageRow.id == ids["drawn"]).values(kind="generated"))
    assert find_duplicates(catalog).compared == 1
    assert groups(catalog) == set()
