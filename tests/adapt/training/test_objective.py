"""How the branches of a step are drawn and judged, whatever the losses weigh."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from text_features import sentence_features
from torch import Tensor, nn

from adapt.config import LossConfig, NetworkConfig, RunConfig, from_dict, read_preset
from adapt.data.batches import Batch, ExtraFakes
from adapt.models.factory import build_discriminator, build_generator
from adapt.models.interfaces import Drawing, Judgement
from adapt.training.adversary import pyramid
from adapt.training.assembly import text_cache_file
from adapt.training.diffaugment import Augmentation
from adapt.training.objective import Objective

OFF = {"fake_to_fake_weight": 0.0, "fake_to_real_weight": 0.0}


def objective(**loss: object) -> Objective:
    return Objective(loss=LossConfig(**loss), augmentation=Augmentation(()), features=None, bf16=False)  # type: ignore[arg-type]


@pytest.fixture
def batch() -> Batch:
    torch.manual_seed(0)
    return Batch(
        images=torch.rand(3, 3, 32, 32) * 2 - 1,
        texts=sentence_features(6),
        mismatched=torch.randn(3, 384),
        ids=torch.arange(3),
    )


@pytest.fixture
def generator() -> nn.Module:
    options = {"image_px": 32, "widths": [8, 8, 8, 8], "noise_dim": 8, "gate_init": 1.0}
    return build_generator(NetworkConfig(name="ssa_gan", options=options))


class Watched(nn.Module):
    """A discriminator that notes what it was shown."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner, self.seen = inner, []

    def forward(self, stages: tuple[Tensor, ...], sentences: Tensor) -> Judgement:
        self.seen.append((stages, sentences))
        judgement: Judgement = self.inner(stages, sentences)
        return judgement


@pytest.fixture
def judge() -> Watched:
    return Watched(build_discriminator(NetworkConfig(name="ssa_gan", options={"image_px": 32, "width": 4})))


def test_two_captions_without_a_loss_are_drawn_and_judged(generator: nn.Module, judge: Watched, batch: Batch) -> None:
    control = objective(**OFF, branches=2)
    drawing = control.draw(generator, batch, torch.randn(3, 8))
    assert drawing.images.shape == (6, 3, 32, 32)
    terms = control.generator_terms(drawing, judge, batch, torch.Generator())
    assert set(terms) == {"g_adversarial"}
    ((stages, sentences),) = judge.seen
    assert len(stages[-1]) == 6 and torch.equal(sentences[:, 0], batch.texts.sentence)
    assert objective(**OFF).branches == 1 and objective().branches == 2


def test_pair_of_noises_draws_one_caption_twice(generator: nn.Module, batch: Batch) -> None:
    noises = objective(pair="noises")
    assert noises.noises == 2 and objective().noises == 1
    noise = torch.randn(6, 8)
    drawing = noises.draw(generator.eval(), batch, noise)
    assert torch.equal(noises.texts(batch).sentence, batch.first.sentence.repeat(2, 1))
    wanted = [generator(part, batch.first).images for part in noise.split(3)]
    assert torch.allclose(drawing.images, torch.cat(wanted), atol=1e-5)


def test_separate_passes_differ_from_a_joint_one_by_batch_statistics_alone(
    generator: nn.Module, judge: Watched, batch: Batch
) -> None:
    noise = torch.randn(3, 8)
    apart = objective(batch_norm="separate")
    drawn = {kind: objective(batch_norm=kind).draw(generator, batch, noise).images for kind in ("joint", "separate")}
    assert not torch.allclose(drawn["joint"], drawn["separate"], atol=1e-3)
    branches = [generator(noise, batch.texts.rows(part)).images for part in (slice(0, 3), slice(3, 6))]
    assert torch.allclose(drawn["separate"], torch.cat(branches), atol=1e-5)
    generator.eval()
    together = [objective(batch_norm=kind).draw(generator, batch, noise) for kind in ("joint", "separate")]
    assert torch.allclose(together[0].images, together[1].images, atol=1e-5)
    apart.generator_terms(together[1], judge, batch, torch.Generator())
    assert [len(sentences) for _, sentences in judge.seen] == [3, 3]


def test_judge_sees_real_pictures_at_the_side_of_every_stage(judge: Watched, batch: Batch) -> None:
    fakes = [torch.zeros(3, 3, side, side) for side in (8, 32)]
    objective(penalty_weight=1.0).discriminator_terms(judge, batch, fakes, torch.Generator())
    (real, texts), (fake, _) = judge.seen
    assert [stage.shape[-1] for stage in real] == [stage.shape[-1] for stage in fake] == [8, 32]
    assert texts.shape == (3, 2, 384)
    assert torch.allclose(real[0], batch.images.unflatten(2, (8, 4)).unflatten(4, (8, 4)).mean((3, 5)), atol=1e-6)
    assert not batch.images.requires_grad, "the penalty marks its own copy"


def test_penalty_in_bfloat16_has_the_gradients_of_float32(batch: Batch) -> None:
    torch.manual_seed(0)
    judge = build_discriminator(NetworkConfig(name="ssa_gan", options={"image_px": 32, "width": 16}))
    for down in judge.downs:  # type: ignore[union-attr]
        nn.init.constant_(down.gate, 0.5)  # type: ignore[union-attr, arg-type]
    gradients = {}
    for bf16 in (False, True):
        step = replace(objective(**OFF, penalty_weight=2.0, mismatch_weight=0.0), bf16=bf16)
        terms = step.discriminator_terms(judge, batch, [torch.zeros(3, 3, 32, 32)], torch.Generator())
        judge.zero_grad()
        terms["d_penalty"].backward()
        gradients[bf16] = torch.cat([p.grad.flatten() for p in judge.parameters() if p.grad is not None])
    difference = (gradients[True] - gradients[False]).norm() / gradients[False].norm()
    assert gradients[True].isfinite().all()
    assert 0 < difference < 0.03, "eight bits of mantissa: adapt/README.md has what was measured"


def test_step_takes_one_pass_of_the_generator_and_three_of_the_judge(
    generator: nn.Module, judge: Watched, batch: Batch
) -> None:
    passes: list[int] = []
    generator.register_forward_hook(lambda module, inputs, output: passes.append(len(inputs[0])))
    step = objective(fake_to_real_weight=0.0, penalty_weight=2.0)
    drawing = step.draw(generator, batch, torch.randn(3, 8))
    step.discriminator_terms(judge, batch, [stage[:3] for stage in drawing.stages], torch.Generator())
    step.generator_terms(drawing, judge, batch, torch.Generator())
    assert passes == [6] and [len(sentences) for _, sentences in judge.seen] == [3, 3, 6]


def test_pyramid_leaves_the_full_side_alone() -> None:
    images = torch.rand(2, 3, 16, 16)
    small, full = pyramid(images, [4, 16])
    assert full is images and torch.allclose(small.mean(), images.mean())


def test_terms_of_the_generator_carry_their_configured_weight(judge: Watched, batch: Batch) -> None:
    own = objective(**OFF, kl_weight=0.25)
    drawing = Drawing(stages=(torch.zeros(3, 3, 32, 32),), terms={"g_conditioning": torch.tensor(2.0)})
    assert own.generator_terms(drawing, judge, batch, torch.Generator())["g_conditioning"] == 2.0
    assert own.generator_weights()["g_conditioning"] == 0.25


def test_what_a_batch_of_one_skips_is_named() -> None:
    assert objective().skipped(2) == ""
    assert "loss.fake_to_fake_weight" in objective().skipped(1)
    assert objective(**OFF, mismatch_weight=0.0).skipped(1) == ""


def test_text_features_with_and_without_words_have_files_of_their_own(tmp_path: Path) -> None:
    config = from_dict(RunConfig, read_preset("pretrain", "debug"))
    files = {text_cache_file(config, tmp_path, words=words) for words in (True, False)}
    assert len(files) == 2


def test_discriminator_goes_without_mismatches_where_a_batch_has_none(
    batch: Batch, generator: nn.Module, judge: Watched
) -> None:
    terms = objective(**OFF)
    drawn = terms.draw(generator, batch, torch.randn(3, 8))
    found = terms.discriminator_terms(judge, replace(batch, mismatched=None), drawn.stages, torch.Generator())
    assert set(found) == {"d_real", "d_fake"} and all(sentences.shape[1] == 1 for _, sentences in judge.seen)
    assert terms.discriminator_weights(found) == {"d_real": 1.0, "d_fake": 1.0, "d_penalty": 1.0}


def test_extra_fakes_are_judged_as_generated_pictures_of_their_own_prompts(judge: Watched, batch: Batch) -> None:
    images, places = torch.rand(1, 3, 32, 32) * 2 - 1, torch.arange(1)
    extra = ExtraFakes(images=images, sentences=torch.randn(1, 384), beside=places, places=places, whole=1)
    fakes = [torch.zeros(3, 3, 32, 32)]
    shown = objective(mismatch_weight=0.5)
    plain = shown.discriminator_terms(judge, batch, fakes, torch.Generator())
    assert len(judge.seen) == 2 and "d_rejected" not in plain
    judge.seen.clear()
    terms = shown.discriminator_terms(judge, replace(batch, extra_fakes=extra), fakes, torch.Generator())
    (stage,), sentences = judge.seen[2]
    assert torch.equal(stage, images) and torch.equal(sentences[:, 0], extra.sentences)
    on_extra = judge.inner((images,), extra.sentences[:, None])
    assert torch.isclose(terms["d_rejected"], (1 + on_extra.matching[0]).relu().mean())
    weights = replace(shown, rejected_share=0.25).discriminator_weights(terms)
    assert (weights["d_fake"], weights["d_rejected"], weights["d_mismatch"]) == pytest.approx((0.375, 0.125, 0.5))
    assert shown.discriminator_weights(plain) == replace(shown, rejected_share=0.0).discriminator_weights(plain)


def test_extra_fakes_meet_the_heads_that_ignore_the_text(batch: Batch) -> None:
    judge = build_discriminator(NetworkConfig(name="attn_gan", options={"image_px": 32, "width": 2}))
    images, places = torch.rand(2, 3, 32, 32) * 2 - 1, torch.arange(2)
    extra = ExtraFakes(images=images, sentences=torch.randn(2, 384), beside=places, places=places, whole=2)
    fakes = [torch.zeros(3, 3, side, side) for side in (8, 16, 32)]
    both = {"d_rejected", "d_rejected_unconditional"}
    terms = objective().discriminator_terms(judge, replace(batch, extra_fakes=extra), fakes, torch.Generator())
    assert both <= set(terms)
    other = replace(extra, beside=places + 3)  # they go with another part
    part = replace(batch, extra_fakes=other).part(torch.arange(3))
    none = objective().discriminator_terms(judge, part, fakes, torch.Generator())
    assert set(none) == set(terms) and all(float(none[name]) == 0 for name in both)
