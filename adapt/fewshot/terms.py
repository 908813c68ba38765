"""Generator terms that only adaptation uses: keep the source's structure, and draw the shots that are described.

Cross-domain distance consistency: Ojha et al., "Few-shot Image Generation via Cross-domain Correspondence",
arXiv 2104.06820, equation 2. Reconstruction of the shots: see adapt/training/reconstruction.py.

Differs from the papers: the consistency compares whole batches of (noise, caption) pairs at one random block a step;
of a generator without blocks, at one random stage of its pictures.
"""

from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from adapt.data.batches import Batch
from adapt.fewshot.config import FewShotConfig
from adapt.fewshot.source import Source
from adapt.models.interfaces import TextFeatures
from adapt.models.style_blocks import unmixed
from adapt.training.reconstruction import Reconstruction


def distance_consistency(
    target: Float[Tensor, "B F"], source: Float[Tensor, "B F"], *, temperature: float = 1.0
) -> Float[Tensor, ""]:
    """KL between the similarity distributions of each item to the others, source against target.

    Args:
        target: activations of the adapting generator, flattened.
        source: activations of the frozen source for the same noise and captions.
        temperature: of the softmax over the other B − 1 items.

    Returns:
        Zero when both batches have the same pairwise cosines; mean over items.
    """

    def log_distribution(features: Tensor) -> Tensor:
        unit = F.normalize(features.float(), dim=1)
        size = len(unit)
        cosines = (unit @ unit.T)[~torch.eye(size, dtype=torch.bool, device=unit.device)].view(size, size - 1)
        return F.log_softmax(cosines / temperature, dim=1)

    return F.kl_div(log_distribution(target), log_distribution(source.detach()), log_target=True, reduction="batchmean")


@contextmanager
def recorded_blocks(network: nn.Module) -> Any:
    """Collect the output of every `blocks.i` while the context is open; works inside peft's wrapper too."""
    seen: list[Tensor] = []

    def keep(module: nn.Module, inputs: Any, output: Any) -> None:
        seen.append(output[0] if isinstance(output, tuple) else output)

    blocks = [m for name, m in network.named_modules() if name.rpartition(".")[0].endswith("blocks")]
    handles = [block.register_forward_hook(keep) for block in blocks]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


# Measured with the shipped base (EfficientNet-Lite0, 64 pictures): held-out birds 0.03, COCO 0.22, groceries 0.28, the
# drawn catalogue 0.42. Published comparisons have consistency help near domains and hurt far ones.
NEAR, FAR = 0.05, 0.25


def nearness_of(distance: float) -> float:
    """Share of its weight that a term holding on to the source keeps at this distance of the shots, in [0, 1]."""
    return min(1.0, max(0.0, (FAR - distance) / (FAR - NEAR)))


class AdaptationTerms:
    """The extra generator terms of one adaptation; called by the loop after the common ones."""

    def __init__(self, source: Source, config: FewShotConfig, *, distance: float, seed: int) -> None:
        """Hold on to the source only as far as the shots are near it: far domains are held back by it.

        Consistency and replay lose weight with distance alike, and cost no time where their weight is 0.

        Args:
            source: the frozen base.
            config: weights of the terms.
            distance: of the shots to the base (see `source_distance`), in [0, 2].
            seed: of the replayed prompts and their noise.
        """
        self._source, self._config, self._seed = source, config, seed
        self._reconstruction = Reconstruction() if config.reconstruction_weight else None
        nearness = nearness_of(distance)
        weights = {
            "g_consistency": config.consistency_weight * nearness,
            "g_reconstruction": config.reconstruction_weight,
            "g_replay": config.replay_weight * nearness if source.prompts else 0.0,
        }
        self.weights = {name: weight for name, weight in weights.items() if weight > 0}

    def __call__(
        self, network: nn.Module, batch: Batch, noise: Tensor, pictures: Tensor, rng: torch.Generator
    ) -> dict[str, Tensor]:
        """Terms for the pictures (B, 3, H, W) that `network` drew of the first captions with `noise` (B, Z)."""
        terms = {}
        if self._reconstruction is not None:
            terms["g_reconstruction"] = self._reconstruction(pictures, batch.images)
        with unmixed(network):  # the source, in evaluation, mixes no styles: a copy of it must be at no distance
            if "g_consistency" in self.weights and len(noise) > 2:
                terms["g_consistency"] = self._consistency(network, batch.first, noise, rng)
            if "g_replay" in self.weights:
                terms["g_replay"] = self._replay(network, noise, rng)
        return terms

    def _consistency(self, network: nn.Module, texts: TextFeatures, noise: Tensor, rng: torch.Generator) -> Tensor:
        with torch.no_grad(), recorded_blocks(self._source.generator) as before:
            wanted = self._source.generator(noise, texts)
        with recorded_blocks(network) as after:
            drawn = network(noise, texts)
        if not before:
            before, after = list(wanted.stages), list(drawn.stages)
        block = int(torch.randint(len(before), (), generator=rng))
        return distance_consistency(after[block].flatten(1), before[block].flatten(1))

    def _replay(self, network: nn.Module, noise: Tensor, rng: torch.Generator) -> Tensor:
        count = max(1, round(len(noise) * self._config.replay_share))
        prompts = self._source.prompt_texts
        chosen = prompts.rows(torch.randint(len(prompts.sentence), (count,), generator=rng))
        with torch.no_grad():
            wanted = self._source.generator(noise[:count], chosen).images
        return F.l1_loss(network(noise[:count], chosen).images.float(), wanted.float())
