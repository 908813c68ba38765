"""What is said and refused before anything is built."""

import pytest

from adapt.config import RunConfig, apply_settings, from_dict, read_preset
from adapt.errors import ConfigError
from adapt.pretrain import _networks
from adapt.training.choices import usable_batch_size


def test_batch_larger_than_the_data_works_and_is_said(caplog: pytest.LogCaptureFixture) -> None:
    assert usable_batch_size(8, 100) == 8 and not caplog.messages
    assert usable_batch_size(64, 3) == 3
    assert caplog.messages == [
        "data.batch_size=64, but there are 3 training pictures: a step takes all of them",
    ]


def test_networks_of_two_sizes_are_one_line() -> None:
    values = apply_settings(read_preset("pretrain", "debug"), ["discriminator.image_px=64"])
    with pytest.raises(ConfigError, match=r"^model.image_px=32, but discriminator.image_px=64: --set discriminator.im"):
        _networks(from_dict(RunConfig, values), None)
