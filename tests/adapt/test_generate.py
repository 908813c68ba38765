"""Candidates are drawn once, and again when what lies there is not theirs."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from sqlalchemy import delete, select

from adapt.config import RunConfig, from_dict, read_preset
from adapt.generate import Prompt, generate
from adapt.models.factory import build_generator
from adapt.scoring import CandidateScorer
from adapt.training.inference import GENERATOR_FILE, load_generator, save_generator
from catalog.dataset import captions_without_picture, freeze
from catalog.ingest import ingest
from catalog.manifest import Manifest
from catalog.records import Caption, ManifestEntry
from catalog.schema import ProductImageRow, ProductRow
from catalog.store import Catalog


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("run")
    config = from_dict(RunConfig, read_preset("pretrain", "debug"))
    save_generator(folder / GENERATOR_FILE, build_generator(config.model), config)
    return load_generator(folder)


def test_products_without_a_picture_can_be_drawn(sample_catalogue: Path, tmp_path: Path) -> None:
    with Catalog.open(tmp_path / "workspace") as catalog:
        ingest(catalog, sample_catalogue)
        assert captions_without_picture(catalog) == {}
        with catalog.write() as session:
            first = session.scalars(select(ProductRow.id).order_by(ProductRow.id)).first()
            session.execute(delete(ProductImageRow).where(ProductImageRow.product_id == first))
        told = captions_without_picture(catalog)
        assert list(told) == [first] and len(told[first]) >= 10 and all(caption.lang == "en" for caption in told[first])
        assert first not in {entry.product_id for entry in freeze(catalog).entries}


def test_candidates_of_a_catalogue_of_one_photo_have_no_text_match(tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    Image.new("RGB", (64, 64), "red").save(picture)
    caption = Caption(id=1, text="a red mug", lang="en", template="t", facts={})
    entry = ManifestEntry(
        image=picture,
        sha256="0" * 64,
        product="s/1",
        product_id=1,
        category="",
        split="train",
        captions=(caption,),
        group="s/1",
    )
    manifest = Manifest(folder=tmp_path, name="one", content_hash="1" * 64, entries=(entry,), seed=0)
    scorer = CandidateScorer(manifest, image_px=64, cache=tmp_path / "cache")
    score = scorer(torch.zeros(1, 3, 64, 64), ["a red mug"], [1])[0]
    assert score.text_match is None and score.nearest_sha256 == "0" * 64


def test_generate_draws_anew_when_a_caption_number_means_another_text(generator: Any, tmp_path: Path) -> None:
    first = generate(generator, [Prompt(product_id=1, caption_id=1, text="a red mug")], tmp_path, per_caption=1)
    drawn = first[0].image.stat().st_mtime_ns
    again = generate(generator, [Prompt(product_id=1, caption_id=1, text="a red mug")], tmp_path, per_caption=1)
    assert again == first and again[0].image.stat().st_mtime_ns == drawn
    other = generate(generator, [Prompt(product_id=1, caption_id=1, text="a blue bowl")], tmp_path, per_caption=1)
    assert other[0].prompt == "a blue bowl"
    assert json.loads(next(tmp_path.glob("*.json")).read_text())["prompt"] == "a blue bowl"
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("text", ['{"prompt": "a', "[]", "{}", "", "\x00"])
def test_generate_draws_a_candidate_again_whose_record_is_damaged(generator: Any, tmp_path: Path, text: str) -> None:
    prompt = [Prompt(product_id=1, caption_id=1, text="a red mug")]
    first = generate(generator, prompt, tmp_path, per_caption=1)
    first[0].image.with_suffix(".json").write_text(text)
    assert generate(generator, prompt, tmp_path, per_caption=1) == first
    assert json.loads(first[0].image.with_suffix(".json").read_text())["prompt"] == "a red mug"


def test_generate_draws_a_candidate_again_whose_picture_is_cut(generator: Any, tmp_path: Path) -> None:
    prompt = [Prompt(product_id=1, caption_id=1, text="a red mug")]
    picture = generate(generator, prompt, tmp_path, per_caption=1)[0].image
    whole = picture.read_bytes()
    for content in (b"", whole[:50], whole[:-40]):
        picture.write_bytes(content)
        generate(generator, prompt, tmp_path, per_caption=1)
        assert picture.read_bytes() == whole


def test_matcher_that_is_damaged_in_the_cache_is_trained_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from adapt import scoring

    class Short(scoring.DamsmConfig):
        def __init__(self, **options: Any) -> None:
            super().__init__(**{**options, "steps": 1})

    monkeypatch.setattr(scoring, "DamsmConfig", Short)
    picture = tmp_path / "a.png"
    Image.new("RGB", (32, 32), "red").save(picture)
    caption = Caption(id=1, text="a red mug", lang="en", template="t", facts={})
    entry = ManifestEntry(picture, "0" * 64, "s/1", 1, "", "train", (caption,), "s/1")
    entries = (entry, replace(entry, product="s/2", product_id=2, group="s/2"))
    manifest = Manifest(folder=tmp_path, name="two", content_hash="1" * 64, entries=entries, seed=0)

    def matcher() -> Any:
        return scoring.matcher_for(manifest, image_px=32, cache=tmp_path / "cache", progress=None)

    weights = matcher().heads.state_dict()
    for name in ("damsm.json", "heads.safetensors"):
        file = next((tmp_path / "cache").glob(f"matcher-*/{name}"))
        file.write_bytes(file.read_bytes()[:40])
        caplog.clear()
        again = matcher().heads.state_dict()
        assert "trained again" in caplog.text
        assert all(torch.equal(weights[key], again[key]) for key in weights)
