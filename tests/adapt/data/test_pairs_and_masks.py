"""Which captions make a pair, and which pictures are no negatives of each other."""

import logging
from pathlib import Path

import numpy as np
import pytest
import torch

from adapt.data.batches import Batch, PictureBatches
from adapt.data.caption_pairs import PAIRINGS, pair_any, pair_same_facts
from adapt.data.identities import check_mask, identities
from adapt.errors import ConfigError
from adapt.loss_options import PAIRS
from adapt.models.interfaces import TextFeatures
from adapt.models.text_cache import TextFeatureCache
from catalog.pairs import pairs
from catalog.records import Caption, ManifestEntry

RED = {"colour": "red", "kind": "mug"}


class OneHotEncoder:
    """A real, tiny encoder of the captions below: which of them a text is."""

    name, word_dim, sentence_dim, max_words = "one-hot", 4, 8, 8
    texts = ("a red mug", "a mug, red", "this mug is red", "a mug", "some mug", "seen in a shop", "b", "c")

    def encode(self, texts: list[str], device: str = "cpu") -> TextFeatures:
        places = torch.tensor([self.texts.index(text) for text in texts])
        sentence = torch.nn.functional.one_hot(places, self.sentence_dim).float()
        mask = torch.ones(len(texts), 1, dtype=torch.bool)
        return TextFeatures(words=torch.zeros(len(texts), 1, 4), sentence=sentence, mask=mask)


def captions(*told: tuple[str, dict[str, str]]) -> tuple[Caption, ...]:
    return tuple(Caption(None, text, "en", "t", facts, "template" if facts else "human") for text, facts in told)


MUG = captions(
    *(("a red mug", RED), ("a mug", {"kind": "mug"}), ("a mug, red", RED), ("seen in a shop", {})),
    *(("this mug is red", RED), ("some mug", {"kind": "mug"})),
)


def entry(number: int, told: tuple[Caption, ...] = MUG, *, group: str = "", category: str = "c") -> ManifestEntry:
    return ManifestEntry(
        Path("x.png"), str(number), f"s/{number // 2}", number // 2, category, "train", told, group or str(number)
    )


def batches(entries: list[ManifestEntry], **changes: object) -> PictureBatches:
    pictures = np.random.default_rng(0).integers(0, 256, (len(entries), 10, 10, 3), dtype=np.uint8)
    options = {
        "image_px": 8, "batch_size": 4, "flip": False, "human_share": 0.0, "counterfactual_share": 0.0, "seed": 5,
    } | changes  # fmt: skip
    return PictureBatches(entries, pictures, TextFeatureCache(OneHotEncoder(), keep_words=False), **options)


def drawn(source: PictureBatches, steps: int) -> set[tuple[str, str]]:
    """The pairs of captions that `steps` batches hold."""
    found = set()
    for step in range(steps):
        for pair in source.batch(step).sentences.argmax(2).tolist():
            found.add(tuple(OneHotEncoder.texts[place] for place in pair))
    return found


def test_same_facts_draws_the_paraphrases_that_the_catalogue_lists() -> None:
    listed = {frozenset((pair.first.text, pair.second.text)) for pair in pairs([entry(0)], "paraphrase")}
    found = drawn(batches([entry(i) for i in range(4)], pairs="same_facts"), 60)
    different = {frozenset(pair) for pair in found if pair[0] != pair[1]}
    assert different == listed and len(listed) == 4
    assert {pair for pair in found if pair[0] == pair[1]} == {("seen in a shop", "seen in a shop")}


def test_any_pairs_captions_whatever_they_state() -> None:
    found = drawn(batches([entry(i) for i in range(4)]), 60)
    assert ("a red mug", "a mug") in found and not [pair for pair in found if pair[0] == pair[1]]


def test_first_captions_are_drawn_alike_under_both_pairings() -> None:
    for pair in (pair_any, pair_same_facts):
        rng = np.random.default_rng(0)
        counts = np.bincount([pair(MUG, rng)[0] for _ in range(1200)], minlength=6)
        assert counts.min() > 150, "each of six captions comes first in about 200 of 1200"


def test_pairs_are_a_function_of_seed_and_step() -> None:
    entries = [entry(i) for i in range(4)]
    first, again = batches(entries, pairs="same_facts"), batches(entries, pairs="same_facts")
    assert all(torch.equal(first.batch(step).sentences, again.batch(step).sentences) for step in (3, 0, 5))


def test_pairings_are_those_that_a_config_may_name() -> None:
    assert tuple(PAIRINGS) == PAIRS


def test_same_facts_without_any_paraphrase_is_one_line() -> None:
    people = captions(("a red mug", {}), ("a mug", {}))
    with pytest.raises(ConfigError, match=r"none of 3 pictures has two captions of equal facts.*--set data.pairs=any$"):
        batches([entry(i, people) for i in range(3)], pairs="same_facts")
    once = captions(("a red mug", RED), ("a red mug", RED))  # the same words twice are no pair
    with pytest.raises(ConfigError, match="none of 1 pictures"):
        batches([entry(0, once)], pairs="same_facts")


def test_pictures_without_a_pair_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    lone = captions(("b", {"kind": "b"}))
    with caplog.at_level(logging.WARNING):
        source = batches([entry(0), entry(1), entry(2, lone)], pairs="same_facts", batch_size=3)
    assert "1 of 3 pictures have no two captions of equal facts" in caplog.text
    assert ("b", "b") in drawn(source, 1)


def test_batch_has_picture_product_and_class() -> None:
    entries = [
        entry(0, category="a"),
        entry(1, category="b", group="0"),
        entry(2, category="b"),
        entry(3, category="a"),
    ]
    source = batches(entries)
    chosen, batch = source.indices(0), source.batch(0)
    ids = batch.identities(("image", "product", "class"))
    assert ids.shape == (4, 3)
    told = [(entries[i].group, entries[i].product, entries[i].category) for i in chosen]
    for i in range(4):
        for k in range(4):
            assert (ids[i] == ids[k]).tolist() == [a == b for a, b in zip(told[i], told[k], strict=True)]
    assert torch.equal(batch.identities(("product",))[:, 0], batch.ids)
    assert batch.identities(()).shape == (4, 0)


def test_batch_without_the_ids_of_a_mask_is_refused() -> None:
    texts = OneHotEncoder().encode(["b", "c"] * 2)
    pictures, mismatched = torch.zeros(2, 3, 4, 4), texts.sentence[:2]
    batch = Batch(images=pictures, texts=texts, mismatched=mismatched, ids=torch.arange(2))
    assert batch.identities(("product",)).tolist() == [[0], [1]]
    with pytest.raises(ValueError, match="lacks ids that mask"):
        batch.identities(("product", "class"))


def test_identities_number_equal_names_alike() -> None:
    entries = [entry(0, group="g"), entry(1, group="h"), entry(2, group="g", category="d")]
    assert identities(entries, "image").tolist() == [0, 1, 0]
    assert identities(entries, "class").tolist() == [0, 0, 1]
    assert identities(entries, "product").tolist() == [0, 0, 1]


def test_mask_that_leaves_no_negatives_is_one_line() -> None:
    entries = [entry(i) for i in range(4)]
    with pytest.raises(ConfigError, match=r"'class', but all 4 pictures are of one class.*'loss.mask=\[\"product\"\]'"):
        check_mask(("product", "class"), entries)
    with pytest.raises(ConfigError, match=r"names 'image', but all 2 pictures are of one image"):
        check_mask(("image",), [entry(0, group="g"), entry(1, group="g")])
    check_mask(("image", "product"), entries)


def test_mask_of_one_product_is_taken_and_said(caplog: pytest.LogCaptureFixture) -> None:
    entries = [entry(0), entry(1), entry(2)]
    check_mask(("product",), entries)
    assert not caplog.messages
    check_mask(("product",), entries[:2])  # a catalogue of one product can still be learned
    assert "all 2 training pictures are of one product" in caplog.text and "stay 0" in caplog.text
