"""Says which of many captions a picture fits: the judge of R-precision, which no generator ever sees.

An encoder that training used makes R-precision meaningless: generators scored by the DAMSM they were trained with beat
real photographs threefold (TISE's result files: CUB test photos 22.6 %, AttnGAN 65.3 %). This one is made from nothing
that training uses: pictures by the held-out judge, texts by hashed n-grams (words, pairs of words, three-letter parts),
and on top two small heads that are trained with InfoNCE on the training split of the dataset. It is no better than its
data: the same test on real held-out pictures is reported beside each figure, as what can be reached.
"""

import hashlib
import json
import logging
import re
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from adapt.errors import CheckpointError
from adapt.training.checkpoint import load_weights, read_tensors, write_tensors

_LOG = logging.getLogger(__name__)
_VERSION = 1
"""Of the recipe; raise it when the same data would give another matcher."""
_FEWEST_STEPS = 120
_LEAST_SPREAD = 0.1
"""Of the mean spread of all features."""


@dataclass(frozen=True, kw_only=True)
class MatcherConfig:
    """The recipe; on one thread CUB's 2,372 captioned training pictures take half a minute once they are looked at."""

    buckets: int = 8192
    """Hash buckets of the n-grams."""
    dim: int = 128
    hidden: int = 512
    dropout: float = 0.3
    temperature: float = 0.15
    steps: int = 600
    """At most; few pictures take fewer, so that each is shown about `passes` times."""
    passes: int = 65
    batch: int = 256
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    seed: int = 0


class Matcher(nn.Module):
    """Brings features of pictures and texts to one sphere, where what belongs together is near."""

    def __init__(self, feature_dim: int, config: MatcherConfig) -> None:
        super().__init__()
        self.config = config
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.zeros(feature_dim))
        self.register_buffer("scale", torch.ones(feature_dim))
        self.bag = nn.EmbeddingBag(config.buckets, config.dim, mode="sum")
        self.head = nn.Sequential(
            nn.Dropout(config.dropout),
            nn.Linear(feature_dim, config.hidden),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, config.dim),
        )

    def pictures(self, features: Float[Tensor, "B D"]) -> Float[Tensor, "B E"]:
        """Unit codes of pictures from the judge's features."""
        return F.normalize(self.head((features - self.mean) / self.scale), dim=1)

    def texts(self, texts: Sequence[str]) -> Float[Tensor, "B E"]:
        """Unit codes of texts."""
        return self.codes([hashed_ngrams(text, self.config.buckets) for text in texts])

    def codes(self, ngrams: Sequence[Int[Tensor, " G"]]) -> Float[Tensor, "B E"]:
        """Unit codes of texts that are hashed already."""
        lengths = torch.tensor([len(grams) for grams in ngrams])
        starts = lengths.cumsum(0) - lengths
        weights = lengths.double().rsqrt().float().repeat_interleave(lengths)
        return F.normalize(self.bag(torch.cat(list(ngrams)), starts, per_sample_weights=weights), dim=1)


def hashed_ngrams(text: str, buckets: int) -> Int[Tensor, " G"]:
    """Buckets of the words, the pairs of neighbouring words and the three-letter parts of a text; never empty.

    CRC-32 and not Python's own hash, which changes from process to process.
    """
    words = re.findall(r"\w+", text.lower())
    parts = [f"#{word}#"[start : start + 3] for word in words for start in range(len(word))]
    grams = {*words, *(f"{one} {two}" for one, two in pairwise(words)), *parts}
    return torch.tensor(sorted({zlib.crc32(gram.encode("utf-8", "surrogatepass")) % buckets for gram in grams}) or [0])


def train_matcher(
    features: Float[Tensor, "N D"],
    captions: Sequence[Sequence[str]],
    product_ids: Int[Tensor, " N"],
    config: MatcherConfig | None = None,
) -> Matcher:
    """Train the heads; other pictures of the same product are no negatives.

    Args:
        features: Of the training pictures, by the judge.
        captions: One or more of each picture.
        product_ids: Product of each picture.
        config: The recipe.

    Raises:
        ValueError: numbers differ, or there are fewer than two pictures.
    """
    config = config or MatcherConfig()
    if not len(features) == len(captions) == len(product_ids) or len(features) < 2:
        raise ValueError(
            f"{len(features)} pictures, {len(captions)} lists of captions and {len(product_ids)} products; "
            "expected equal, 2 or more"
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        matcher = Matcher(features.shape[1], config)
        nn.init.normal_(matcher.bag.weight, std=0.1)
        matcher.mean.copy_(features.mean(0))
        spread = features.std(0)
        # Features that hardly move among photos would blow up where a generated picture differs in them.
        matcher.scale.copy_(spread.clamp_min(_LEAST_SPREAD * float(spread.mean()) + 1e-6))
        _fit(matcher, features, captions, product_ids)
    return matcher.eval().requires_grad_(False)


def _fit(matcher: Matcher, features: Tensor, captions: Sequence[Sequence[str]], product_ids: Tensor) -> None:
    config = matcher.config
    ngrams = [[hashed_ngrams(text, config.buckets) for text in own] for own in captions]
    counts = torch.tensor([len(own) for own in ngrams])
    size = min(config.batch, len(features))
    steps = min(config.steps, max(_FEWEST_STEPS, config.passes * len(features) // size))
    optimizer = torch.optim.AdamW(
        matcher.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, betas=(0.9, 0.999)
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    target = torch.arange(size)
    for _ in range(steps):
        rows = torch.randperm(len(features))[:size]
        turns = (torch.rand(size) * counts[rows]).long()
        texts = matcher.codes([ngrams[row][turn] for row, turn in zip(rows.tolist(), turns.tolist(), strict=True)])
        logits = matcher.pictures(features[rows]) @ texts.T / config.temperature
        ids = product_ids[rows]
        same = (ids[:, None] == ids[None, :]) & ~torch.eye(size, dtype=torch.bool)
        logits = logits.masked_fill(same, -torch.inf)
        loss = F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


def matcher_file(folder: Path, *, judge: str, digest: str, config: MatcherConfig) -> Path:
    """Where the matcher of some data lies; `digest` says which pictures and captions, cut and looked at how."""
    recipe = json.dumps([_VERSION, judge, digest, asdict(config)], sort_keys=True)
    return folder / f"matcher-{judge}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}.safetensors"


def read_matcher(file: Path, feature_dim: int, config: MatcherConfig) -> Matcher | None:
    """The matcher kept in a file; None when there is none or it is damaged, since it can be trained again."""
    if not file.is_file():
        return None
    matcher = Matcher(feature_dim, config)
    try:
        load_weights(matcher, read_tensors(file)[0], what=file.name)
    except CheckpointError as error:
        _LOG.warning("%s; it is trained again", error)
        return None
    return matcher.eval().requires_grad_(False)


def keep_matcher(file: Path, matcher: Matcher) -> None:
    """Keep a matcher for the next evaluation; a folder that cannot be written costs the time, not the figures."""
    try:
        write_tensors(file, matcher.state_dict(), {"recipe": asdict(matcher.config)})
    except CheckpointError as error:
        _LOG.warning("the next evaluation trains its matcher again: %s", error)
