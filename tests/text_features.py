"""Random text features for tests of networks and losses."""

import torch

from adapt.models.interfaces import TextFeatures


def sentence_features(count: int, dim: int = 384) -> TextFeatures:
    """Random sentences, no words: what a generator that reads sentences alone gets."""
    return TextFeatures(
        words=torch.zeros(count, 0, dim),
        sentence=torch.randn(count, dim),
        mask=torch.zeros(count, 0, dtype=torch.bool),
    )
