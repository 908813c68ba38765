"""Evaluation as a whole, with generators whose answer is known and a judge that needs no network."""

import numpy as np
import pytest
import torch
from PIL import Image

from adapt.data.colour_words import colours_in
from adapt.errors import AdaptError
from adapt.evaluate import EvaluationSize, Judges, evaluate, load_judges
from adapt.metrics.report import Metric
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
    assert set(metrics) == {
        "kid",
        "kid_real",
        "copy_rate",
        "consistency_within",
        "consistency_between",
        "consistency_gap",
        "consistency_top1",
        "real_top1",
        "colour_moved",
        "colour_gained",
        "colour_agreement",
        "colour_agreement_real",
    }


def test_evaluate_sees_that_text_is_ignored(entries: list[ManifestEntry]) -> None:
    metrics = _evaluate(ignores_text, entries)
    assert metrics["consistency_top1"].value == pytest.approx(metrics["consistency_top1"].chance)
    assert metrics["consistency_gap"].value == pytest.approx(0, abs=1e-9)
    assert metrics["colour_moved"].value == 0
    assert metrics["kid"].value > metrics["kid_real"].value


def test_evaluate_counts_copies_of_training_pictures(entries: list[ManifestEntry]) -> None:
    train = [entry for entry in entries if entry.split == "train"]
    from adapt.data.pictures import centre_crop, load_pictures, to_model

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
    distance, first, second, before, after = calls
    assert len(distance.unique(dim=0)) == len(distance)
    assert len(torch.cat([first, second]).unique(dim=0)) == 1
    assert torch.equal(before, after)


def test_evaluate_marks_figures_of_training_features(entries: list[ManifestEntry]) -> None:
    metrics = _evaluate(
        ignores_text, entries, judges=Judges(held_out=PixelJudge(), training=PixelJudge("lite", seen=True))
    )
    assert metrics["kid_lite"].extractor == "lite (seen in training)"
    assert metrics["kid"].extractor == "pixels"
    assert "copy_rate_lite" not in metrics


def test_evaluate_leaves_out_what_the_data_cannot_give(entries: list[ManifestEntry]) -> None:
    from dataclasses import replace

    plain = [replace(entry, captions=(replace(entry.captions[0], text="a mug"),)) for entry in entries]
    metrics = evaluate(ignores_text, plain, noise_dim=4, image_px=16, judges=Judges(held_out=PixelJudge()))
    assert set(metrics) == {"kid"}


def test_evaluate_compares_products_that_share_captions_once(entries: list[ManifestEntry]) -> None:
    metrics = _evaluate(draws_what_it_reads, [*entries, *entries])
    assert metrics["consistency_top1"].n == 20


def test_evaluate_keeps_to_the_sizes(entries: list[ManifestEntry]) -> None:
    metrics = _evaluate(draws_what_it_reads, entries, size=EvaluationSize.at_most(6))
    assert {metrics[name].n for name in ("kid", "consistency_top1", "colour_moved", "copy_rate")} == {6}
    assert metrics["kid_real"].n == 10


def test_evaluate_needs_held_out_pictures(entries: list[ManifestEntry]) -> None:
    with pytest.raises(AdaptError, match="1 held-out pictures with captions") as error:
        evaluate(ignores_text, entries[:1], noise_dim=4, image_px=16, judges=Judges(held_out=PixelJudge()))
    assert "\n" not in str(error.value)


def test_load_judges_sets_the_training_features_beside_the_judge() -> None:
    judges = load_judges()
    assert (judges.held_out.name, judges.held_out.seen_in_training) == ("efficientnet_lite1", False)
    assert judges.training is not None and judges.training.seen_in_training
    assert load_judges("efficientnet-lite0").training is None


def test_evaluate_runs_with_the_real_judge(entries: list[ManifestEntry]) -> None:
    metrics = _evaluate(
        draws_what_it_reads, entries, judges=load_judges(training=False), size=EvaluationSize.at_most(8)
    )
    assert metrics["kid"].extractor == "efficientnet_lite1"
    assert metrics["consistency_gap"].value > 0
