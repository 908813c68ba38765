from pathlib import Path

import pytest

from adapt.errors import AdaptError
from adapt.models import encoders
from adapt.models.interfaces import ImageEncoder, TextEncoder


def test_text_encoder_builds_the_default_from_its_package() -> None:
    encoder = encoders.text_encoder()
    assert isinstance(encoder, TextEncoder)
    assert encoder.sentence_dim == 384


def test_image_encoder_builds_by_name_with_options() -> None:
    encoder = encoders.image_encoder("efficientnet-lite1", input_px=64)
    assert isinstance(encoder, ImageEncoder)
    assert encoder.name == "efficientnet_lite1"


def test_encoders_answer_an_unknown_name_with_a_near_one() -> None:
    with pytest.raises(AdaptError, match="try transformers"):
        encoders.text_encoder("transformer")
    with pytest.raises(AdaptError, match="try efficientnet_lite"):
        encoders.image_encoder("efficientnet_lite")


def test_text_encoder_takes_a_hub_id_as_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPT_CACHE", str(tmp_path))
    with pytest.raises(AdaptError, match="no weights for owner/model found; four ways"):
        encoders.text_encoder("transformers", path="owner/model")
    with pytest.raises(AdaptError, match="no weights for minilm at /absent"):
        encoders.text_encoder("transformers", path="/absent")


def test_lstm_needs_a_folder(tmp_path: Path) -> None:
    with pytest.raises(AdaptError, match="give the folder of a DAMSM pretraining"):
        encoders.text_encoder("lstm")
    with pytest.raises(AdaptError, match="holds no trained lstm"):
        encoders.text_encoder("lstm", path=tmp_path)
