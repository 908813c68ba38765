"""The bidirectional LSTM text encoder of AttnGAN, trained with DAMSM.

Paper: Xu et al. 2018, "AttnGAN", arXiv 1711.10485, section 3.1.

Differs from the paper: byte-level BPE pieces instead of ASCII words, so that any language encodes and no word is
dropped; a longer caption is cut instead of being sampled at random, so that features repeat.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from jaxtyping import Int
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from adapt.models.interfaces import TextFeatures
from adapt.models.tokenizer import BytePairTokenizer
from adapt.weights import WeightsError, read_tensors


@dataclass(frozen=True, kw_only=True)
class LSTMTextEncoderConfig:
    """Sizes of the encoder."""

    embedding_dim: int = 300
    """Width of a token's embedding."""
    hidden_dim: int = 128
    """Width of each of the two directions; features have twice as many."""
    dropout_prob: float = 0.5
    """Dropout on the embeddings, in training only."""
    max_words: int = 32
    """Tokens kept of one text."""

    def __post_init__(self) -> None:
        """Check ranges."""
        if min(self.embedding_dim, self.hidden_dim, self.max_words) < 1:
            raise ValueError("embedding_dim, hidden_dim and max_words take 1 or more")
        if not 0 <= self.dropout_prob < 1:
            raise ValueError(f"dropout_prob is {self.dropout_prob}; it takes 0 up to below 1")


class LSTMTextEncoder(nn.Module):
    """Token embeddings through one bidirectional LSTM; sentence feature from both final states."""

    name = "lstm"

    def __init__(self, tokenizer: BytePairTokenizer, config: LSTMTextEncoderConfig | None = None) -> None:
        """Build an untrained encoder over the tokens of `tokenizer`."""
        super().__init__()
        config = config or LSTMTextEncoderConfig()
        self.tokenizer = tokenizer
        self.config = config
        self.word_dim = self.sentence_dim = 2 * config.hidden_dim
        self.max_words = config.max_words
        self.embedding = nn.Embedding(len(tokenizer), config.embedding_dim)
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)
        self.dropout = nn.Dropout(config.dropout_prob)
        self.lstm = nn.LSTM(config.embedding_dim, config.hidden_dim, batch_first=True, bidirectional=True)

    def tokens(self, texts: Sequence[str]) -> tuple[Int[Tensor, "B T"], Int[Tensor, " B"]]:
        """Return padded ids and the number of tokens of each text, on the CPU."""
        rows = self.tokenizer.encode(texts, max_words=self.max_words)
        lengths = torch.tensor([len(row) for row in rows])
        ids = torch.zeros(len(rows), int(lengths.max()), dtype=torch.long)
        for row, tokens in enumerate(rows):
            ids[row, : len(tokens)] = torch.tensor(tokens)
        return ids, lengths

    def forward(self, ids: Int[Tensor, "B T"], lengths: Int[Tensor, " B"]) -> TextFeatures:
        """Return features of padded ids; `lengths` stays on the CPU, as packing wants it there."""
        packed = pack_padded_sequence(
            self.dropout(self.embedding(ids)), lengths, batch_first=True, enforce_sorted=False
        )
        output, (hidden, _) = self.lstm(packed)
        words, _ = pad_packed_sequence(output, batch_first=True, total_length=ids.shape[1])  # (B, T, D)
        mask = torch.arange(ids.shape[1], device=ids.device) < lengths.to(ids.device)[:, None]
        return TextFeatures(words=words, sentence=torch.cat([hidden[0], hidden[1]], 1), mask=mask)

    @torch.no_grad()
    def encode(self, texts: Sequence[str], device: torch.device | str = "cpu") -> TextFeatures:
        """Return features of `texts` on `device`, without dropout."""
        if not texts:
            raise ValueError("no texts to encode: pass at least one")
        was_training = self.training
        self.eval().to(device)
        ids, lengths = self.tokens(texts)
        features = self(ids.to(device), lengths)
        self.train(was_training)
        return TextFeatures(words=features.words, sentence=features.sentence, mask=features.mask)

    def save(self, folder: Path) -> None:
        """Write text_encoder.safetensors, text_encoder.json and tokenizer.json into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        state = {key: value.detach().contiguous().cpu() for key, value in self.state_dict().items()}
        save_file(state, folder / "text_encoder.safetensors")
        (folder / "text_encoder.json").write_text(json.dumps(asdict(self.config), indent=2) + "\n", encoding="utf-8")
        self.tokenizer.save(folder / "tokenizer.json")

    @classmethod
    def load(cls, folder: Path | str) -> "LSTMTextEncoder":
        """Read what `save` wrote, in evaluation mode.

        Raises:
            WeightsError: a file is missing, damaged or does not fit the others.
        """
        folder = Path(folder)
        try:
            config = LSTMTextEncoderConfig(**json.loads((folder / "text_encoder.json").read_text(encoding="utf-8")))
            encoder = cls(BytePairTokenizer.load(folder / "tokenizer.json"), config)
            encoder.load_state_dict(read_tensors(folder / "text_encoder.safetensors"))
        except (OSError, ValueError, TypeError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:160]
            raise WeightsError(
                f"{folder} holds no trained lstm text encoder ({reason}); give the folder that DAMSM pretraining wrote"
            ) from error
        return encoder.eval()
