"""Frozen transformer text encoders; all-MiniLM-L6-v2 by default.

Paper: Reimers and Gurevych 2019, "Sentence-BERT", arXiv 1908.10084 (mean pooling).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging as transformers_logging

from adapt import weights
from adapt.models.interfaces import TextFeatures
from adapt.models.tokenizer import well_formed
from adapt.weights import WeightsError


class TransformersTextEncoder:
    """A frozen encoder of any text model in the transformers layout (config, tokenizer, safetensors).

    Word features are the last hidden state without special tokens, sentence features its mean over all tokens,
    normalised to length 1. A text without words keeps its first token as the only word, so every mask row has a True.
    """

    kind = "transformers"
    """Name it is registered under; `recipe` holds the options that build it again."""

    def __init__(
        self,
        model: str = "minilm",
        *,
        path: Path | str | None = None,
        max_words: int = 32,
        max_tokens: int = 128,
        allow_download: bool | None = None,
    ) -> None:
        """Load the model from disk.

        Args:
            model: `minilm`, a Hugging Face id or a folder.
            path: a folder to load instead of looking for `model`.
            max_words: word features kept for one text.
            max_tokens: tokens read of one text, special tokens included; the rest of a longer text is ignored.
            allow_download: see `adapt.weights.find`.

        Raises:
            WeightsError: no weights found, or a folder that does not hold a safetensors text model.
        """
        folder = weights.find(model, path=path, allow_download=allow_download)
        transformers_logging.disable_progress_bar()  # 0.1 s of work; it would write into our own progress
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            self._model: nn.Module = AutoModel.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
            )
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            reason = " ".join(str(error).split())[:160]
            raise WeightsError(
                f"{folder} is no text model ({reason}); give a folder with config.json, tokenizer and model.safetensors"
            ) from error
        weights.refuse_not_finite(self._model.state_dict(), Path(folder))
        if self._tokenizer.pad_token is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token  # masked out; any token will do
        width, longest = _limits(self._model.config)
        if getattr(self._model.config, "is_encoder_decoder", False):
            self._model = self._model.get_encoder()  # type: ignore[operator]
        self._model.eval().requires_grad_(False)
        given = path is not None or Path(model).expanduser().exists()
        # Caches are known by the name: two folders of one name must not share features.
        self.name = f"{folder.name}-{weights.fingerprint(folder)}" if given else model
        self.recipe: Mapping[str, Any] = {
            "model": model,
            "path": str(Path(path).expanduser().absolute()) if path is not None else None,
            "max_words": max_words,
        }
        self.word_dim = self.sentence_dim = width
        self.max_words = max_words
        self._max_tokens = min(max_tokens, longest or max_tokens)
        self._try_out(folder)

    def _try_out(self, folder: Path) -> None:
        """Read two texts, so that a model that cannot be used is refused here and not in the middle of a run."""
        try:
            finite = bool(self.encode(["a word", ""]).sentence.isfinite().all())
        except (TypeError, ValueError, RuntimeError, AttributeError, IndexError, KeyError) as error:
            reason = " ".join(str(error).split())[:160]
            raise WeightsError(
                f"{folder} encodes no texts ({type(error).__name__}: {reason}); give the folder of a text encoder"
            ) from error
        if not finite:
            raise WeightsError(f"{folder} encodes texts as NaN or infinity; give the folder of another text encoder")

    @torch.no_grad()
    def encode(self, texts: Sequence[str], device: torch.device | str = "cpu") -> TextFeatures:
        """Return float32 features of `texts` on `device`."""
        if not texts:
            raise ValueError("no texts to encode: pass at least one")
        self._model.to(device)
        tokens = self._tokenizer(
            [well_formed(text) for text in texts],
            padding=True,
            truncation=True,
            max_length=self._max_tokens,
            return_special_tokens_mask=True,
            return_tensors="pt",
        ).to(device)
        special = tokens.pop("special_tokens_mask").bool()
        attended = tokens["attention_mask"].bool()
        with torch.autocast(torch.device(device).type, enabled=False):
            hidden = self._model(**tokens).last_hidden_state  # (B, L, D)
        total = (hidden * attended[..., None]).sum(1)
        sentence = F.normalize(total / attended.sum(1, keepdim=True).clamp(min=1), dim=-1)
        words, mask = _compact(hidden, attended & ~special, self.max_words)
        return TextFeatures(words=words, sentence=sentence, mask=mask)


def _limits(config: Any) -> tuple[int, int | None]:
    """Width of the hidden state, and the positions a model has where it says so."""
    longest = getattr(config, "max_position_embeddings", None)
    return int(config.hidden_size), int(longest) if longest else None


def _compact(hidden: Tensor, is_word: Tensor, max_words: int) -> tuple[Tensor, Tensor]:
    """Move the word rows of each text to the front and cut to `max_words`."""
    is_word = is_word.clone()
    is_word[:, 0] |= ~is_word.any(1)
    width = min(max_words, int(is_word.sum(1).max()))
    order = torch.argsort((~is_word).to(torch.int8), dim=1, stable=True)[:, :width]  # (B, T)
    mask = is_word.gather(1, order)
    words = hidden.gather(1, order[..., None].expand(-1, -1, hidden.shape[-1]))
    return words * mask[..., None], mask
