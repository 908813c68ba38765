import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_encoders import tiny_transformer

from adapt import weights
from adapt.models.interfaces import TextEncoder
from adapt.models.minilm import TransformersTextEncoder
from adapt.weights import WeightsError

ODD_TEXTS = [
    "a small red bird",
    "",
    " \n\t",
    "🐦🔥👍🏽",
    "赤い革の靴、サイズ24cm",
    "word " * 10_000,
    "a\x00b\u202e",
    "x" * 10_000,
    "\ud83d broken",
]


@pytest.fixture(scope="module")
def encoder() -> TransformersTextEncoder:
    return TransformersTextEncoder()


def test_minilm_encodes_any_text(encoder: TransformersTextEncoder) -> None:
    features = encoder.encode(ODD_TEXTS)
    assert isinstance(encoder, TextEncoder)
    assert features.words.shape == (len(ODD_TEXTS), encoder.max_words, encoder.word_dim) == (len(ODD_TEXTS), 32, 384)
    assert features.mask.any(1).all()
    assert features.words.isfinite().all() and features.sentence.isfinite().all()
    torch.testing.assert_close(features.sentence.norm(dim=1), torch.ones(len(ODD_TEXTS)))


def test_minilm_masks_what_is_no_word(encoder: TransformersTextEncoder) -> None:
    features = encoder.encode(["a small red bird", "a bird"])
    assert features.mask.tolist() == [[True] * 4, [True, True, False, False]]
    assert features.words[1, 2:].abs().max() == 0


def test_minilm_gives_one_text_the_same_features_in_any_batch(encoder: TransformersTextEncoder) -> None:
    alone = encoder.encode(["a small red bird"])
    padded = encoder.encode(["a small red bird", "a bird with a very long description that goes on and on"])
    # Padding changes the shapes of matrix products, so sums are reordered.
    torch.testing.assert_close(padded.sentence[:1], alone.sentence, atol=1e-5, rtol=0)
    torch.testing.assert_close(padded.words[:1, :4], alone.words, atol=1e-4, rtol=0)


def test_minilm_puts_paraphrases_closer_than_other_texts(encoder: TransformersTextEncoder) -> None:
    sentence = encoder.encode(["a red leather shoe", "footwear made of red leather", "a green ceramic bowl"]).sentence
    assert sentence[0] @ sentence[1] > sentence[0] @ sentence[2] + 0.2


def test_minilm_cuts_to_max_words() -> None:
    features = TransformersTextEncoder(max_words=3).encode(["one two three four five"])
    assert features.words.shape[1] == 3


def test_minilm_refuses_no_texts(encoder: TransformersTextEncoder) -> None:
    with pytest.raises(ValueError, match="pass at least one"):
        encoder.encode([])


def test_minilm_refuses_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="is no text model") as caught:
        TransformersTextEncoder(path=tmp_path)
    assert "\n" not in str(caught.value)


def test_minilm_refuses_pickled_weights(tmp_path: Path) -> None:
    source = weights.find("minilm")
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json"):
        (tmp_path / name).write_bytes((source / name).read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["model_type"] == "bert"
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04N.")
    with pytest.raises(WeightsError, match="safetensors"):
        TransformersTextEncoder(path=tmp_path)


@pytest.mark.parametrize("kind", ["bert", "t5", "gpt2"])
def test_any_text_model_encodes_words_and_sentences(tmp_path: Path, kind: str) -> None:
    encoder = TransformersTextEncoder(path=tiny_transformer(tmp_path / kind, kind))
    features = encoder.encode(["a red disc", "disc", ""])
    assert features.words.shape == (3, 3, 24) and features.mask.sum(1).tolist() == [3, 1, 1]
    assert features.sentence.isfinite().all() and encoder.name.startswith(f"{kind}-")


def test_text_model_with_weights_that_are_not_finite_is_refused(tmp_path: Path) -> None:
    folder = tiny_transformer(tmp_path / "bert")
    tensors = load_file(folder / "model.safetensors")
    tensors["pooler.dense.bias"][0] = float("nan")
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WeightsError, match=r"refused weights .*'pooler.dense.bias' holds NaN or infinity"):
        TransformersTextEncoder(path=folder)
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:500])
    with pytest.raises(WeightsError, match="is no text model"):
        TransformersTextEncoder(path=folder)
