"""Names in a config that only the networks' side knows, checked before anything is read, trained or written."""

import torch

from adapt.config import TextConfig, TrainConfig
from adapt.errors import ConfigError
from adapt.models.encoders import TEXT_ENCODERS
from adapt.registry import canonical
from adapt.training.diffaugment import check_policies
from adapt.training.precision import use_bf16


def check_choices(train: TrainConfig, text: TextConfig | None = None) -> None:
    """Check augmentation, precision and the text encoder.

    Raises:
        ConfigError: names the field, what came and what is allowed.
    """
    check_policies(train.augment)
    use_bf16(train.precision, torch.device("cpu"))
    if text is not None and canonical(text.encoder) not in TEXT_ENCODERS.names():
        raise ConfigError(
            f"text.encoder='{text.encoder}'; allowed are {', '.join(TEXT_ENCODERS)}: --set text.encoder=transformers"
        )
