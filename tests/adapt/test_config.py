"""Presets load, round-trip and refuse what they do not know."""

import pytest

from adapt.config import RunConfig, apply_settings, from_dict, parse_setting, preset_names, read_preset, to_dict
from adapt.errors import ConfigError
from adapt.fewshot.config import FinetuneConfig
from adapt.models.factory import build_discriminator, build_generator

KINDS = {"pretrain": RunConfig, "finetune": FinetuneConfig}
PRESETS = [(verb, name) for verb in KINDS for name in preset_names(verb)]


@pytest.mark.parametrize(("verb", "name"), PRESETS)
def test_preset_loads_and_round_trips(verb: str, name: str) -> None:
    config = from_dict(KINDS[verb], read_preset(verb, name))
    assert from_dict(KINDS[verb], to_dict(config)) == config


def test_pretrain_presets_build_their_networks() -> None:
    for name in ("debug", "projected_32", "projected_64"):
        config = from_dict(RunConfig, read_preset("pretrain", name))
        generator, judge = build_generator(config.model), build_discriminator(config.discriminator)
        assert generator.config.image_px == judge.config.image_px


def test_every_verb_has_a_debug_preset() -> None:
    assert all("debug" in preset_names(verb) for verb in KINDS)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["train.step=5"], "unknown key 'train.step'.*--set train.steps="),
        (["steps=5"], "unknown key 'steps': allowed are damsm, .*; try --set damsm.steps=… or --set train.steps=…"),
        (["trian.seed=5"], "unknown key 'trian': .*; try --set train.seed=…"),
        (["train.batch_size=5"], "'train.batch_size': .*; try --set damsm.batch_size=… or --set data.batch_size=…"),
        (["nonsense=5"], "unknown key 'nonsense': .*; try --set damsm.FIELD=…"),
        (["train.steps=soon"], "train.steps='soon' is of type str, not int"),
        (["train.steps=0"], "train.steps=0; it is at least 1"),
        (["data.batch_size=-3"], "data.batch_size=-3; it is at least 1"),
        (["train.steps"], "expected section.field=value"),
        (["loss.adversarial=wgan"], "loss.adversarial=wgan; allowed are hinge, bce: --set loss.adversarial=hinge"),
        (["loss.head_reduction=max"], "loss.head_reduction=max; allowed are mean, sum"),
        (["loss.pair=twins"], "loss.pair=twins; allowed are captions, noises"),
        (["loss.batch_norm=none"], "loss.batch_norm=none; allowed are joint, separate"),
        (["loss.branches=3"], "loss.branches=3; allowed are 0, 1, 2"),
        (["loss.branches=1"], "loss.branches=1, but loss.fake_to_fake_weight=0.2 compares two.*loss.branches=2"),
        (
            ["loss.mismatch_weight=1.0"],
            r"loss.mismatch_weight=1.0; it lies in \[0, 1\).*mismatch_weight=0.5",
        ),
        (["loss.kl_weight=-1"], "loss.kl_weight=-1.0; it is at least 0"),
        (
            ["loss.damsm_weight=1", "loss.damsm_word_weight=1", "damsm.word_weight=0"],
            "loss.damsm_word_weight=1.0 needs a DAMSM that learned words.*--set damsm.word_weight=1",
        ),
        (["train.steps.more=1"], "'steps' is a value, not a section"),
        (
            ["train.augment=cutout"],
            r"='cutout' is one value, not a list: --set 'train.augment=\[\"cutout\"\]'",
        ),
    ],
)
def test_bad_setting_is_named(settings: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_dict(RunConfig, apply_settings(read_preset("pretrain", "debug"), settings))


def test_settings_are_read_as_toml_else_as_text() -> None:
    assert parse_setting("a.b=[1, 2]") == (["a", "b"], [1, 2])
    assert parse_setting("text.encoder=open_clip") == (["text", "encoder"], "open_clip")


def test_unknown_preset_lists_the_known() -> None:
    with pytest.raises(
        ConfigError, match=r"there are attn_gan_128, .*debug, debug_attn_gan, paper_64.*; try --preset debug"
    ):
        read_preset("pretrain", "debgu")


def test_digest_names_config_and_data() -> None:
    config = from_dict(RunConfig, read_preset("pretrain", "debug"))
    assert config.digest("cub") == config.digest("cub") != config.digest("coco")
