"""Feature spaces of the distribution-sensitive losses: unit length, centring, gradients, what is refused."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torchvision.models import inception_v3

from adapt.config import LossConfig, NetworkConfig, RunConfig
from adapt.data.pictures import to_pixels
from adapt.errors import ConfigError
from adapt.loss_options import CENTRED_SPACES, FEATURE_SPACES
from adapt.models.damsm import Damsm, heads_for
from adapt.models.encoders import image_encoder, text_encoder
from adapt.training.assembly import check_comparison, comparison_features
from adapt.training.features import ComparisonFeatures, check_available
from catalog.records import Caption, ManifestEntry

CLIP = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "patch_size": 8, "head_width": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
}


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Weights files of the two networks that ship in no package, random in the published layouts."""
    from open_clip.model import CLIP as Model  # noqa: N811

    folder = tmp_path_factory.mktemp("weights")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        torch.save(inception_v3(weights=None, init_weights=False).state_dict(), folder / "inception.pth")
        (folder / "clip").mkdir()
        save_file(Model(**CLIP).state_dict(), folder / "clip" / "open_clip_model.safetensors")
    config = {"model_cfg": CLIP, "preprocess_cfg": {}}
    (folder / "clip" / "open_clip_config.json").write_text(json.dumps(config))
    return {"inception_v3": str(folder / "inception.pth"), "open_clip": str(folder / "clip")}


@pytest.fixture(scope="module")
def damsm() -> Damsm:
    """Untrained heads over the packaged encoders."""
    torch.manual_seed(0)
    text, image = text_encoder(), image_encoder(input_px=32)
    return Damsm(text, image, heads_for(text, image, feature_dim=16))


def pictures(count: int, side_px: int = 40) -> Tensor:
    return torch.rand(count, 3, side_px, side_px, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.mark.parametrize("name", FEATURE_SPACES)
@pytest.mark.parametrize("centred", [True, False])
def test_every_space_gives_unit_features_with_gradients(
    name: str, centred: bool, paths: dict[str, str], damsm: Damsm
) -> None:
    given = {key: path for key, path in paths.items() if key == name}
    features = ComparisonFeatures([name], feature_px=75, centred=[name] if centred else [], paths=given, damsm=damsm)
    features.centre_on(pictures(8))
    images = pictures(3).requires_grad_(True)
    found = features(images)
    assert torch.allclose(found.norm(dim=1), torch.ones(3), atol=1e-5)
    (found @ found.T)[0, 1].backward()
    assert images.grad is not None and bool(images.grad.isfinite().all()) and images.grad.abs().sum() > 0
    assert not [p for p in features.parameters() if p.requires_grad], "the spaces are frozen"


def test_centring_spreads_the_pictures_it_is_centred_on() -> None:
    images = pictures(16)
    for name in ("efficientnet_lite0", "palette"):
        plain = ComparisonFeatures([name], feature_px=32, centred=[])
        centred = ComparisonFeatures([name], feature_px=32, centred=[name])
        for features in (plain, centred):
            features.centre_on(images)
        assert float((plain(images) @ plain(images).T).mean()) > 0.5
        assert abs(float((centred(images) @ centred(images).T).mean())) < 0.1


def test_centring_is_off_until_real_pictures_were_seen() -> None:
    images = pictures(2)
    fresh = ComparisonFeatures(["palette"], feature_px=32)
    assert torch.equal(fresh(images), ComparisonFeatures(["palette"], feature_px=32, centred=[])(images))


def test_dot_product_is_the_mean_cosine_over_the_spaces(damsm: Damsm) -> None:
    images, names = pictures(2), ["palette", "efficientnet_lite0", "damsm"]
    joint = ComparisonFeatures(names, feature_px=32, centred=[], damsm=damsm)(images)
    alone = [ComparisonFeatures([name], feature_px=32, centred=[], damsm=damsm)(images) for name in names]
    expected = sum(float(found[0] @ found[1]) for found in alone) / 3
    assert float(joint[0] @ joint[1]) == pytest.approx(expected, abs=1e-5)


def test_code_that_the_caller_has_is_used_and_centred(damsm: Damsm) -> None:
    images = pictures(3)
    features = ComparisonFeatures(["damsm"], feature_px=32, centred=["damsm"], damsm=damsm)
    features.centre_on(pictures(8))
    assert torch.allclose(features(images, damsm(images).pooled), features(images), atol=1e-6)


def test_config_decides_spaces_side_and_centring() -> None:
    loss = LossConfig(features=("palette", "efficientnet_lite0"), feature_px=32, centred=("palette",))
    network = NetworkConfig(name="ssa_gan")
    config = RunConfig(model=network, discriminator=network, loss=loss)
    features = comparison_features(config, to_pixels(pictures(4)), 32)
    assert features is not None and features.centred == ("palette",)
    assert features.get_buffer("palette_mean").abs().sum() > 0
    assert features.networks["efficientnet_lite0"].input_px == 32
    off = LossConfig(fake_to_fake_weight=0.0, fake_to_real_weight=0.0)
    assert (
        comparison_features(RunConfig(model=network, discriminator=network, loss=off), to_pixels(pictures(4)), 32)
        is None
    )


def test_damsm_is_compared_as_published_unless_told_otherwise() -> None:
    assert "damsm" not in CENTRED_SPACES and set(CENTRED_SPACES) | {"damsm"} == set(FEATURE_SPACES)


@pytest.mark.parametrize("name", ["inception_v3", "open_clip"])
def test_missing_weights_are_one_line_that_says_how_to_give_them(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADAPT_CACHE", str(tmp_path))
    monkeypatch.delenv("ADAPT_ALLOW_DOWNLOAD", raising=False)
    message = rf"^loss.features names '{name}': no weights .* four ways .*--set loss.feature_paths.{name}=FILE$"
    for attempt in (
        lambda: ComparisonFeatures([name], feature_px=75),
        lambda: check_available([name, "palette"], {}),
    ):
        with pytest.raises(ConfigError, match=message) as error:
            attempt()
        assert "\n" not in str(error.value)
    with pytest.raises(ConfigError, match=rf"'{name}': no weights for .* give an existing file"):
        check_available([name], {name: str(tmp_path / "nothing")})


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "other.safetensors")
    other = {"inception_v3": str(tmp_path / "other.safetensors")}
    check_available(["inception_v3"], other)  # it is there; what it holds is read when it is built
    with pytest.raises(ConfigError, match=r"names 'inception_v3': .* does not hold torchvision's inception_v3"):
        ComparisonFeatures(["inception_v3"], feature_px=75, paths=other)


def test_run_that_cannot_compare_is_refused_before_it_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPT_CACHE", str(tmp_path))
    monkeypatch.delenv("ADAPT_ALLOW_DOWNLOAD", raising=False)
    entries = [
        ManifestEntry(Path("x.png"), str(i), f"s/{i}", i, "tile", "train", (Caption(None, "a", "en", "t", {}),), str(i))
        for i in range(3)
    ]
    with pytest.raises(ConfigError, match=r"loss.mask names 'class', but all 3 pictures are of one class"):
        check_comparison(LossConfig(mask=("class",)), entries)
    without = LossConfig(features=("inception_v3",), feature_px=75)
    with pytest.raises(ConfigError, match=r"loss.features names 'inception_v3': no weights"):
        check_comparison(without, entries)
    check_comparison(replace(without, fake_to_fake_weight=0.0, fake_to_real_weight=0.0), entries)
    check_comparison(LossConfig(mask=("image", "product")), entries)


def test_judge_and_unknown_spaces_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"'efficientnet_lite1', which judges finished runs"):
        ComparisonFeatures(["efficientnet_lite1"], feature_px=32)
    with pytest.raises(ConfigError, match=r"'vgg' is unknown; choose from efficientnet_lite0"):
        ComparisonFeatures(["vgg"], feature_px=32)
