"""Text features computed once, so that training never runs a frozen text encoder."""

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from adapt.models.interfaces import TextEncoder, TextFeatures
from adapt.weights import WeightsError, first_not_finite
from catalog.atomic import replacing


class TextFeatureCache:
    """Encodes each distinct text once and keeps fp16 features on the CPU; is itself a `TextEncoder`.

    Words are packed without padding: one costs 2 * word_dim bytes. `keep_words=False` stores sentences only; `encode`
    then gives word features of length zero.
    """

    def __init__(
        self, encoder: TextEncoder, texts: Sequence[str] = (), *, keep_words: bool = True, batch_size: int = 64
    ) -> None:
        """Wrap `encoder` and encode `texts`, `batch_size` at a time."""
        self.name, self.word_dim, self.sentence_dim = encoder.name, encoder.word_dim, encoder.sentence_dim
        self.max_words = encoder.max_words if keep_words else 0
        self.keep_words = keep_words
        self._encoder = encoder
        self._batch_size = batch_size
        self._row: dict[str, int] = {}
        self._sentences = torch.empty(0, self.sentence_dim, dtype=torch.float16)
        self._words = torch.empty(0, self.word_dim, dtype=torch.float16)
        self._offsets = torch.zeros(1, dtype=torch.long)
        self.add(texts)

    @property
    def encoder(self) -> TextEncoder:
        """The encoder behind the cache."""
        return self._encoder

    def __len__(self) -> int:
        """Number of distinct texts."""
        return len(self._row)

    def add(self, texts: Sequence[str], *, device: torch.device | str = "cpu") -> None:
        """Encode those of `texts` that are not known yet, on `device`."""
        new = sorted({text for text in texts if text not in self._row}, key=lambda text: (len(text), text))
        if not new:
            return  # the joins below copy everything that is stored
        sentences, words, counts = [self._sentences], [self._words], []
        for start in range(0, len(new), self._batch_size):
            batch = new[start : start + self._batch_size]
            features = self._encoder.encode(batch, device)
            _refuse_not_finite(features.sentence, batch, self.name)
            sentences.append(features.sentence.to("cpu", torch.float16))
            if self.keep_words:
                words.append(features.words[features.mask].to("cpu", torch.float16))
                counts.append(features.mask.sum(1).cpu())
        for text in new:
            self._row[text] = len(self._row)
        self._sentences = torch.cat(sentences)
        if counts:
            self._words = torch.cat(words)
            self._offsets = torch.cat([self._offsets, self._offsets[-1] + torch.cat(counts).cumsum(0)])

    def rows(self, texts: Sequence[str]) -> Tensor:
        """Return the row of each text for `gather`, encoding what is new."""
        self.add(texts)
        return torch.tensor([self._row[text] for text in texts], dtype=torch.long)

    def sentences(self, rows: Tensor, device: torch.device | str = "cpu") -> Tensor:
        """Return float32 sentence features (N, S) of rows given by `rows`."""
        return self._sentences[rows].to(device, torch.float32)

    def gather(self, rows: Tensor, device: torch.device | str = "cpu") -> TextFeatures:
        """Return float32 features of rows given by `rows`."""
        sentence = self.sentences(rows, device)
        if not self.keep_words:
            empty = sentence.new_zeros(len(rows), 0, self.word_dim)
            return TextFeatures(words=empty, sentence=sentence, mask=empty[..., 0].bool())
        counts = self._offsets[rows + 1] - self._offsets[rows]  # (B,)
        position = torch.arange(int(counts.max()))
        mask = position < counts[:, None]  # (B, T)
        index = (self._offsets[rows][:, None] + position).clamp(max=len(self._words) - 1)
        words = self._words[index] * mask[..., None]
        return TextFeatures(words=words.to(device, torch.float32), sentence=sentence, mask=mask.to(device))

    def encode(self, texts: Sequence[str], device: torch.device | str = "cpu") -> TextFeatures:
        """Return float32 features of `texts`, encoding only what is new."""
        return self.gather(self.rows(texts), device)

    def save(self, path: Path) -> None:
        """Write texts and features to one safetensors file."""
        texts = json.dumps(list(self._row), ensure_ascii=False).encode("utf-8", "surrogatepass")
        tensors = {"sentences": self._sentences, "words": self._words, "offsets": self._offsets}
        tensors["texts"] = torch.frombuffer(bytearray(texts), dtype=torch.uint8)
        with replacing(path) as part:
            save_file(tensors, part, metadata=self._identity())

    @classmethod
    def load(cls, path: Path, encoder: TextEncoder, *, keep_words: bool = True) -> "TextFeatureCache":
        """Read a saved cache for the same encoder.

        Raises:
            WeightsError: the file is damaged or was made by another encoder or setting.
        """
        cache = cls(encoder, keep_words=keep_words)
        try:
            with safe_open(path, framework="pt") as file:
                found, expected = file.metadata(), cache._identity()
                if found != expected:
                    raise WeightsError(f"text features {path} were made with {found}, not {expected}; delete the file")
                cache._sentences = file.get_tensor("sentences")
                cache._words = file.get_tensor("words")
                cache._offsets = file.get_tensor("offsets")
                texts = json.loads(file.get_tensor("texts").numpy().tobytes().decode("utf-8", "surrogatepass"))
        except (OSError, SafetensorError, ValueError) as error:
            raise WeightsError(f"cannot read text features {path}: {error}; delete the file") from error
        stored = {"sentences": cache._sentences, "words": cache._words}
        broken = first_not_finite(stored)
        if broken is not None:
            raise WeightsError(f"text features {path} hold NaN or infinity in '{broken}'; delete the file")
        if len(texts) != len(cache._sentences) or (keep_words and int(cache._offsets[-1]) != len(cache._words)):
            raise WeightsError(f"text features {path} do not fit their {len(texts)} texts; delete the file")
        cache._row = {text: row for row, text in enumerate(texts)}
        return cache

    def _identity(self) -> dict[str, str]:
        return {"encoder": self.name, "max_words": str(self.max_words), "word_dim": str(self.word_dim)}


def _refuse_not_finite(sentences: Tensor, texts: Sequence[str], encoder: str) -> None:
    broken = ~sentences.isfinite().all(dim=1)
    if bool(broken.any()):
        text = texts[int(broken.nonzero()[0])][:80]
        raise WeightsError(
            f"text encoder {encoder} gives NaN or infinity for {text!r}; leave that caption out, or use another encoder"
        )
