"""What is said and refused before anything is built."""

import pytest

from adapt.training.choices import usable_batch_size


def test_batch_larger_than_the_data_works_and_is_said(caplog: pytest.LogCaptureFixture) -> None:
    assert usable_batch_size(8, 100) == 8 and not caplog.messages
    assert usable_batch_size(64, 3) == 3
    assert caplog.messages == [
        "data.batch_size=64, but there are 3 training pictures: a step takes all of them",
    ]
