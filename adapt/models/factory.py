"""Builds networks from their configs; importing this module registers every network we have."""

from torch import nn

from adapt.config import NetworkConfig, TextConfig, from_dict
from adapt.models import attn_discriminator, attn_gan, projected, ssa_gan  # noqa: F401  (registers its networks)
from adapt.models.encoders import text_encoder
from adapt.models.interfaces import TextEncoder
from adapt.models.registries import DISCRIMINATORS, GENERATORS
from adapt.registry import Registry


def _build(registry: Registry[type[nn.Module]], section: str, config: NetworkConfig) -> nn.Module:
    network = registry.get(config.name)
    options = from_dict(network.config_class, config.options, where=f"{section}.", owner=config.name)  # type: ignore[attr-defined]
    return network(options)


def build_generator(config: NetworkConfig) -> nn.Module:
    """The generator that `model.name` and its options describe.

    Raises:
        AdaptError: unknown name or option; the message lists the known ones.
    """
    return _build(GENERATORS, "model", config)


def build_discriminator(config: NetworkConfig) -> nn.Module:
    """The discriminator that `discriminator.name` and its options describe.

    Raises:
        AdaptError: unknown name or option; the message lists the known ones.
    """
    return _build(DISCRIMINATORS, "discriminator", config)


def build_text_encoder(config: TextConfig) -> TextEncoder:
    """The frozen text encoder of a run.

    Raises:
        AdaptError: unknown encoder, or its weights are not here; the message names the ways to give them.
    """
    return text_encoder(config.encoder, path=config.path or None)
