"""Evaluation as a whole, with generators whose answer is known and a judge that needs no network."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from adapt.data.colour_words import colours_in
from adapt.data.pictures import centre_crop, load_pictures, to_model
from adapt.errors import AdaptError
from adapt.evaluate import EvaluationSize, Judges, evaluate, load_judges
from adapt.metrics.noise import Truncation
from adapt.metrics.report import Metric
from adapt.metrics.suite.sheets import Sheet
from catalog.records import Caption, ManifestEntry

RGB = {
    "black": (10, 10, 10),
    "white": (250, 250, 250),
    "grey": (128, 128, 128),
    "brown": (110, 70, 35),
    "red": (200, 30, 35),
    "yellow": (245, 220, 40),
    "blue": (40, 70, 200),
}


OF_OLD = (
    *("kid", "kid_real", "copy_rate", "consistency_within", "consistency_between", "consistency_gap"),
    *("consistency_top1", "real_top1", "colour_moved", "colour_gained", "colour_agreement", "colour_agreement_real"),
)
"""Names that cards of shipped bases quote."""
NEIGHBOURHOOD = ("precision", "recall", "density", "coverage")
CONTROLS = ("fake_real", "consistency_gap_real", "diversity_captions", "diversity_noise")


class PixelJudge:
    """Looks at an 8 px thumbnail."""

    dim = 192

    def __init__(self, name: str = "pixels", *, seen: bool = False) -> None:
        self.name, self.seen_in_training = name, seen

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.adaptive_avg_pool2d(images, 8).flatten(1) + 1


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory) -> list[ManifestEntry]:
    """Thirty products: a coloured square at one of several places, two wordings and two facts each."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    made = []
    for number in range(30):
        colour = list(RGB)[number % 7]
        pixels = np.full((24, 24, 3), 200, np.uint8)
        top, left = rng.integers(2, 10, 2)
        pixels[top : top + 12, left : left + 12] = RGB[colour]
        path = folder / f"{number}.png"
        Image.fromarray(pixels).save(path)
        captions = tuple(
            Caption(id=None, text=text, lang="en", template=str(i), facts={"colour": colour, "n": str(number)})
            for i, text in enumerate((f"a {colour} mug, number {number}", f"mug {number}: it is {colour} all over"))
        )
        made.append(
            ManifestEntry(
                image=path,
                sha256=str(number),
                product=f"p/{number}",
                product_id=number,
                category="mug",
                split="train" if number % 3 == 0 else "test",
                captions=captions,
                group=str(number),
            )
        )
    return made


def draws_what_it_reads(texts: list[str], noise: torch.Tensor) -> torch.Tensor:
    """A square of the named colour at a place its number decides; the noise tints the ground."""
    images = 0.5 + 0.02 * noise[:, 0].clamp(-3, 3)[:, None, None, None].repeat(1, 3, 16, 16)
    for image, text in zip(images, texts, strict=True):
        number = int("".join(letter for letter in text if letter.isdigit()))
        top, left = 2 + number % 6, 2 + number // 6
        rgb = torch.tensor(RGB[colours_in(text)[0]]).float() / 127.5 - 1
        image[:, top : top + 7, left : left + 7] = rgb[:, None, None]
    return images


def ignores_text(texts: list[str], noise: torch.Tensor) -> torch.Tensor:
    return torch.tanh(noise[:, :1, None, None] + torch.linspace(-1, 1, 16)).expand(-1, 3, 16, -1)


class PixelDistance:
    """Mean squared difference of pixels."""

    name = "pixels"

    def __call__(self, first: torch.Tensor, *others: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple((first - other).square().mean((1, 2, 3)) for other in others)


def _evaluate(generate, entries: list[ManifestEntry], **changes) -> dict[str, Metric]:
    arguments = {"noise_dim": 4, "image_px": 16, "judges": Judges(held_out=PixelJudge()), **changes}
    test = [entry for entry in entries if entry.split == "test"]
    train = [entry for entry in entries if entry.split == "train"]
    return evaluate(generate, test, training_entries=train, **arguments)


def test_evaluate_praises_a_generator_that_draws_what_it_reads(entries: list[ManifestEntry]) -> None:
    metrics = _evaluate(draws_what_it_reads, entries)
    assert metrics["consistency_top1"].value == 1
    assert metrics["consistency_gap"].low > 0
    assert metrics["colour_moved"].value == 1
    assert metrics["colour_moved"].chance < 0.2
    assert metrics["colour_agreement"].value == metrics["colour_agreement_real"].value == 1
    assert set(metrics) == {*OF_OLD, *NEIGHBOURHOOD, *CONTROLS, "fid"}


def test_evaluate_sees_that_text_is_ignored(entries: list[ManifestEntry]) -> None:
    metrics = _evaluate(ignores_text, entries)
    assert metrics["consistency_top1"].value == pytest.approx(metrics["consistency_top1"].chance)
    assert metrics["consistency_gap"].value == pytest.approx(0, abs=1e-9)
    assert metrics["colour_moved"].value == 0
    assert metrics["kid"].value > metrics["kid_real"].value


def test_evaluate_counts_copies_of_training_pictures(entries: list[ManifestEntry]) -> None:
    train = [entry for entry in entries if entry.split == "train"]
    photos = to_model(centre_crop(load_pictures(train, 19), 16))
    copier = lambda texts, noise: photos[torch.arange(len(texts)) % len(photos)]  # noqa: E731
    assert _evaluate(copier, entries)["copy_rate"].value == 1
    black = lambda texts, noise: torch.full((len(texts), 3, 16, 16), -1.0)  # noqa: E731
    assert _evaluate(black, entries)["copy_rate"].value == 0


def test_evaluate_is_the_same_for_the_same_seed(entries: list[ManifestEntry]) -> None:
    assert _evaluate(draws_what_it_reads, entries, seed=4) == _evaluate(draws_what_it_reads, entries, seed=4)
    assert _evaluate(draws_what_it_reads, entries, seed=4)["kid"] != _evaluate(draws_what_it_reads, entries)["kid"]


def test_evaluate_gives_all_paraphrases_one_noise_and_colour_pairs_the_same(entries: list[ManifestEntry]) -> None:
    calls = []

    def spy(texts: list[str], noise: torch.Tensor) -> torch.Tensor:
        calls.append(noise.clone())
        return draws_what_it_reads(texts, noise)

    _evaluate(spy, entries, size=EvaluationSize.at_most(20))
    distance, first, second, other, before, after, fact, changed_fact = calls
    assert len(distance.unique(dim=0)) == len(distance)
    assert len(torch.cat([first, second, fact, changed_fact]).unique(dim=0)) == 1
    assert len(torch.cat([first, other]).unique(dim=0)) == 1 + len(other)
    assert torch.equal(before, after)


def test_evaluate_reads_pictures_with_a_matcher_of_its_own(entries: list[ManifestEntry], tmp_path) -> None:
    """It learned from training pictures what the colours are called, and nothing of the generator."""
    taught = [replace(entry, split="test" if entry.split == "train" else "train") for entry in entries]
    photos = to_model(centre_crop(load_pictures(entries, 19), 16))

    def recalls(texts: list[str], noise: torch.Tensor) -> torch.Tensor:
        """The very photo that the text is about."""
        return photos[[int("".join(letter for letter in text if letter.isdigit())) for text in texts]]

    reads = _evaluate(recalls, taught, cache=tmp_path)
    (kept,) = tmp_path.iterdir()
    written = kept.read_bytes()
    assert reads["r_precision"].chance == pytest.approx(0.1)
    assert reads["r_precision"].value == reads["r_precision_real"].value > 0.3
    assert reads["cross_caption"].value > 0.3
    assert reads["r_precision"].extractor == "n-gram matcher on pixels"
    ignores = _evaluate(ignores_text, taught, cache=tmp_path, seed=3)
    assert ignores["cross_caption"].value == pytest.approx(0.1)
    assert list(tmp_path.iterdir()) == [kept] and kept.read_bytes() == written
    assert _evaluate(recalls, taught)["r_precision"] == reads["r_precision"]


def test_evaluate_gives_the_control_of_fid_as_many_pictures(entries: list[ManifestEntry]) -> None:
    taught = [replace(entry, split="test" if entry.split == "train" else "train") for entry in entries]
    metrics = _evaluate(draws_what_it_reads, taught)
    assert metrics["fid"].n == metrics["fid_real"].n == metrics["coverage_real"].n == 10
    assert "10 pictures for 192 features" in metrics["fid"].note
    assert metrics["fid"].reference == "10 held-out photos, centre at 16 px"
    assert metrics["fid_real"].value < _evaluate(ignores_text, taught)["fid"].value


def test_evaluate_measures_how_far_wording_noise_and_facts_move_the_picture(entries: list[ManifestEntry]) -> None:
    judges = Judges(held_out=PixelJudge(), distance=PixelDistance())
    metrics = _evaluate(draws_what_it_reads, entries, judges=judges)
    assert metrics["distance_paraphrase"].value == 0 and metrics["distance_noise"].value > 0
    assert metrics["distance_ratio"].value == 0
    assert metrics["hard_negative_distance"].value > 0.1
    assert metrics["hard_negative_distance"].note == "one fact changed"
    still = _evaluate(lambda texts, noise: ignores_text(texts, noise), entries, judges=judges)
    assert still["hard_negative_distance"].value == 0


def test_evaluate_changes_colours_where_captions_state_no_facts(entries: list[ManifestEntry]) -> None:
    plain = [
        replace(entry, captions=tuple(replace(caption, facts={}) for caption in entry.captions)) for entry in entries
    ]
    judges = Judges(held_out=PixelJudge(), distance=PixelDistance())
    assert _evaluate(draws_what_it_reads, plain, judges=judges)["hard_negative_distance"].note == "one colour changed"


def test_evaluate_sets_consistency_against_the_texts(entries: list[ManifestEntry]) -> None:
    """An encoder of the number and colour alone makes two wordings equal, and the consistency its own."""

    def encode(texts: Sequence[str]) -> torch.Tensor:
        numbers = [int("".join(letter for letter in text if letter.isdigit())) for text in texts]
        colours = [list(RGB).index(colours_in(text)[0]) for text in texts]
        eye = torch.eye(40)
        return torch.cat([eye[numbers], eye[colours]], dim=1)

    metrics = _evaluate(draws_what_it_reads, entries, encode=encode)
    assert metrics["text_cosine"].value == pytest.approx(1) and metrics["text_cosine"].chance < 0.2
    assert "seen in training" in metrics["text_cosine"].extractor
    assert metrics["consistency_beyond_text"].value < metrics["consistency_gap"].value


def test_evaluate_keeps_truncation_with_every_figure(entries: list[ManifestEntry]) -> None:
    plain, cut = (
        _evaluate(draws_what_it_reads, entries, truncation=way) for way in (None, Truncation.parse("psi:0.5"))
    )
    assert {metric.truncation for metric in cut.values()} == {"psi:0.5"}
    assert {metric.truncation for metric in plain.values()} == {""}
    assert cut["diversity_noise"].value < plain["diversity_noise"].value


def test_evaluate_fills_the_album_with_pictures_to_look_at(entries: list[ManifestEntry]) -> None:
    album: list[Sheet] = []
    _evaluate(draws_what_it_reads, entries, album=album)
    assert [sheet.title for sheet in album] == [
        "Nearest training pictures",
        "Two captions, one noise",
        "One fact changed, the noise kept",
        "One colour changed, the noise kept",
    ]
    nearest, wordings, *_ = album
    assert len(wordings.groups) == 12 and [len(group) for group in wordings.groups] == [3] * 12
    first, second, photo = wordings.groups[0]
    assert np.array_equal(first.pixels, second.pixels) and first.text != second.text and photo.text == "held-out photo"
    assert nearest.groups[0][1].text.startswith("training, cosine")


def test_evaluate_marks_figures_of_training_features(entries: list[ManifestEntry]) -> None:
    metrics = _evaluate(
        ignores_text, entries, judges=Judges(held_out=PixelJudge(), training=PixelJudge("lite", seen=True))
    )
    assert metrics["kid_lite"].extractor == "lite (seen in training)"
    assert metrics["kid"].extractor == "pixels"
    assert "copy_rate_lite" not in metrics


def test_evaluate_leaves_out_what_the_data_cannot_give(entries: list[ManifestEntry]) -> None:
    plain = [replace(entry, captions=(replace(entry.captions[0], text="a mug"),)) for entry in entries]
    metrics = evaluate(ignores_text, plain, noise_dim=4, image_px=16, judges=Judges(held_out=PixelJudge()))
    assert set(metrics) == {"kid", "fid", "precision", "recall", "density", "coverage"}


def test_evaluate_compares_products_that_share_captions_once(entries: list[ManifestEntry]) -> None:
    metrics = _evaluate(draws_what_it_reads, [*entries, *entries])
    assert metrics["consistency_top1"].n == 20


def test_evaluate_keeps_to_the_sizes(entries: list[ManifestEntry]) -> None:
    metrics = _evaluate(draws_what_it_reads, entries, size=EvaluationSize.at_most(6))
    assert {metrics[name].n for name in ("kid", "consistency_top1", "colour_moved", "copy_rate")} == {6}
    assert metrics["kid_real"].n == 10


def test_copy_rate_says_what_was_searched(entries: list[ManifestEntry]) -> None:
    count = sum(entry.split == "train" for entry in entries)
    assert f"to one of {count} training pictures" in _evaluate(draws_what_it_reads, entries)["copy_rate"].note
    few = _evaluate(draws_what_it_reads, entries, size=EvaluationSize.at_most(4))["copy_rate"]
    assert f"to one of a sample of 8 of {count} training pictures" in few.note


def test_evaluate_needs_held_out_pictures(entries: list[ManifestEntry]) -> None:
    with pytest.raises(AdaptError, match="1 held-out pictures with captions") as error:
        evaluate(ignores_text, entries[:1], noise_dim=4, image_px=16, judges=Judges(held_out=PixelJudge()))
    assert "\n" not in str(error.value)


def test_load_judges_sets_the_training_features_beside_the_judge() -> None:
    judges = load_judges()
    assert (judges.held_out.name, judges.held_out.seen_in_training) == ("efficientnet_lite1", False)
    assert judges.training is not None and judges.training.seen_in_training
    assert judges.distance is not None and judges.distance.name == "efficientnet_lite1 stages, not fitted"
    assert load_judges("efficientnet-lite0").training is None


def test_evaluate_runs_with_the_real_judge(entries: list[ManifestEntry]) -> None:
    metrics = _evaluate(
        draws_what_it_reads, entries, judges=load_judges(training=False), size=EvaluationSize.at_most(8)
    )
    assert metrics["kid"].extractor == "efficientnet_lite1"
    assert metrics["consistency_gap"].value > 0
