"""AttnGAN: sizes, the right caption's padding, one picture, gradients, one batch learned by heart."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from adapt.config import NetworkConfig
from adapt.errors import ConfigError
from adapt.models.attn_discriminator import AttnDiscriminator, AttnDiscriminatorConfig
from adapt.models.attn_gan import AttnGANConfig, AttnGenerator
from adapt.models.conditioning import conditioning_kl, unit_variance
from adapt.models.factory import build_discriminator, build_generator
from adapt.models.interfaces import TextFeatures
from adapt.models.word_attention import WordAttention

SMALL: Mapping[str, Any] = {
    "image_px": 32,
    "width": 8,
    "residual_blocks": 1,
    "latent_dim": 6,
    "condition_dim": 4,
    "sentence_dim": 12,
    "word_dim": 10,
}
KINDS: Mapping[str, Mapping[str, Any]] = {
    "plain": {},
    "adain": {"style_blocks": True, "style_reading": "adain", "style_dim": 8},
    "modulated": {"style_blocks": True, "style_reading": "modulated", "style_dim": 8},
}


def small_generator(kind: str = "plain", **options: Any) -> AttnGenerator:
    torch.manual_seed(0)
    return AttnGenerator(AttnGANConfig(**{**SMALL, **KINDS[kind], **options}))


def small_judge(**options: Any) -> AttnDiscriminator:
    torch.manual_seed(1)
    return AttnDiscriminator(AttnDiscriminatorConfig(**{"image_px": 32, "width": 4, "sentence_dim": 12, **options}))


def texts(lengths: list[int], width: int = 5, seed: int = 2) -> TextFeatures:
    rng = torch.Generator().manual_seed(seed)
    mask = torch.arange(width) < torch.tensor(lengths)[:, None]
    words = torch.randn(len(lengths), width, 10, generator=rng) * mask[..., None]
    return TextFeatures(words=words, sentence=torch.randn(len(lengths), 12, generator=rng), mask=mask)


def noise(count: int, seed: int = 3) -> Tensor:
    return torch.randn(count, 10, generator=torch.Generator().manual_seed(seed))


def parameters(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("width", "judge_width", "residual_blocks", "expected"),
    [(32, 64, 2, (7_084_592, 97_596_678)), (48, 96, 3, (13_811_456, 216_878_982))],
    ids=["cub", "coco"],
)
def test_paper_sizes_have_the_published_numbers_of_parameters(
    width: int, judge_width: int, residual_blocks: int, expected: tuple[int, int]
) -> None:
    generator_options = {"image_px": 256, "width": width, "residual_blocks": residual_blocks, "sentence_dim": 256}
    judge_options = {"image_px": 256, "width": judge_width, "sentence_dim": 256}
    with torch.device("meta"):
        generator = build_generator(NetworkConfig(name="attn_gan", options={**generator_options, "word_dim": 256}))
        judge = build_discriminator(NetworkConfig(name="attn_gan", options=judge_options))
    assert (parameters(generator), parameters(judge)) == expected


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize(("image_px", "stages", "sides"), [(32, 3, [8, 16, 32]), (64, 3, [16, 32, 64]), (16, 1, [16])])
def test_generator_draws_every_stage_in_range(kind: str, image_px: int, stages: int, sides: list[int]) -> None:
    drawing = small_generator(kind, image_px=image_px, stages=stages)(noise(3), texts([5, 2, 1]))
    assert [tuple(images.shape) for images in drawing.stages] == [(3, 3, side, side) for side in sides]
    assert all(images.detach().abs().max() <= 1 for images in drawing.stages)
    assert drawing.terms["g_conditioning"].shape == () and drawing.terms["g_conditioning"].detach() > 0


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_one_picture_trains_alone(kind: str) -> None:
    generator, judge = small_generator(kind).train(), small_judge(style_blocks=kind != "plain").train()
    verdict = judge(generator(noise(1), texts([3])).stages, torch.randn(1, 1, 12))
    sum(logits.sum() for logits in (*verdict.matching, *verdict.realism)).backward()
    gradients = [p.grad for p in generator.parameters() if p.grad is not None]
    assert gradients and all(torch.isfinite(gradient).all() for gradient in gradients)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_generator_gives_every_parameter_a_gradient(kind: str) -> None:
    generator, text = small_generator(kind), texts([5, 2, 1, 4])
    target = [torch.rand(4, 3, side, side, generator=torch.Generator().manual_seed(side)) for side in (8, 16, 32)]
    drawing = generator(noise(4), text)
    loss = sum(((a - b) ** 2).mean() for a, b in zip(drawing.stages, target, strict=True))
    (loss + drawing.terms["g_conditioning"]).backward()
    silent = [name for name, p in generator.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    assert not silent


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_same_noise_and_text_give_the_same_picture_in_any_batch(kind: str) -> None:
    generator, z, text = small_generator(kind).eval(), noise(3), texts([4, 2, 3])
    for name, parameter in generator.named_parameters():
        if name.endswith("noise_strength"):
            torch.nn.init.ones_(parameter)
    with torch.no_grad():
        together = generator(z, text).images
        assert torch.equal(generator(z, text).images, together)
        alone = generator(z[1:2], TextFeatures(words=text.words[1:2], sentence=text.sentence[1:2], mask=text.mask[1:2]))
    assert torch.allclose(alone.images, together[1:2], atol=1e-5)


def test_padding_and_other_captions_do_not_change_a_picture() -> None:
    generator, z, text = small_generator().eval(), noise(2), texts([2, 5])
    garbage = torch.full((2, 7, 10), 9.0)
    longer = TextFeatures(
        words=torch.cat([text.words, garbage], dim=1),
        sentence=text.sentence,
        mask=torch.cat([text.mask, torch.zeros(2, 7, dtype=torch.bool)], dim=1),
    )
    other = texts([5, 1], seed=9)
    mixed = TextFeatures(
        words=torch.stack([text.words[0], other.words[1]]),
        sentence=torch.stack([text.sentence[0], other.sentence[1]]),
        mask=torch.stack([text.mask[0], other.mask[1]]),
    )
    with torch.no_grad():
        expected = generator(z, text).images
        assert torch.allclose(generator(z, longer).images, expected, atol=1e-5)
        assert torch.allclose(generator(z, mixed).images[0], expected[0], atol=1e-5)
        assert not torch.allclose(generator(z, mixed).images[1], expected[1], atol=1e-3)


def attended(features: Tensor, keys: Tensor, mask_rows: Tensor) -> Tensor:
    """Slow reference: one softmax for each row of places, batch-major; `mask_rows` has the padding of each row."""
    batch, channels, height, width = features.shape
    rows = features.flatten(2).transpose(1, 2).reshape(-1, channels)  # (B·H·W, C)
    contexts = []
    for index, row in enumerate(rows):
        own = keys[index // (height * width)]
        scores = (own @ row).masked_fill(~mask_rows[index], -torch.inf)
        contexts.append(scores.softmax(dim=0) @ own)
    return torch.stack(contexts).view(batch, height * width, channels).transpose(1, 2).view_as(features)


def test_word_attention_matches_the_reference_and_not_the_published_mask_order() -> None:
    torch.manual_seed(0)
    attention, text = WordAttention(10, 4), texts([2, 5])
    features = torch.randn(2, 4, 3, 3)
    keys = attention.project(text.words)
    ours = attention(features, text.words, text.mask)
    assert torch.allclose(ours, attended(features, keys, text.mask.repeat_interleave(9, dim=0)), atol=1e-5)
    published = attended(features, keys, text.mask.repeat(9, 1))  # every second row gets the other caption's padding
    assert not torch.allclose(ours, published, atol=1e-2)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_captions_without_words_and_of_many_draw_finite_pictures(kind: str) -> None:
    generator = small_generator(kind).eval()
    with torch.no_grad():
        assert torch.isfinite(generator(noise(2), texts([0, 32], width=32)).images).all()
        nothing = TextFeatures(
            words=torch.zeros(2, 0, 10), sentence=torch.zeros(2, 12), mask=torch.zeros(2, 0, dtype=torch.bool)
        )
        assert torch.isfinite(generator(noise(2), nothing).images).all()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_bf16_draws_nearly_the_same(kind: str) -> None:
    generator, z, text = small_generator(kind).eval(), noise(2), texts([3, 5])
    with torch.no_grad():
        exact = generator(z, text).images
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rounded = generator(z, text)
            verdict = small_judge().eval()(rounded.stages, text.sentence[:, None])
    assert (rounded.images.float() - exact).abs().mean() < 0.05  # 8 bits of mantissa through a dozen layers
    assert all(torch.isfinite(logits).all() for logits in (*verdict.matching, *verdict.realism))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_generator_learns_one_batch_by_heart(kind: str) -> None:
    generator, z, text = small_generator(kind, width=16), noise(4), texts([5, 2, 1, 4])
    wanted = torch.tensor([-0.8, -0.2, 0.3, 0.9]).view(4, 1, 1, 1)
    rate = 2e-3 if kind == "plain" else 1e-2  # an equalised layer learns less from the same rate
    optimizer = torch.optim.Adam(generator.parameters(), lr=rate, betas=(0.5, 0.999))
    for _ in range(80):
        optimizer.zero_grad()
        loss = torch.stack([(images - wanted).square().mean() for images in generator(z, text).stages]).mean()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.03


@pytest.mark.parametrize("style_blocks", [False, True])
def test_discriminators_tell_one_batch_of_photos_from_another(style_blocks: bool) -> None:
    judge, rng = small_judge(style_blocks=style_blocks), torch.Generator().manual_seed(4)
    real, fake = (
        [F.interpolate(torch.rand(4, 3, 32, 32, generator=rng) * 2 - 1, size=px, mode="area") for px in (8, 16, 32)]
        for _ in range(2)
    )
    sentence = torch.randn(4, 1, 12, generator=rng)
    both = torch.cat([sentence, sentence.roll(1, dims=0)], dim=1)  # own and foreign
    optimizer = torch.optim.Adam(judge.parameters(), lr=1e-2 if style_blocks else 2e-3, betas=(0.5, 0.999))
    for _ in range(80 if style_blocks else 30):
        optimizer.zero_grad()
        on_real, on_fake = judge(tuple(real), both), judge(tuple(fake), sentence)
        good = [head[:, :1] for head in on_real.matching] + list(on_real.realism)
        bad = [head[:, 1:] for head in on_real.matching] + list(on_fake.matching) + list(on_fake.realism)
        loss = sum(F.softplus(-x).mean() for x in good) + sum(F.softplus(x).mean() for x in bad)
        loss.backward()
        optimizer.step()
    assert all(float(x.detach().min()) > 0 for x in good) and all(float(x.detach().max()) < 0 for x in bad)
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in judge.parameters())


@pytest.mark.parametrize("style_blocks", [False, True])
def test_discriminator_judges_each_sentence_by_itself_even_in_training(style_blocks: bool) -> None:
    judge, sentences = (
        small_judge(style_blocks=style_blocks).train(),
        torch.randn(3, 2, 12, generator=torch.Generator().manual_seed(5)),
    )
    stages = tuple(torch.randn(3, 3, px, px, generator=torch.Generator().manual_seed(px)) for px in (8, 16, 32))
    together, alone = judge(stages, sentences), judge(stages, sentences[:, 1:])
    assert len(together.matching) == len(together.realism) == 3
    for both, single, realism in zip(together.matching, alone.matching, together.realism, strict=True):
        assert both.shape == (3, 2, 1) and realism.shape == (3, 1)
        assert torch.allclose(both[:, 1:], single, atol=1e-5)


def test_discriminator_refuses_stages_it_was_not_built_for() -> None:
    with pytest.raises(ConfigError, match=r"judges pictures of 8, 16, 32 px, the generator draws 32 px: .*stages=1"):
        small_judge()((torch.zeros(1, 3, 32, 32),), torch.zeros(1, 1, 12))


def test_bad_sizes_are_named() -> None:
    for options, message in (
        ({"image_px": 48}, r"model.image_px=48; it is a power of two ≥ 8: --set model.image_px=64"),
        ({"image_px": 16}, r"model.stages=3; 16 px has 1 to 2 stages of 8 px and more: --set model.stages=2"),
        ({"style_reading": "spade"}, r"model.style_reading=spade: allowed are adain, modulated; try --set"),
        ({"width": 0}, r"model.width=0; it is at least 1"),
    ):
        with pytest.raises(ConfigError, match=message):
            build_generator(NetworkConfig(name="attn_gan", options=options))
    with pytest.raises(ConfigError, match=r"discriminator.stages=9; 64 px has 1 to 4 stages"):
        build_discriminator(NetworkConfig(name="attn_gan", options={"stages": 9}))


def test_conditioning_divergence_has_its_closed_form() -> None:
    zero = torch.zeros(2, 3)
    assert conditioning_kl(zero, zero) == 0
    assert torch.isclose(conditioning_kl(zero + 2, zero), torch.tensor(2.0))  # ½ μ²
    assert torch.isclose(conditioning_kl(zero, zero + 1), torch.tensor((torch.e - 2) / 2))  # ½ (e − 1 − 1)
    mean, log_variance = torch.randn(4, 5), torch.randn(4, 5)
    theirs = torch.distributions.kl_divergence(
        torch.distributions.Normal(mean, (0.5 * log_variance).exp()), torch.distributions.Normal(0.0, 1.0)
    )
    assert torch.allclose(conditioning_kl(mean, log_variance), theirs.mean(), atol=1e-6)


def test_sentences_of_any_length_become_alike() -> None:
    sentence = torch.randn(2, 3, 12)
    assert torch.allclose(unit_variance(sentence * 0.01), unit_variance(sentence), atol=1e-5)
    assert torch.allclose(unit_variance(sentence).square().mean(dim=-1), torch.ones(2, 3), atol=1e-5)
    assert not unit_variance(torch.zeros(1, 12)).any()


def test_the_last_numbers_of_the_noise_move_the_text_alone() -> None:
    generator, z, text = small_generator().eval(), noise(1), texts([3])
    moved = z.clone()
    moved[:, -4:] += 1
    with torch.no_grad():
        code, _ = generator.conditioning(unit_variance(text.sentence), z[:, -4:])
        other, _ = generator.conditioning(unit_variance(text.sentence), moved[:, -4:])
        assert not torch.equal(code, other)
        assert not torch.equal(generator(z, text).images, generator(moved, text).images)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_state_dict_key_names_are_fixed(kind: str) -> None:
    keys = set(small_generator(kind).state_dict())
    common = {"conditioning.linear.weight", "attentions.0.project.weight", "heads.2.weight"}
    plain = {
        "trunk.stem.linear.weight",
        "trunk.stem.norm.running_mean",
        "trunk.stem.ups.0.1.weight",
        "trunk.refinements.0.0.residual.0.weight",
        "trunk.refinements.1.1.2.weight",
    }
    styled = {
        "trunk.constant",
        "trunk.styles.mapping.14.weight",
        "trunk.stem.layers.3.conv.weight",
        "trunk.stem.layers.3.noise_strength",
        "trunk.residuals.0.0.residual.0.weight",
        "trunk.refinements.1.layers.1.style.bias",
    }
    assert keys >= common | (plain if kind == "plain" else styled)
    assert len(keys) == (55 if kind == "plain" else 88)


def test_discriminator_key_names_are_fixed() -> None:
    keys = set(small_judge().state_dict())
    assert keys >= {"stages.0.trunk.0.weight", "stages.2.joint.0.weight", "stages.1.matching.bias"}
    assert keys >= {"stages.1.realism.weight", "stages.2.trunk.3.1.running_var"}
    styled = set(small_judge(style_blocks=True).state_dict())
    assert styled >= {"stages.2.trunk.6.conv.weight", "stages.0.joint.bias", "stages.1.matching.1.weight"}
