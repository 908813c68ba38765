"""Errors of the model side. Each message is one line: what came, what is allowed, what to type next.

AdaptError
├── ConfigError       a preset, `--set` value or config field that cannot be used
├── CheckpointError   a run folder, checkpoint or adapter that is damaged or does not fit
└── TrainingError     a run that cannot start or had to stop
"""


class AdaptError(Exception):
    """Base of every error that a user of `adapt` can cause."""


class ConfigError(AdaptError):
    """A preset, `--set` value or config field that cannot be used."""


class CheckpointError(AdaptError):
    """A run folder, checkpoint or adapter that is damaged or does not fit."""


class TrainingError(AdaptError):
    """A run that cannot start or had to stop."""
