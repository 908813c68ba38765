"""Frozen dataset folders: round trip, idempotence and one-line refusals."""

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from catalog import manifest
from catalog.errors import CatalogError
from catalog.records import Caption, ManifestEntry


def _entry(folder: Path, content: bytes, *, split: str = "train", text: str = "a red mug") -> ManifestEntry:
    image = folder / f"{content.decode()}.png"
    image.write_bytes(content)
    caption = Caption(id=7, text=text, lang="en", template="full_1", facts={"noun": "mug", "colour": "red"})
    return ManifestEntry(
        image=image,
        sha256=hashlib.sha256(content).hexdigest(),
        product="shop/1",
        product_id=1,
        category="mugs",
        split=split,
        captions=(caption,),
        group="shop/1",
        box=(1, 2, 3, 4),
    )


@pytest.fixture
def frozen(tmp_path: Path) -> manifest.Manifest:
    entries = [_entry(tmp_path, b"one"), _entry(tmp_path, b"two", split="test", text="赤い\u2028マグカップ")]
    return manifest.write(tmp_path / "datasets" / "shop", entries, name="shop", seed=3)


def test_write_then_read_gives_the_same_entries(frozen: manifest.Manifest) -> None:
    again = manifest.read(frozen.folder)
    assert again == frozen
    assert again.counts == {"images": 2, "products": 1, "captions": 2, "train": 1, "test": 1}
    assert again.seed == 3
    for entry in again.entries:
        assert entry.image.parent == frozen.folder / "images"
        assert hashlib.sha256(entry.image.read_bytes()).hexdigest() == entry.sha256


def test_variants_are_kept_and_cost_nothing_where_there_are_none(tmp_path: Path) -> None:
    plain = _entry(tmp_path, b"one")
    marked = replace(plain, variants=("b" * 64,))
    assert manifest.content_hash([plain]) != manifest.content_hash([marked])
    assert manifest.write(tmp_path / "marked", [marked], name="shop").entries[0].variants == ("b" * 64,)
    assert manifest.write(tmp_path / "plain", [plain], name="shop").entries[0].variants == ()
    assert "variants" not in (tmp_path / "plain" / "manifest.jsonl").read_text()


def test_write_of_the_same_content_touches_nothing(frozen: manifest.Manifest) -> None:
    before = (frozen.folder / "dataset.json").stat().st_mtime_ns
    assert manifest.write(frozen.folder, frozen.entries, name="shop", seed=3) == frozen
    assert (frozen.folder / "dataset.json").stat().st_mtime_ns == before


def test_write_refuses_to_replace_another_dataset(frozen: manifest.Manifest) -> None:
    with pytest.raises(CatalogError, match="holds another dataset"):
        manifest.write(frozen.folder, frozen.entries[:1], name="shop")


def test_write_refuses_a_changed_picture_and_leaves_nothing(tmp_path: Path) -> None:
    entry = _entry(tmp_path, b"one")
    entry.image.write_bytes(b"other")
    with pytest.raises(CatalogError, match="has changed on disk"):
        manifest.write(tmp_path / "out", [entry], name="shop")
    entry.image.unlink()
    with pytest.raises(CatalogError, match="is gone"):
        manifest.write(tmp_path / "out", [entry], name="shop")
    assert sorted(path.name for path in tmp_path.iterdir()) == []


def test_read_names_the_damage_in_one_line(frozen: manifest.Manifest) -> None:
    def error() -> str:
        with pytest.raises(CatalogError) as raised:
            manifest.read(frozen.folder)
        assert "\n" not in str(raised.value)
        return str(raised.value)

    lines = (frozen.folder / "manifest.jsonl").read_text(encoding="utf-8")
    (frozen.folder / "manifest.jsonl").write_text(lines.replace("red", "blue"), encoding="utf-8")
    assert "delete the folder and freeze it again" in error()
    (frozen.folder / "manifest.jsonl").write_text(lines, encoding="utf-8")
    frozen.entries[0].image.unlink()
    assert f"{frozen.entries[0].sha256}.png of line 1 is missing" in error()
    about = json.loads((frozen.folder / "dataset.json").read_text())
    (frozen.folder / "dataset.json").write_text(json.dumps(about | {"format": 99}))
    assert "has format 99, this version reads up to 1" in error()
    (frozen.folder / "dataset.json").write_text("{")
    assert "dataset.json cannot be read" in error()
    shutil.rmtree(frozen.folder)
    assert "no dataset at" in error()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("image", "../../secret", "is not images/"),
        ("split", "val", "not one of train, test"),
        ("captions", [{}], "line 1"),
    ],
)
def test_read_refuses_a_line_that_states_nonsense(
    frozen: manifest.Manifest, field: str, value: object, message: str
) -> None:
    path = frozen.folder / "manifest.jsonl"
    first = json.loads(path.read_text(encoding="utf-8").split("\n")[0]) | {field: value}
    path.write_text(json.dumps(first) + "\n", encoding="utf-8")
    about = json.loads((frozen.folder / "dataset.json").read_text())
    about["content_hash"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (frozen.folder / "dataset.json").write_text(json.dumps(about))
    with pytest.raises(CatalogError, match=message):
        manifest.read(frozen.folder)
