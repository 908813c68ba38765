"""What DAMSM pretraining may be told."""

from dataclasses import dataclass

from adapt.damsm_options import IMAGE_ENCODERS
from adapt.errors import ConfigError
from adapt.loss_options import INCEPTION_LEAST_PX

TEXT_ENCODERS = ("damsm", "lstm", "open_clip", "transformers")


@dataclass(frozen=True, kw_only=True)
class DamsmConfig:
    """What DAMSM pretraining trains, and for how long."""

    text_encoder: str = "transformers"
    """`transformers` or `open_clip` (frozen, heads are trained), or `lstm` (trained whole)."""
    text_path: str = ""
    """Weights folder or file of a frozen one, or a model id; empty looks for the packaged or cached weights."""
    image_encoder: str = "efficientnet_lite0"
    """Registered image encoder, frozen: `efficientnet_lite0`, `efficientnet_lite1`, `inception_v3` or `open_clip`."""
    image_path: str = ""
    """Its weights file or folder, or a model id; empty looks for the packaged or cached weights."""
    image_px: int = 64
    """Side of the pictures, that of the generator to be trained later."""
    input_px: int = 96
    """Side at which the image encoder sees them; Inception-v3 takes 75 or more, CLIP has a side of its own."""
    feature_dim: int = 256
    """Width of the shared space; for an lstm also that of its features, so even."""
    thumbnail_px: int = 8
    """Side of the RGB thumbnail in the image code; 0 for none."""
    captions_per_picture: int = 10
    """At most this many captions of a picture are used; bounds memory and time."""
    vocabulary: int = 8192
    """Token ids of the lstm's tokenizer."""
    steps: int = 300
    """Optimiser steps."""
    batch_size: int = 48
    """Pictures a step, two captions each."""
    learning_rate: float = 2e-3
    """Adam's at the start; falls to a tenth along a cosine."""
    weight_decay: float = 1e-2
    """Decoupled decay of the weights (AdamW)."""
    word_weight: float = 1.0
    """Weight of the two word losses; 0 leaves them out, which saves most of the time. Over a frozen text encoder word
    and sentence heads share nothing, so that the sentence space stays the same."""
    paraphrase_weight: float = 1.0
    """Weight of NT-Xent between the two captions' sentence codes."""
    paraphrase_temperature: float = 0.5
    """Its temperature."""
    colour_weight: float = 1.0
    """Weight of the own caption against itself with one colour changed."""
    gamma1: float = 5.0
    """Sharpness of the attention over regions."""
    gamma2: float = 5.0
    """Weight of the best matching words."""
    gamma3: float = 10.0
    """Inverse temperature of the matching softmax."""
    held_out_share: float = 0.1
    """Share of groups kept for the report where the entries have no test split."""
    seed: int = 0
    """Seed of initialisation, order, captions and held-out groups."""

    def __post_init__(self) -> None:
        """Check ranges."""
        if self.text_encoder not in TEXT_ENCODERS:
            raise ValueError(f"text_encoder is {self.text_encoder!r}; it takes {', '.join(TEXT_ENCODERS)}")
        if self.image_encoder not in IMAGE_ENCODERS:
            raise ValueError(f"image_encoder is {self.image_encoder!r}; it takes {', '.join(IMAGE_ENCODERS)}")
        if self.image_encoder == "inception_v3" and self.input_px < INCEPTION_LEAST_PX:
            raise ConfigError(
                f"Inception-v3 takes pictures of {INCEPTION_LEAST_PX} px or more and would see {self.input_px}: "
                "--set loss.feature_px=96 (published: 299)"
            )
        if min(self.steps, self.batch_size, self.captions_per_picture, self.image_px) < 1:
            raise ValueError("steps, batch_size, captions_per_picture and image_px take 1 or more")
        if self.text_encoder == "lstm" and self.feature_dim % 2:
            raise ValueError(f"feature_dim is {self.feature_dim}; an lstm takes an even one")
