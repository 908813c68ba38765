"""DAMSM as the first stage of a run: trained once into <run>/damsm/, then frozen.

Paper: Xu et al. 2018, "AttnGAN", arXiv 1711.10485: the text encoder and the judge of generated pictures come from it.

Differs from the papers: where the run's text encoder is a frozen one, only linear heads are trained over it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lightning_fabric import Fabric

from adapt.config import RunConfig, TextConfig
from adapt.errors import ConfigError
from adapt.models.damsm import Damsm
from adapt.models.text_cache import TextFeatureCache
from adapt.training.checkpoint import read_json
from adapt.training.damsm import train_damsm
from adapt.training.damsm_config import DamsmConfig
from adapt.training.inference import TEXT_FOLDER, copy_text_encoder
from adapt.training.step import Networks
from catalog.records import ManifestEntry

Progress = Callable[[str, int, int], None]
REPORT_PICTURES = 256
CHECKPOINT_FILE = "training.safetensors"


def trains_text_encoder(config: RunConfig) -> bool:
    """Whether the run has to train its text encoder first."""
    return config.text.encoder == "lstm" and not config.text.path


def uses_damsm(config: RunConfig) -> bool:
    """Whether a loss looks through a DAMSM model."""
    loss = config.loss
    compares = loss.fake_to_fake_weight or loss.fake_to_real_weight
    return bool(loss.damsm_weight or (compares and "damsm" in loss.features))


def check_sentence_dims(text: TextConfig, width: int, networks: Networks) -> None:
    """Check that both networks take what the text encoder gives.

    Raises:
        ConfigError: names both numbers and the settings that make them equal.
    """
    for section, network in (("model", networks.generator), ("discriminator", networks.discriminator)):
        taken = getattr(network.config, "sentence_dim", width)
        if taken != width:
            raise ConfigError(
                f"{section}.sentence_dim={taken}, but text.encoder={text.encoder} gives {width} numbers a caption: "
                f"--set model.sentence_dim={width} --set discriminator.sentence_dim={width}"
            )


def check_word_dim(text: TextConfig, width: int, networks: Networks) -> None:
    """Check that a generator that uses words takes what the text encoder gives.

    Raises:
        ConfigError: names both numbers and the setting that makes them equal.
    """
    taken = getattr(networks.generator.config, "word_dim", width)
    if networks.generator.uses_words and taken != width:
        raise ConfigError(
            f"model.word_dim={taken}, but text.encoder={text.encoder} gives {width} numbers a word: "
            f"--set model.word_dim={width}"
        )


@dataclass(frozen=True, kw_only=True)
class DamsmStage:
    """Trains or finds the DAMSM model of one run."""

    config: RunConfig
    entries: Sequence[ManifestEntry]
    """All pictures; those of the `train` split are trained on, some of the `test` split are reported on."""
    folder: Path
    """The run's."""
    image_px: int
    fabric: Fabric
    grow: Path | None = None
    """Run that this one starts from; its model is taken over, since its generator speaks that model's language."""
    cache: Path | None = None
    progress: Progress | None = None

    def text_config(self) -> TextConfig:
        """The run's text encoder, trained now where it has to be."""
        if not trains_text_encoder(self.config):
            return self.config.text
        home = self._trained(None)
        return replace(self.config.text, path=str(home.absolute()))

    def model(self, text: TextConfig, texts: TextFeatureCache) -> Damsm | None:
        """The frozen model on the run's device, trained now where there is none; None when no loss needs it.

        Args:
            text: what `text_config` gave.
            texts: that encoder with the captions it has read.

        Raises:
            ConfigError: an lstm of the user's own came without the model it was trained in.
        """
        if not uses_damsm(self.config):
            return None
        if text.encoder == "lstm":
            home = Path(text.path)
            if not (home / "damsm.json").is_file():
                raise ConfigError(
                    f"text.path={text.path} holds no DAMSM model, which the losses need: give the folder that DAMSM "
                    "pretraining wrote, or let this run train one: --set text.path="
                )
            damsm = Damsm.load(home)
        else:
            damsm = Damsm.load(self._trained(texts), text_encoder=texts)
        if damsm.heads.config.sentence_dim != texts.sentence_dim:
            raise ConfigError(
                f"the DAMSM model reads {damsm.heads.config.sentence_dim} numbers a caption, text.encoder="
                f"{text.encoder} gives {texts.sentence_dim}: start a fresh run with --new"
            )
        return damsm.to(self.fabric.device)

    def _trained(self, texts: TextFeatureCache | None) -> Path:
        """The folder of this run's model; the first process trains it where there is none yet."""
        home = self.folder / TEXT_FOLDER
        if self.fabric.is_global_zero and not (home / "damsm.json").is_file():
            source = self.grow / TEXT_FOLDER if self.grow is not None else None
            if source is not None and _suits(source, lstm=texts is None, words=self.config.loss.reads_words):
                copy_text_encoder(source, home)
            else:
                model = self._train(texts)
                if texts is not None:
                    model.text_encoder = texts.encoder  # the card describes the encoder, not the cache around it
                model.save(home)  # damsm.json comes last: where it is, the rest is whole
                (home / CHECKPOINT_FILE).unlink(missing_ok=True)
        self.fabric.barrier()
        return home

    def _train(self, texts: TextFeatureCache | None) -> Damsm:
        options, captioned = self.config.damsm, [entry for entry in self.entries if entry.captions]
        training = [entry for entry in captioned if entry.split == "train"][: self.config.data.limit or None]
        held_out = [entry for entry in captioned if entry.split == "test"]
        config = DamsmConfig(
            text_encoder=self.config.text.encoder,
            text_path=self.config.text.path,
            image_encoder=options.image_encoder,
            image_path=options.image_path,
            image_px=self.image_px,
            input_px=self.config.loss.feature_px,
            captions_per_picture=options.captions_per_picture,
            steps=options.steps,
            batch_size=options.batch_size,
            word_weight=options.word_weight if texts is None or self.config.loss.reads_words else 0.0,
            seed=self.config.train.seed,
        )
        return train_damsm(
            [*training, *held_out[:: max(1, len(held_out) // REPORT_PICTURES)][:REPORT_PICTURES]],
            config,
            text_encoder=texts,
            cache=self.cache,
            checkpoint=self.folder / TEXT_FOLDER / CHECKPOINT_FILE,
            device=self.fabric.device,
            progress=self.progress,
        )


def _suits(folder: Path, *, lstm: bool, words: bool) -> bool:
    """Whether the folder holds a model over such a text encoder that learned words where they are needed."""
    file = folder / "damsm.json"
    if not file.is_file():
        return False
    card = read_json(file)
    learned_words = card["report"].get("config", {}).get("word_weight", 0) > 0
    return (card["text_encoder"]["name"] == "lstm") == lstm and (learned_words or not words)
