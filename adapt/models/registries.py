"""The tables that presets choose networks from; a network registers itself in its own file."""

from torch import nn

from adapt.registry import Registry

GENERATORS: Registry[type[nn.Module]] = Registry("model")
DISCRIMINATORS: Registry[type[nn.Module]] = Registry("discriminator")
