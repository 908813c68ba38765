"""Which preset a command means when it names a model, a preset, both or neither."""

from adapt.config import preset_names, read_preset
from adapt.errors import ConfigError
from adapt.registry import canonical

DEFAULT_PRESETS = {"ssa_gan": "projected_64", "attn_gan": "attn_gan_64"}
"""What a model trains by where no preset is named."""


def choose_preset(verb: str, name: str | None, model: str | None) -> str:
    """The preset for `model`; `debug` means `debug_attn_gan` where that model is asked for.

    Args:
        verb: the folder of presets.
        name: a preset or a TOML file; None takes the model's own default.
        model: a generator; None takes the preset's.

    Raises:
        ConfigError: the preset is of another model; the message lists the model's presets.
    """
    if model is None:
        return name or DEFAULT_PRESETS["ssa_gan"]
    model = canonical(model)
    if name is None:
        return DEFAULT_PRESETS.get(model, DEFAULT_PRESETS["ssa_gan"])
    own = _model_of(verb, name)
    variant = f"{canonical(name)}_{model}"
    if own == model:
        return name
    if variant in preset_names(verb):
        return variant
    fitting = [preset for preset in preset_names(verb) if _model_of(verb, preset) == model]
    if not fitting:  # no model we know presets of: building it says which models there are
        return name
    raise ConfigError(
        f"preset {name} trains {own}, not {model}: presets of {model} are {', '.join(fitting)}; "
        f"try --preset {DEFAULT_PRESETS.get(model, fitting[0])}"
    )


def _model_of(verb: str, preset: str) -> str:
    return canonical(str(read_preset(verb, preset).get("model", {}).get("name", "")))
