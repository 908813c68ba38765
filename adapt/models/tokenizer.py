"""Byte-level BPE: any text in any language encodes, nothing is ever unknown.

Paper: Sennrich et al. 2016, "Neural Machine Translation of Rare Words with Subword Units", arXiv 1508.07909; bytes as
the alphabet after GPT-2.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from adapt.weights import WeightsError

END = "<end>"
"""Padding, and the only token of an empty text. Its id is 0."""
_LONGEST_TEXT = 20_000
"""Characters read of one text: far more than any caption keeps, and a bound on time."""


class BytePairTokenizer:
    """Turns texts into lists of ids; upper and lower case, and full and half width, are one."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        """Wrap a tokenizer that `train` or `load` made."""
        self._tokenizer = tokenizer

    @classmethod
    def train(cls, texts: Iterable[str], *, vocabulary: int = 8192) -> "BytePairTokenizer":
        """Learn merges from `texts`; the same texts in the same order give the same ids.

        Args:
            texts: captions to learn from.
            vocabulary: number of ids, at least 257; fewer when the texts hold fewer merges.
        """
        if vocabulary < 257:
            raise ValueError(f"vocabulary is {vocabulary}; it takes at least 257, one id a byte and one for the end")
        tokenizer = Tokenizer(models.BPE())
        tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=vocabulary,
            min_frequency=2,
            special_tokens=[END],
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
        tokenizer.train_from_iterator((well_formed(text) for text in texts), trainer)
        return cls(tokenizer)

    @classmethod
    def load(cls, path: Path) -> "BytePairTokenizer":
        """Read a tokenizer saved as JSON.

        Raises:
            WeightsError: the file is missing or no tokenizer.
        """
        try:
            return cls(Tokenizer.from_str(path.read_text(encoding="utf-8")))
        except Exception as error:  # the library raises bare Exception for every kind of damage
            raise WeightsError(f"cannot read tokenizer {path}: {error}; pretrain the text encoder again") from error

    def save(self, path: Path) -> None:
        """Write one JSON file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self._tokenizer.to_str(), encoding="utf-8")

    def __len__(self) -> int:
        """Number of ids."""
        return int(self._tokenizer.get_vocab_size())

    def encode(self, texts: Sequence[str], *, max_words: int) -> list[list[int]]:
        """Return the first `max_words` ids of each text, at least one each."""
        encodings = self._tokenizer.encode_batch([well_formed(text) for text in texts], add_special_tokens=False)
        return [encoding.ids[:max_words] or [0] for encoding in encodings]

    def decode(self, ids: Sequence[int]) -> str:
        """Return the normalised text of `ids`."""
        return str(self._tokenizer.decode(list(ids))).strip()


def well_formed(text: str) -> str:
    """Return `text`, cut to a length no caption needs, with a question mark for each half of a surrogate pair.

    Bad decoders leave such halves; they have no bytes, so that no tokenizer takes them.
    """
    return text[:_LONGEST_TEXT].encode("utf-8", "replace").decode()
