"""Text and image encoders by name, as presets and flags choose them. Each is imported only when it is built."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapt.models.interfaces import ImageEncoder, TextEncoder
from adapt.registry import Registry
from adapt.weights import WeightsError

if TYPE_CHECKING:
    from adapt.models.damsm import Damsm

TEXT_ENCODERS: Registry[Callable[..., TextEncoder]] = Registry("text encoder")
IMAGE_ENCODERS: Registry[Callable[..., ImageEncoder]] = Registry("image encoder")


def text_encoder(name: str = "transformers", *, path: Path | str | None = None, **options: Any) -> TextEncoder:
    """Build the text encoder registered as `name`.

    Args:
        name: `transformers`, `lstm`, `damsm` or `open_clip`.
        path: weights folder or file, or a Hugging Face id; None or empty takes the packaged weights.
        options: passed on to the encoder.

    Raises:
        AdaptError: unknown name, or no usable weights.
    """
    return TEXT_ENCODERS.get(name)(path=path or None, **options)


def image_encoder(name: str = "efficientnet_lite0", *, path: Path | str | None = None, **options: Any) -> ImageEncoder:
    """Build the image encoder registered as `name`.

    Args:
        name: `efficientnet_lite0`, `efficientnet_lite1`, `inception_v3`, `damsm` or `open_clip`.
        path: weights folder or file; None or empty takes the packaged weights.
        options: passed on to the encoder.

    Raises:
        AdaptError: unknown name, or no usable weights.
    """
    return IMAGE_ENCODERS.get(name)(path=path or None, **options)


@TEXT_ENCODERS.register("transformers")
def _transformers(*, path: Path | str | None, **options: Any) -> TextEncoder:
    from adapt.models.minilm import TransformersTextEncoder

    return TransformersTextEncoder(**_model_or_path(path), **options)


@TEXT_ENCODERS.register("lstm")
def _lstm(*, path: Path | str | None) -> TextEncoder:
    from adapt.models.text_encoder import LSTMTextEncoder

    if path is None:
        raise WeightsError("the lstm text encoder has no packaged weights; give the folder of a DAMSM pretraining")
    return LSTMTextEncoder.load(path)


@TEXT_ENCODERS.register("open_clip")
def _open_clip_text(*, path: Path | str | None, **options: Any) -> TextEncoder:
    from adapt.models.clip import OpenClipEncoder

    return OpenClipEncoder(**_model_or_path(path), **options)


@TEXT_ENCODERS.register("damsm")
def _damsm_text(*, path: Path | str | None) -> TextEncoder:
    return _damsm(path)


@IMAGE_ENCODERS.register("damsm")
def _damsm_image(*, path: Path | str | None) -> ImageEncoder:
    return _damsm(path)


@IMAGE_ENCODERS.register("open_clip")
def _open_clip_image(*, path: Path | str | None, **options: Any) -> ImageEncoder:
    from adapt.models.clip import OpenClipEncoder

    return OpenClipEncoder(**_model_or_path(path), **options)


@IMAGE_ENCODERS.register("efficientnet_lite0")
def _lite0(*, path: Path | str | None, **options: Any) -> ImageEncoder:
    from adapt.models.image_encoder import EfficientNetLite

    return EfficientNetLite("efficientnet_lite0", path=path, **options)


@IMAGE_ENCODERS.register("efficientnet_lite1")
def _lite1(*, path: Path | str | None, **options: Any) -> ImageEncoder:
    from adapt.models.image_encoder import EfficientNetLite

    return EfficientNetLite("efficientnet_lite1", path=path, **options)


@IMAGE_ENCODERS.register("inception_v3")
def _inception(*, path: Path | str | None, **options: Any) -> ImageEncoder:
    from adapt.models.inception import InceptionV3

    return InceptionV3(path=path, **options)


def _damsm(path: Path | str | None) -> "Damsm":
    from adapt.models.damsm import Damsm

    if path is None:
        raise WeightsError("damsm has no packaged weights; give the folder of a DAMSM pretraining")
    return Damsm.load(path)


def _model_or_path(path: Path | str | None) -> dict[str, Any]:
    """A string may be a Hugging Face id, which only a search through the cache and the hub can tell from a path."""
    if path is None:
        return {}
    is_path = isinstance(path, Path) or Path(path).expanduser().exists() or path.startswith((".", "/", "~"))
    return {"path": path} if is_path else {"model": path}
