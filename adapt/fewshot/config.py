"""Configuration of a few-shot adaptation: what differs from pretraining, and the same loop's settings."""

from dataclasses import dataclass, field

from adapt.config import DataConfig, LossConfig, OptimConfig, TrainConfig
from adapt.loss_options import check_pairs
from adapt.ranges import COUNT, POSITIVE, SHARE, Range, check_ranges


@dataclass(frozen=True, kw_only=True)
class FewShotConfig:
    """How the source is changed and how it is held on to."""

    method: str = "lora"
    """lora, affine or full."""
    rank: int = 8
    """Rank of the low-rank updates."""
    alpha: float = 8.0
    """Scale of the updates: alpha / rank."""
    consistency_weight: float = 1.0
    """Weight of distance consistency to the frozen source at distance 0; less the farther the shots are."""
    reconstruction_weight: float = 1.0
    """Weight of the perceptual distance between a drawn picture and the shot of its caption."""
    replay_weight: float = 0.5
    """Weight of drawing the source's own prompts as the frozen source does, at distance 0; less the farther."""
    replay_share: float = 0.25
    """Replayed prompts a step, as a share of the batch."""
    held_out_share: float = 0.2
    """Share of the shots kept out to choose the checkpoint."""
    copy_limit: float = 0.5
    """Highest share of drawn pictures that may count as copies of a shot in the chosen checkpoint."""
    patience: int = 0
    """Stop after so many checkpoints without a better one; 0 never stops early."""
    adapt_images: float = 4000.0
    """Pictures over which the augmentation probability can go from 0 to 1."""

    def __post_init__(self) -> None:
        check_ranges(
            "fewshot",
            self,
            rank=COUNT,
            alpha=POSITIVE,
            held_out_share=Range(high=1, below=True),
            copy_limit=SHARE,
        )


@dataclass(frozen=True, kw_only=True)
class FinetuneConfig:
    """Everything that decides what an adaptation computes, beside its base and its shots."""

    fewshot: FewShotConfig = field(default_factory=FewShotConfig)
    data: DataConfig = field(default_factory=DataConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    train: TrainConfig = field(default_factory=TrainConfig)

    def __post_init__(self) -> None:
        check_pairs(self.data.pairs, self.loss)
