"""Word attention of AttnGAN: every place of the picture gathers the words that it has to do with.

Paper: Xu et al., "AttnGAN", arXiv 1711.10485, section 3.1, equation 2.

Differs from the published code: that repeats the padding mask in another order than its rows, so that places get the
padding of other captions; here every caption has its own.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


class WordAttention(nn.Module):
    """Features (B, C, H, W) and words (B, T, D) → word contexts (B, C, H, W)."""

    def __init__(self, word_dim: int, channels: int) -> None:
        super().__init__()
        self.project = nn.Linear(word_dim, channels, bias=False)

    def forward(
        self, features: Float[Tensor, "B C H W"], words: Float[Tensor, "B T D"], mask: Bool[Tensor, "B T"]
    ) -> Float[Tensor, "B C H W"]:
        """c_j = Σ_i softmax_i(h_j · e'_i) e'_i over the words of the picture's own caption; 0 where it has none."""
        keys = self.project(words) * mask[..., None]  # (B, T, C)
        scores = torch.einsum("bchw,btc->bhwt", features, keys.to(features.dtype)).float()
        # The least finite number, not -inf: a caption without a word gives zeros instead of NaN.
        scores = scores.masked_fill(~mask[:, None, None, :], torch.finfo(scores.dtype).min)
        weights = scores.softmax(dim=3).to(features.dtype)
        return torch.einsum("bhwt,btc->bchw", weights, keys.to(features.dtype))
