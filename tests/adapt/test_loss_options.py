"""Fields of the two distribution-sensitive losses: what is refused, and that old runs keep their names."""

import pytest

from adapt.config import LossConfig, RunConfig, apply_settings, from_dict, read_preset, to_dict
from adapt.errors import ConfigError
from adapt.fewshot.config import FinetuneConfig
from adapt.loss_options import HELD_OUT_JUDGE
from adapt.metrics.features import DEFAULT_JUDGE


def config(*settings: str) -> RunConfig:
    return from_dict(RunConfig, apply_settings(read_preset("pretrain", "debug"), settings))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (['loss.features=["resnet"]'], r"=\[\"resnet\"\]: 'resnet' is unknown; choose from .*inception_v3"),
        (['loss.features=["palette", "palette"]'], r"a name stands twice; choose from efficientnet_lite0, palette"),
        (["loss.features=[]"], r"=\[\]: one is needed; .*--set 'loss.features=\[\"efficientnet_lite0\"\]'"),
        (['loss.features=["palette", "efficientnet_lite1"]'],
         r"'efficientnet_lite1', which judges finished runs: .*prove nothing; .*--set 'loss.features=\[\"palette\"\]'"),
        (['loss.features=["efficientnet_lite1"]'], r"--set 'loss.features=\[\"efficientnet_lite0\"\]'"),
        (['loss.features=["inception_v3"]'], r"=64, but inception_v3 .* 75 or more: --set loss.feature_px=75"),
        (['loss.mask=["sku"]'], r"loss.mask=\[\"sku\"\]: 'sku' is unknown; choose from image, product, class"),
        (["loss.mask=product"], r"loss.mask='product' is one value, not a list: --set 'loss.mask=\[\"product\"\]'"),
        (['loss.centred=["lite"]'], r"loss.centred=\[\"lite\"\]: 'lite' is unknown; choose from efficientnet_lite0"),
        (["loss.feature_paths=x"], r"paths='x' is one value, not a table: --set loss.feature_paths.NAME=x"),
        (["loss.feature_paths.palette=x"], r"names 'palette'; weights can be given for efficientnet_lite0"),
        (["loss.feature_paths.open_clip=3"], r"loss.feature_paths.open_clip=3 is no path"),
        (["loss.feature_paths.open_clip=x"], r"'open_clip', which .* does not name: .*\"palette\", \"open_clip\"\]"),
        (["loss.fake_to_fake_temperature=0"], r"fake_to_fake_temperature=0.0; it is above 0: --set .*=0.5"),
        (["loss.fake_to_real_temperature=nan"], r"fake_to_real_temperature=nan; it is above 0"),
        (["loss.fake_to_real_weight=-1"], r"loss.fake_to_real_weight=-1.0; it is 0 or more"),
        (["loss.fake_to_real_directions=3"], r"loss.fake_to_real_directions=3; allowed are 2, 1"),
        (["data.pairs=same_facts", "loss.pair=noises"],
         r"data.pairs=same_facts chooses a second caption, but loss.pair=noises .*--set loss.pair=captions"),
        (["data.pairs=same_facts", "loss.fake_to_fake_weight=0"], r"only the first is drawn .*--set loss.branches=2"),
        (["data.pairs=facts"], r"data.pairs='facts'; allowed are any, same_facts: --set data.pairs=any"),
    ],
)  # fmt: skip
def test_bad_choice_is_one_line_with_what_is_allowed(settings: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        config(*settings)
    assert "\n" not in str(error.value)


def test_good_choices_are_taken_and_round_trip() -> None:
    chosen = config(
        'loss.features=["inception_v3", "open_clip"]', "loss.feature_px=75", "loss.feature_paths.open_clip=x",
        'loss.mask=["image", "product", "class"]', "loss.centred=[]", "loss.fake_to_real_directions=1",
        "data.pairs=same_facts",
    )  # fmt: skip
    assert chosen.loss.mask == ("image", "product", "class") and chosen.loss.feature_paths == {"open_clip": "x"}
    assert from_dict(RunConfig, to_dict(chosen)) == chosen
    assert config("loss.mask=[]").loss.mask == ()


def test_no_feature_space_is_needed_where_both_losses_are_off() -> None:
    assert config("loss.features=[]", "loss.fake_to_fake_weight=0", "loss.fake_to_real_weight=0").loss.features == ()


def test_defaults_are_those_of_the_reconstruction() -> None:
    loss = LossConfig()
    assert (loss.fake_to_fake_weight, loss.fake_to_fake_temperature, loss.fake_to_fake_directions) == (0.2, 0.5, 2)
    assert (loss.fake_to_real_weight, loss.fake_to_real_temperature, loss.fake_to_real_directions) == (0.2, 0.5, 2)
    assert loss.mask == ("product",)


def test_the_refused_judge_is_the_one_that_evaluation_uses() -> None:
    assert HELD_OUT_JUDGE == DEFAULT_JUDGE


def test_contradicting_pairs_are_refused_in_adaptation_too() -> None:
    with pytest.raises(ConfigError, match=r"loss.pair=noises draws one caption twice"):
        from_dict(FinetuneConfig, {"data": {"pairs": "same_facts"}, "loss": {"pair": "noises"}})


def test_paraphrases_go_with_the_control_of_two_captions_and_no_loss() -> None:
    control = config("data.pairs=same_facts", "loss.fake_to_fake_weight=0", "loss.branches=2")
    assert control.data.pairs == "same_facts" and control.loss.drawn_branches == 2


def test_fields_name_other_runs_only_where_they_are_set() -> None:
    settings = ("loss.mask=[]", "loss.centred=[]", "data.pairs=same_facts", "loss.fake_to_real_directions=1")
    assert config().digest("cub") == "ff70c49c", "the name before these fields were there"
    assert len({config().digest(), *(config(setting).digest() for setting in settings)}) == 5
