"""Conditioning augmentation: the sentence becomes a normal distribution, and a sample of it drives the first stage.

Paper: Zhang et al., "StackGAN", arXiv 1612.03242, section 3.2; gated as in Xu et al., "AttnGAN", arXiv 1711.10485.

Differs from the paper: the sample's random numbers are handed in, so that one noise and one text give one picture.
"""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


def conditioning_kl(mean: Float[Tensor, "B C"], log_variance: Float[Tensor, "B C"]) -> Float[Tensor, ""]:
    """KL divergence of N(mean, exp(log_variance)) from N(0, 1), averaged over batch and components, as published."""
    mean, log_variance = mean.float(), log_variance.float()
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()


def unit_variance(sentence: Float[Tensor, "B *S D"]) -> Float[Tensor, "B *S D"]:
    """Scale sentence features to root mean square 1: encoders of unit length and of unit range become alike."""
    return F.normalize(sentence.float(), dim=-1) * sentence.shape[-1] ** 0.5


class UnitVariance(nn.Module):
    """`unit_variance` where a network wants a module."""

    def forward(self, sentence: Float[Tensor, "B D"]) -> Float[Tensor, "B D"]:
        """(B, D) → (B, D)."""
        return unit_variance(sentence)


class ConditioningAugmentation(nn.Module):
    """Sentence and standard normal numbers → a sample of the sentence's distribution, and its KL divergence."""

    def __init__(self, sentence_dim: int, condition_dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(sentence_dim, 4 * condition_dim)

    def forward(
        self, sentence: Float[Tensor, "B D"], epsilon: Float[Tensor, "B C"]
    ) -> tuple[Float[Tensor, "B C"], Float[Tensor, ""]]:
        """Return mean + exp(½ log variance) · epsilon, and the divergence."""
        mean, log_variance = F.glu(self.linear(sentence), dim=1).float().chunk(2, dim=1)
        return mean + (0.5 * log_variance).exp() * epsilon, conditioning_kl(mean, log_variance)
