"""Batches depend on seed and step alone, use all pictures alike, and keep mismatches apart."""

from pathlib import Path

import numpy as np
import pytest
from letter_batches import batches, entry, same

from adapt.data.augment import CropAndFlip
from adapt.data.colour_words import colours_in, replace_colour, with_other_colour
from adapt.data.pictures import centre_crop, load_square, to_model, to_pixels
from adapt.errors import AdaptError
from catalog.records import ManifestEntry


def test_batch_is_a_function_of_seed_and_step() -> None:
    entries = [entry(i, f"red {chr(97 + i)}", f"blue {chr(97 + i)}") for i in range(9)]
    first, again = batches(entries), batches(entries)
    for step in (3, 0, 7):
        a, b = first.batch(step), again.batch(step)
        assert (
            same(a.images, b.images) and same(a.texts.sentence, b.texts.sentence) and same(a.mismatched, b.mismatched)
        )
    assert not same(first.batch(1).images, first.batch(2).images)


def test_batch_holds_both_captions_in_the_order_of_drawing() -> None:
    entries = [entry(i, f"a{chr(97 + i)}", f"b{chr(97 + i)}") for i in range(4)]
    batch = batches(entries).batch(0)
    assert batch.texts.sentence.shape == (8, 26) and batch.texts.words.shape == (8, 0, 4)
    assert same(batch.first.sentence, batch.texts.sentence[:4]) and same(batch.sentences[:, 0], batch.first.sentence)
    own = [set(pair.sum(dim=0).nonzero().flatten().tolist()) for pair in batch.sentences]
    wanted = [{0, 1, int(number)} for number in batch.ids]
    assert own == wanted, "the second half shows the same pictures' other captions"


def test_words_are_gathered_where_they_are_kept() -> None:
    batch = batches([entry(i, "aa", "bb") for i in range(4)], keep_words=True).batch(0)
    assert batch.texts.words.shape == (8, 1, 4) and bool(batch.texts.mask.all())


def test_every_picture_is_used_alike() -> None:
    source = batches([entry(i, "a") for i in range(10)], batch_size=4)
    used = np.bincount(np.concatenate([source.indices(step) for step in range(25)]), minlength=10)
    assert used.tolist() == [10] * 10


def test_human_share_fills_that_part_of_a_batch() -> None:
    entries = [entry(i, "a", origin="human" if i < 3 else "class_attributes") for i in range(12)]
    source = batches(entries, human_share=0.5)
    assert all(sum(i < 3 for i in source.indices(step)) == 2 for step in range(6))


def test_two_different_captions_are_drawn_where_there_are_two() -> None:
    source = batches([entry(i, "aaa", "bbb") for i in range(4)])
    for step in range(5):
        sentences = source.batch(step).sentences
        assert not any(same(pair[0], pair[1]) for pair in sentences)


def test_counterfactual_mismatch_changes_a_colour_only() -> None:
    source = batches([entry(i, "a red q") for i in range(4)], counterfactual_share=1.0)
    batch = source.batch(0)
    q, d = ord("q") - 97, batch.sentences[:, 0]
    assert same(batch.mismatched[:, q], d[:, q])
    assert not any(same(wrong, right) for wrong, right in zip(batch.mismatched, d, strict=True))


def test_pictures_without_captions_are_refused() -> None:
    with pytest.raises(AdaptError, match=r"adapt captions rebuild"):
        batches([entry(0, "a"), entry(1)])


def test_one_picture_and_one_caption_still_make_a_batch() -> None:
    batch = batches([entry(0, "only")], batch_size=1).batch(0)
    assert batch.images.shape == (1, 3, 8, 8) and batch.sentences.shape == (1, 2, 26)


def test_crop_and_flip_repeats_with_its_seed() -> None:
    pictures = np.random.default_rng(1).integers(0, 256, (3, 12, 12, 3), dtype=np.uint8)
    transform = CropAndFlip(8, flip=True)
    first = transform(pictures, seed=4)
    transform(pictures, seed=9)
    assert np.array_equal(first, transform(pictures, seed=4)) and first.shape == (3, 8, 8, 3)


def test_pixels_survive_the_way_through_the_model_range() -> None:
    pictures = np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3)
    assert np.array_equal(to_pixels(to_model(pictures)), pictures)
    assert centre_crop(pictures, 2).shape == (2, 2, 2, 3)


def test_unreadable_picture_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"not a picture")
    item = ManifestEntry(broken, "0", "s/0", 0, "c", "train", (), "0")
    with pytest.raises(AdaptError, match=r"cannot read picture .*broken.jpg"):
        load_square(item, 8)


def test_colour_words_are_found_and_changed() -> None:
    assert colours_in("A gray and Golden bird, greyish wings") == ["grey", "yellow"]
    assert replace_colour("a gray bird with grey wings and red beak", "grey", "blue") == (
        "a blue bird with blue wings and red beak"
    )
    changed = with_other_colour("a red bird", rng=np.random.default_rng(0))
    assert changed is not None and "red" not in changed
    assert with_other_colour("a bird", rng=np.random.default_rng(0)) is None
    assert with_other_colour("a redhead tern", rng=np.random.default_rng(0)) is None  # not a word of its own


def test_batches_without_guests_are_what_they_were_before_there_were_any() -> None:
    entries = [entry(i, f"a {chr(97 + i)}", origin="human" if i < 2 else "template") for i in range(8)]
    assert [batches(entries).indices(step).tolist() for step in range(2)] == [[4, 2, 5, 0], [7, 6, 3, 1]]
    mixed = batches(entries, human_share=0.25)
    assert [mixed.indices(step).tolist() for step in range(2)] == [[0, 5, 2, 3], [1, 7, 6, 4]]


@pytest.mark.parametrize(("photos", "guests", "size"), [(4, 40, 8), (4, 40, 10), (10, 1, 8), (30, 7, 8), (6, 6, 4)])
def test_guests_stay_within_their_share_of_every_batch(photos: int, guests: int, size: int) -> None:
    entries = [entry(i, "a") for i in range(photos + guests)]
    source = batches(entries, batch_size=size, guests=guests, guest_share=0.3)
    steps = [source.indices(step) for step in range(10 * (photos + guests))]
    counts = [int((chosen >= photos).sum()) for chosen in steps]
    assert all(len(chosen) == size for chosen in steps)
    assert max(counts) <= int(0.3 * size) and sum(counts) > 0
    used = np.bincount(np.concatenate(steps), minlength=photos + guests)
    assert used[:photos].max() - used[:photos].min() <= 1 and used[photos:].max() - used[photos:].min() <= 1
    # No guest is seen more often than a photograph.
    assert used[photos:].max() <= used[:photos].max() + 1


def test_a_batch_too_small_for_its_share_has_no_guests() -> None:
    source = batches([entry(i, "a") for i in range(9)], batch_size=3, guests=4, guest_share=0.3)
    assert all((source.indices(step) < 5).all() for step in range(20))
