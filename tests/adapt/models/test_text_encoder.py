from pathlib import Path

import pytest
import torch

from adapt.models.interfaces import TextEncoder
from adapt.models.text_encoder import LSTMTextEncoder, LSTMTextEncoderConfig
from adapt.models.tokenizer import BytePairTokenizer
from adapt.weights import WeightsError

CAPTIONS = ["a small red bird with a black beak", "a red bird sits on a branch", "a blue bird"] * 5


@pytest.fixture(scope="module")
def tokenizer() -> BytePairTokenizer:
    return BytePairTokenizer.train(CAPTIONS, vocabulary=300)


@pytest.fixture
def encoder(tokenizer: BytePairTokenizer) -> LSTMTextEncoder:
    torch.manual_seed(0)
    return LSTMTextEncoder(tokenizer)


def test_lstm_has_the_sizes_of_attngan(encoder: LSTMTextEncoder) -> None:
    features = encoder.encode(["a small red bird", "", "🐦 赤い鳥", "bird " * 10_000])
    assert isinstance(encoder, TextEncoder)
    assert features.words.shape == (4, 32, 256)
    assert features.sentence.shape == (4, 256)
    assert features.mask.sum(1).min() >= 1 and features.mask[3].all()
    assert not features.words.requires_grad


def test_lstm_ignores_padding(encoder: LSTMTextEncoder) -> None:
    alone = encoder.encode(["a red bird"])
    together = encoder.encode(["a red bird", "a small red bird with a black beak"])
    length = alone.words.shape[1]
    torch.testing.assert_close(together.words[:1, :length], alone.words)
    torch.testing.assert_close(together.sentence[:1], alone.sentence)
    assert together.words[0, length:].abs().max() == 0


def test_lstm_drops_out_in_training_only(encoder: LSTMTextEncoder) -> None:
    encoder.train()
    ids, lengths = encoder.tokens(["a red bird"])
    assert not torch.equal(encoder(ids, lengths).sentence, encoder(ids, lengths).sentence)
    assert torch.equal(encoder.encode(["a red bird"]).sentence, encoder.encode(["a red bird"]).sentence)
    assert encoder.training


def test_lstm_gives_every_parameter_a_gradient(encoder: LSTMTextEncoder) -> None:
    features = encoder(*encoder.tokens(CAPTIONS))
    (features.words.square().sum() + features.sentence.sum()).backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in encoder.parameters())


def test_lstm_survives_save_and_load(encoder: LSTMTextEncoder, tmp_path: Path) -> None:
    encoder.save(tmp_path)
    loaded = LSTMTextEncoder.load(tmp_path)
    assert torch.equal(loaded.encode(CAPTIONS).words, encoder.encode(CAPTIONS).words)
    names = [f"lstm.{kind}_{part}_l0" for kind in ("weight", "bias") for part in ("ih", "hh")]
    assert set(loaded.state_dict()) == {"embedding.weight", *names, *(f"{name}_reverse" for name in names)}


def test_lstm_refuses_a_folder_without_an_encoder(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="holds no trained lstm text encoder"):
        LSTMTextEncoder.load(tmp_path)


def test_lstm_refuses_weights_that_do_not_fit(encoder: LSTMTextEncoder, tmp_path: Path) -> None:
    encoder.save(tmp_path)
    (tmp_path / "text_encoder.json").write_text('{"hidden_dim": 64}')
    with pytest.raises(WeightsError, match="holds no trained lstm text encoder"):
        LSTMTextEncoder.load(tmp_path)


def test_lstm_config_refuses_impossible_values() -> None:
    with pytest.raises(ValueError, match="dropout_prob"):
        LSTMTextEncoderConfig(dropout_prob=1.0)
