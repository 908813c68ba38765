"""What text and image encoders promise to the losses, networks and the training loop.

Legend: B batch, T words, D features, N regions, C H W picture.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class TextFeatures:
    """Word and sentence features of a batch of texts."""

    words: Float[Tensor, "B T D"]
    """One row a word piece, special tokens left out, zero where `mask` is False."""
    sentence: Float[Tensor, "B S"]
    """One vector a text. Finite for an empty text too."""
    mask: Bool[Tensor, "B T"]
    """True where a word is. Every row has at least one True, so that a softmax over words never divides by zero."""

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> "TextFeatures":
        """Move all three tensors, converting the two feature tensors when `dtype` is given."""
        return TextFeatures(
            words=self.words.to(device, dtype or self.words.dtype),
            sentence=self.sentence.to(device, dtype or self.sentence.dtype),
            mask=self.mask.to(device),
        )

    def rows(self, chosen: slice | Tensor) -> "TextFeatures":
        """The features of some of the texts; T stays as it is."""
        return TextFeatures(words=self.words[chosen], sentence=self.sentence[chosen], mask=self.mask[chosen])

    def without_words(self) -> "TextFeatures":
        """The same texts with word features of length 0, for a network that reads sentences alone."""
        return TextFeatures(words=self.words[:, :0], sentence=self.sentence, mask=self.mask[:, :0])


@runtime_checkable
class TextEncoder(Protocol):
    """Turns texts of any language and length into features; the same text always gives the same features."""

    name: str
    word_dim: int
    sentence_dim: int
    max_words: int

    def encode(self, texts: Sequence[str], device: torch.device | str = "cpu") -> TextFeatures:
        """Return the features of `texts` on `device`; T is at most `max_words`."""
        ...


@dataclass(kw_only=True)
class Drawing:
    """What a generator draws for a batch of noises and texts.

    Not frozen, as `Judgement` is not: Fabric walks through what a network returns and refuses frozen dataclasses.
    """

    stages: tuple[Float[Tensor, "B 3 h w"], ...]
    """Pictures in [-1, 1] of every stage, smallest first; the last one is the picture."""
    terms: Mapping[str, Float[Tensor, ""]] = field(default_factory=dict)
    """Unweighted loss terms that the generator brings itself, by the name they are logged under."""

    @property
    def images(self) -> Float[Tensor, "B 3 H W"]:
        """The finished pictures."""
        return self.stages[-1]


@dataclass(kw_only=True)
class Judgement:
    """Logits of a discriminator; above 0 it takes the pictures for real."""

    matching: tuple[Float[Tensor, "B S P"], ...]
    """One tensor a head that sees the text: P logits for each picture and each of its S sentences."""
    realism: tuple[Float[Tensor, "B P"], ...] = ()
    """One tensor a head that sees the pictures alone."""


@dataclass(frozen=True, kw_only=True)
class ImageFeatures:
    """Region and whole-picture features of a batch of pictures."""

    regions: Float[Tensor, "B R N"]
    """One column a region, row-major over the feature map."""
    pooled: Float[Tensor, "B D"]
    """One vector a picture."""


@runtime_checkable
class ImageEncoder(Protocol):
    """Turns pictures in [-1, 1] into features; gradients reach the pictures."""

    name: str
    dim: int
    """Width of `ImageFeatures.pooled`."""
    region_dim: int
    """Width of `ImageFeatures.regions`."""

    def __call__(self, images: Float[Tensor, "B 3 H W"]) -> ImageFeatures:
        """Return the features of `images`."""
        ...
