import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from adapt.losses.damsm import matching_losses, sentence_scores, word_scores
from adapt.models.interfaces import ImageFeatures, TextFeatures


def _batch(batch: int = 4, words: int = 5, regions: int = 9, width: int = 16) -> tuple[TextFeatures, ImageFeatures]:
    generator = torch.Generator().manual_seed(0)
    lengths = torch.tensor([(3 * i) % words + 1 for i in range(batch)])
    mask = torch.arange(words) < lengths[:, None]
    text = TextFeatures(
        words=torch.randn(batch, words, width, generator=generator),
        sentence=torch.randn(batch, width, generator=generator),
        mask=mask,
    )
    image = ImageFeatures(
        regions=torch.randn(batch, width, regions, generator=generator),
        pooled=torch.randn(batch, width, generator=generator),
    )
    return text, image


def _slow_word_score(words: Tensor, regions: Tensor, gamma1: float, gamma2: float) -> float:
    """AttnGAN's equations 7 to 10 for one caption (T, D) and one picture (D, N), in loops."""
    similarity = [[float(word @ regions[:, j]) for j in range(regions.shape[1])] for word in words]
    normalised = [
        [math.exp(row[j]) / sum(math.exp(other[j]) for other in similarity) for j in range(len(row))]
        for row in similarity
    ]
    total = 0.0
    for word, row in zip(words, normalised, strict=True):
        scale = sum(math.exp(gamma1 * value) for value in row)
        context = sum(math.exp(gamma1 * value) / scale * regions[:, j] for j, value in enumerate(row))
        total += math.exp(gamma2 * float(F.cosine_similarity(context, word, dim=0)))
    return math.log(total)


def test_word_scores_match_a_slow_reference() -> None:
    text, image = _batch()
    found = word_scores(text.words, text.mask, image.regions, gamma1=4.0, gamma2=5.0)
    for picture in range(4):
        for caption in range(4):
            words = text.words[caption][text.mask[caption]]
            expected = _slow_word_score(words, image.regions[picture], 4.0, 5.0)
            assert found[picture, caption].item() == pytest.approx(expected, abs=1e-4)


def test_word_scores_ignore_padding() -> None:
    text, image = _batch()
    noisy = torch.where(text.mask[..., None], text.words, torch.full_like(text.words, 99.0))
    torch.testing.assert_close(
        word_scores(noisy, text.mask, image.regions), word_scores(text.words, text.mask, image.regions)
    )


def test_word_scores_take_other_numbers_of_pictures_than_captions() -> None:
    text, image = _batch()
    assert word_scores(text.words, text.mask, image.regions[:3]).shape == (3, 4)


def test_word_scores_of_one_matching_region_have_a_closed_form() -> None:
    # One region a picture is every word's context: the score is ln T + γ₂ for a match, ln T at right angles.
    basis = torch.eye(4)
    words = basis[:, None].expand(4, 3, 4)
    scores = word_scores(words, torch.ones(4, 3, dtype=torch.bool), basis[..., None], gamma2=5.0)
    torch.testing.assert_close(scores, math.log(3) + 5.0 * torch.eye(4))


@pytest.mark.parametrize("batch", [1, 10, 48])
def test_matching_losses_of_equal_scores_are_ln_b(batch: int) -> None:
    for loss in matching_losses(torch.zeros(batch, batch), torch.arange(batch)):
        assert loss.item() == pytest.approx(math.log(batch), abs=1e-6)


def test_matching_losses_of_perfect_scores_have_a_closed_form() -> None:
    for loss in matching_losses(torch.eye(10), torch.arange(10), gamma3=10.0):
        # A loss this small is the difference of float32 numbers near 10.
        assert loss.item() == pytest.approx(math.log(1 + 9 * math.exp(-10)), abs=2e-6)


def test_matching_losses_leave_out_pairs_of_one_product() -> None:
    ids = torch.tensor([0, 0, 1, 2])
    scores = torch.zeros(4, 4)
    scores[0, 1] = scores[1, 0] = 100.0
    expected = (2 * math.log(3) + 2 * math.log(4)) / 4
    for loss in matching_losses(scores, ids):
        assert loss.item() == pytest.approx(expected, abs=1e-6)
    for loss in matching_losses(scores, torch.zeros(4, dtype=torch.long)):
        assert loss.item() == 0


def test_matching_losses_swap_with_the_sides() -> None:
    scores = torch.randn(6, 6, generator=torch.Generator().manual_seed(1))
    forward, backward = matching_losses(scores, torch.arange(6))
    swapped = matching_losses(scores.T, torch.arange(6))
    assert swapped == (backward, forward)


def test_sentence_scores_are_cosines() -> None:
    text, image = _batch()
    scores = sentence_scores(text.sentence, image.pooled)
    assert scores[1, 2].item() == pytest.approx(F.cosine_similarity(image.pooled[1], text.sentence[2], dim=0).item())
    torch.testing.assert_close(sentence_scores(3 * text.sentence, 0.5 * image.pooled), scores)


def _four_losses(text: TextFeatures, image: ImageFeatures) -> list[Tensor]:
    ids = torch.arange(len(text.sentence))
    words = word_scores(text.words, text.mask, image.regions)
    return [*matching_losses(words, ids), *matching_losses(sentence_scores(text.sentence, image.pooled), ids)]


def test_damsm_losses_pass_gradients_to_all_features() -> None:
    text, image = _batch()
    tensors = (text.words, text.sentence, image.regions, image.pooled)
    for tensor in tensors:
        tensor.requires_grad_()
    torch.stack(_four_losses(text, image)).sum().backward()
    for tensor in tensors:
        assert tensor.grad is not None and tensor.grad.isfinite().all() and tensor.grad.abs().sum() > 0
    assert text.words.grad is not None and text.words.grad[~text.mask].abs().max() == 0


def test_damsm_losses_of_one_pair_are_zero_and_finite() -> None:
    text, image = _batch(batch=1)
    for term in _four_losses(text, image):
        assert term.item() == 0


def test_damsm_losses_stay_finite_for_zero_features() -> None:
    text, image = _batch()
    words = torch.zeros_like(text.words, requires_grad=True)
    regions = torch.zeros_like(image.regions, requires_grad=True)
    word_scores(words, text.mask, regions).sum().backward()
    assert words.grad is not None and words.grad.isfinite().all()
    assert regions.grad is not None and regions.grad.isfinite().all()


def test_damsm_losses_work_in_bfloat16() -> None:
    text, image = _batch()
    rounded = ImageFeatures(regions=image.regions.bfloat16(), pooled=image.pooled.bfloat16())
    halves = _four_losses(text.to("cpu", torch.bfloat16), rounded)
    for half, full in zip(halves, _four_losses(text, image), strict=True):
        assert half.dtype == torch.float32
        # inputs rounded to 8 bits, logits scaled by γ₂γ₃ = 50
        assert half.item() == pytest.approx(full.item(), rel=0.1)
