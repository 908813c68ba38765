"""Text and image towers of a CLIP model, through open_clip.

Paper: Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision", arXiv 2103.00020.
No CLIP weights ship in a package: give a folder, a file, or allow a download (`adapt.weights`).
"""

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import open_clip
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from adapt import weights
from adapt.models.interfaces import ImageFeatures, TextFeatures
from adapt.models.tokenizer import well_formed
from adapt.weights import DEFAULT_CLIP, WeightsError


class OpenClipEncoder(nn.Module):
    """Frozen: a `TextEncoder` and an `ImageEncoder` in one. Features of both sides have length 1 and one space."""

    kind = "open_clip"
    """Name it is registered under; `recipe` holds the options that build it again."""

    def __init__(
        self,
        model: str = DEFAULT_CLIP,
        *,
        path: Path | str | None = None,
        architecture: str = "ViT-B-32",
        max_words: int = 32,
        allow_download: bool | None = None,
    ) -> None:
        """Load both towers.

        Args:
            model: a Hugging Face id, or a folder or file.
            path: a folder with open_clip_config.json and weights, or a weights file of `architecture`.
            architecture: name in open_clip, used only for a single weights file.
            max_words: word features kept for one text.
            allow_download: see `adapt.weights.find`.

        Raises:
            WeightsError: weights missing, a pickle with more than tensors, or a tokenizer that is not CLIP's own.
        """
        super().__init__()
        self.mean: Tensor
        self.std: Tensor
        self._clip: Any
        found = weights.find(model, path=path, allow_download=allow_download)
        self._clip = _build(found, architecture).eval().requires_grad_(False)
        self._tokenizer = open_clip.SimpleTokenizer(context_length=self._clip.context_length)
        # Caches are known by the name: two models must not share features.
        self.name = f"open_clip:{found.name}-{weights.fingerprint(found)}"
        self.recipe: Mapping[str, Any] = {
            "model": model,
            "path": str(Path(path).expanduser().absolute()) if path is not None else None,
            "architecture": architecture,
            "max_words": max_words,
        }
        self.max_words = max_words
        mean, std = self._clip.visual.image_mean, self._clip.visual.image_std
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)
        size = self._clip.visual.image_size
        self.input_px = int(size[0] if isinstance(size, tuple | list) else size)
        probe = self.encode(["a"])
        self.word_dim, self.sentence_dim = probe.words.shape[-1], probe.sentence.shape[-1]
        with torch.no_grad():
            seen = self(torch.zeros(1, 3, self.input_px, self.input_px))
        self.dim, self.region_dim = seen.pooled.shape[1], seen.regions.shape[1]

    def train(self, mode: bool = True) -> "OpenClipEncoder":
        """Stay in evaluation mode: both towers are frozen."""
        return super().train(False)

    @torch.no_grad()
    def encode(self, texts: Sequence[str], device: torch.device | str = "cpu") -> TextFeatures:
        """Return features of `texts` on `device`."""
        if not texts:
            raise ValueError("no texts to encode: pass at least one")
        self.to(device)
        # The tokenizer's own cut happens after slow per-word merging; no caption needs this many characters.
        ids = self._tokenizer([well_formed(text)[:2000] for text in texts])  # (B, L): start, words, end, zeros
        ids = ids.to(device)
        output = self._clip.forward_intermediates(text=ids, text_indices=1, normalize_intermediates=True)
        end = (ids == self._tokenizer.eot_token_id).int().argmax(1)  # (B,)
        position = torch.arange(ids.shape[1], device=device)
        mask = (position >= 1) & (position < end.clamp(min=2)[:, None])  # an empty text keeps its end token
        width = min(self.max_words, int(mask.sum(1).max()))
        mask = mask[:, 1 : 1 + width]
        words = output["text_intermediates"][-1][:, 1 : 1 + width].float() * mask[..., None]
        return TextFeatures(words=words, sentence=output["text_features"].float(), mask=mask)

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> ImageFeatures:
        """Return features of pictures in [-1, 1]; gradients reach the pictures."""
        size = (self.input_px, self.input_px)
        if images.shape[-2:] != size:
            shrinks = max(images.shape[-2:]) > self.input_px
            images = F.interpolate(images, size=size, mode="bilinear", align_corners=False, antialias=shrinks)
        images = ((images + 1) / 2 - self.mean) / self.std
        output = self._clip.forward_intermediates(image=images, image_indices=1)
        return ImageFeatures(regions=output["image_intermediates"][-1].flatten(2), pooled=output["image_features"])


def _build(found: Path, architecture: str) -> nn.Module:
    try:
        if found.is_dir():
            _refuse_foreign_text_tower(found)
            model = open_clip.create_model(f"local-dir:{found}", require_pretrained=True)
        else:
            logging.getLogger(__name__).debug("weights file %s read as %s", found, architecture)
            model = open_clip.create_model(architecture, pretrained=str(found))
    except WeightsError:
        raise
    except UnpicklingError as error:
        raise WeightsError(
            f"refused weights {found}: a pickle with more than tensors; convert it to .safetensors where you trust it"
        ) from error
    except Exception as error:  # the restricted loader raises many types for damaged and foreign files
        reason = " ".join(str(error).split())[:160]
        raise WeightsError(
            f"{found} is no open_clip model ({reason}); give a folder with open_clip_config.json and weights, "
            "or a weights file and its architecture"
        ) from error
    built: nn.Module = model
    weights.refuse_not_finite(built.state_dict(), found)
    return built


def _refuse_foreign_text_tower(folder: Path) -> None:
    """Towers and tokenizers that open_clip would fetch from the hub by itself are not loaded."""
    config = json.loads((folder / "open_clip_config.json").read_text(encoding="utf-8"))
    text = config.get("model_cfg", {}).get("text_cfg", {})
    foreign = sorted(key for key in ("hf_model_name", "hf_tokenizer_name") if text.get(key))
    if foreign:
        raise WeightsError(
            f"{folder} takes its text tower from elsewhere ({', '.join(foreign)}); "
            "give a model with CLIP's own tokenizer"
        )
