"""Files of a run that are damaged, foreign or cannot be written: one line each, and nothing lost."""

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from adapt.config import NetworkConfig, RunConfig
from adapt.errors import CheckpointError
from adapt.fewshot.lora import adapt_generator, load_adapter, save_adapter
from adapt.models.factory import build_generator
from adapt.training.checkpoint import TrainingState, read_run_settings, read_tensors, write_tensors
from adapt.training.inference import GENERATOR_FILE, load_generator, save_generator

SMALL = {"image_px": 32, "widths": [64, 64, 32, 16], "gate_init": 1.0}


def _config() -> RunConfig:
    return RunConfig(
        model=NetworkConfig(name="ssa_gan", options=SMALL), discriminator=NetworkConfig(name="projected", options={})
    )


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    config = _config()
    save_generator(folder / GENERATOR_FILE, build_generator(config.model), config)
    return folder


def rewrite(path: Path, change: Callable[[dict[str, Tensor]], object]) -> None:
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path, metadata=metadata)


def refusal(folder: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_generator(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda whole: whole[: len(whole) // 2], r"generator.safetensors is damaged \(.*name another run or base"),
        (lambda whole: b"", r"is damaged \("),
        (lambda whole: pickle.dumps({"a": 1}), "refused .*a pickle under the name of a .safetensors file"),
        (lambda whole: b"PK\x03\x04" + whole, "refused .*a pickle under the name"),
    ],
)
def test_damaged_generator_file_is_refused(run: Path, content: Callable[[bytes], bytes], message: str) -> None:
    file = run / GENERATOR_FILE
    file.write_bytes(content(file.read_bytes()))
    with pytest.raises(CheckpointError, match=message):
        load_generator(run)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (None, "was not written by adapt"),
        ("3", "was not written by adapt"),
        ("{}", "not usable by this version .no config in it"),
        ('{"config": 3}', "a config is 3; it is a table of sections"),
        ('{"config": {"model": {}, "discriminator": {"name": "projected"}}}', "names no network"),
        ('{"config": {"model": {"name": "ssa_gan"}, "discriminator": {"name": "x"}, "new": 1}}', "unknown key 'new'"),
    ],
)
def test_foreign_generator_file_is_refused(run: Path, metadata: str | None, message: str) -> None:
    save_file({"a": torch.zeros(1)}, run / GENERATOR_FILE, metadata={"adapt": metadata} if metadata else None)
    assert message.replace(".no", "(no") in refusal(run)


def test_generator_of_another_architecture_names_key_and_shapes(run: Path) -> None:
    name = "blocks.0.affine1.beta.0.bias"
    rewrite(run / GENERATOR_FILE, lambda tensors: tensors.update({name: torch.zeros(3)}))
    assert f"'{name}' is (3,), the model has (256,); the file belongs to another architecture: set" in refusal(run)
    rewrite(run / GENERATOR_FILE, lambda tensors: tensors.pop(name))
    assert f"'{name}' is missing" in refusal(run)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_generator_with_values_that_are_not_finite_names_the_tensor(run: Path, value: float) -> None:
    name = "blocks.0.affine1.beta.2.weight"
    rewrite(run / GENERATOR_FILE, lambda tensors: tensors[name].view(-1)[:1].fill_(value))
    assert f"run/{GENERATOR_FILE}: '{name}' holds NaN or infinity" in refusal(run)


def test_adapter_with_values_that_are_not_finite_or_a_pickle_is_refused(tmp_path: Path) -> None:
    config = _config()
    network = adapt_generator(build_generator(config.model), method="lora", rank=1, alpha=1.0)
    save_adapter(network, tmp_path)
    assert isinstance(load_adapter(build_generator(config.model), tmp_path), nn.Module)
    file = tmp_path / "adapter_model.safetensors"
    rewrite(file, lambda tensors: tensors[sorted(tensors)[0]].fill_(float("nan")))
    with pytest.raises(CheckpointError, match="holds NaN or infinity"):
        load_adapter(build_generator(config.model), tmp_path)
    file.write_bytes(pickle.dumps({}))
    with pytest.raises(CheckpointError, match="a pickle under the name"):
        load_adapter(build_generator(config.model), tmp_path)


def _state(width: int = 3) -> TrainingState:
    torch.manual_seed(0)
    network = nn.Linear(2, width)
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    return TrainingState(networks={"generator": network}, optimizers={"generator": optimizer})


def test_checkpoint_of_another_training_names_what_does_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    _state().save(path, step=1, images_seen=4, extra={})
    assert _state().load(path)["step"] == 1
    with pytest.raises(
        CheckpointError, match=r"checkpoint.safetensors, generator: 'weight' is \(3, 2\), the model has"
    ):
        _state(4).load(path)
    tensors, metadata = read_tensors(path)
    write_tensors(path, tensors | {"optimizer/generator/0.exp_avg": torch.zeros(7)}, metadata)
    with pytest.raises(CheckpointError, match=r"'0.exp_avg' is \(7,\), which fits no parameter.*--new"):
        _state().load(path)
    write_tensors(path, tensors | {"optimizer/generator/9.exp_avg": torch.zeros(7)}, metadata)
    with pytest.raises(CheckpointError, match=r"'9.exp_avg'"):
        _state().load(path)
    write_tensors(path, tensors, {"step": "soon"})
    with pytest.raises(CheckpointError, match="does not say how far the run was; delete it and run the same command"):
        _state().load(path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(CheckpointError, match="the run then starts from step 0"):
        _state().load(path)


FULL_DISK = """
import resource, sys; from pathlib import Path; import torch
from adapt.errors import CheckpointError; from adapt.training.checkpoint import write_tensors
path = Path(sys.argv[1]); write_tensors(path, {"a": torch.zeros(10)}, {"step": 1})
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try: write_tensors(path, {"a": torch.zeros(10_000)}, {"step": 2})
except CheckpointError as error: print(error)
"""


def test_disk_that_takes_no_more_keeps_the_last_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    done = subprocess.run([sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"cannot write {path}: File too large; what was saved before is kept, make room")
    assert done.stdout.count("\n") == 1
    assert read_tensors(path)[1] == {"step": 1} and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read"),
        ("[1]", "holds no object"),
        ('{"config": 3}', "'config' is 3"),
        ('{"shots": 5}', "'shot"),
    ],
)
def test_damaged_config_of_a_run_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    assert read_run_settings(tmp_path) == {}
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(CheckpointError, match=f"config.json.*{message}.*name another run or start one with --new"):
        read_run_settings(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"config": {}, "shots": []}))
    assert read_run_settings(tmp_path)["shots"] == []
