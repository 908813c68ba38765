"""DAMSM pretraining: teach text and image features to match, before any generator is trained.

Paper: Xu et al. 2018, "AttnGAN", arXiv 1711.10485; paraphrase term of Ye et al. 2021, arXiv 2107.02423 (NT-Xent between
the sentence codes of two captions of one picture, temperature 0.5, weight 1).

Differs from the papers: the image network is frozen and runs once over the dataset, so that a step touches only the
heads (and the lstm); an extra term makes the own caption beat itself with one colour changed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adapt.data.colour_words import with_other_colour
from adapt.data.pictures import load_pictures
from adapt.errors import TrainingError
from adapt.losses.contrastive import fake_to_fake
from adapt.losses.damsm import matching_losses, sentence_scores, word_scores
from adapt.models import encoders
from adapt.models.damsm import Damsm, DamsmHeads, heads_for
from adapt.models.interfaces import ImageFeatures, TextEncoder, TextFeatures
from adapt.models.text_cache import TextFeatureCache
from adapt.models.text_encoder import LSTMTextEncoder, LSTMTextEncoderConfig
from adapt.models.tokenizer import BytePairTokenizer
from adapt.training.damsm_config import DamsmConfig
from adapt.training.damsm_progress import SAVE_EVERY, DamsmCheckpoint
from adapt.training.loop import deferred_interrupt
from adapt.training.picture_table import PictureTable
from catalog.records import ManifestEntry

Progress = Callable[[str, int, int], None]


def train_damsm(
    entries: Sequence[ManifestEntry],
    config: DamsmConfig,
    *,
    text_encoder: TextEncoder | None = None,
    cache: Path | None = None,
    checkpoint: Path | None = None,
    device: torch.device | str = "cpu",
    progress: Progress | None = None,
) -> Damsm:
    """Train on the `train` entries and report on the held-out ones.

    Args:
        entries: pictures with captions. Without a `test` split a share of the groups is held out.
        config: what to train.
        text_encoder: frozen encoder to put heads over instead of the packaged one; not for an lstm.
        cache: folder for decoded pictures and text features.
        checkpoint: file to go on from where it is there, and to save the state to; the caller deletes it in the end.
        device: where to train.
        progress: called with (what, done, total).

    Returns:
        The frozen model; `.report` holds losses and held-out accuracies, `.save(folder)` keeps it.

    Raises:
        TrainingError: fewer than two pictures with captions to train on.
        CheckpointError: the checkpoint is damaged or of another training.
        KeyboardInterrupt: passed on after the state was saved, where there is a checkpoint.
    """
    captioned = [entry for entry in entries if entry.captions]
    training, held_out = _split(captioned, config)
    if len(training) < 2:
        raise TrainingError(
            f"DAMSM pretraining has {len(training)} pictures with captions; it takes 2 or more: run adapt captions"
        )
    ordered = training + held_out
    captions = [[caption.text for caption in entry.captions][: config.captions_per_picture] for entry in ordered]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        text = _text_side(config, captions[: len(training)]) if text_encoder is None else text_encoder
        image = encoders.image_encoder(config.image_encoder, input_px=config.input_px)
        heads = heads_for(
            text,
            image,
            feature_dim=config.feature_dim,
            thumbnail_px=config.thumbnail_px,
            text_heads=config.text_encoder != "lstm",
        )
        pictures = load_pictures(ordered, config.image_px, cache=cache, progress=progress)
        if isinstance(image, nn.Module):
            image.to(device)
        table = PictureTable.compute(image, heads, pictures, device=device, progress=progress)
        ids = torch.tensor([entry.product_id for entry in ordered])
        session = _Session(config, text, heads.to(device), table, captions, ids, len(training), device)
        session.encode_captions(cache, progress)
        losses = session.fit(checkpoint, progress)
        scores = session.score(np.arange(len(training), len(ordered)))
    model = Damsm(text, image, heads).cpu()
    model.report = {"config": asdict(config), "pictures": len(training), "losses": losses, **scores}
    return model


class _Session:
    """State of one pretraining: what is trained, on which table."""

    def __init__(
        self,
        config: DamsmConfig,
        text: TextEncoder,
        heads: DamsmHeads,
        table: PictureTable,
        captions: Sequence[Sequence[str]],
        ids: Tensor,
        training: int,
        device: torch.device | str,
    ) -> None:
        """Take all pictures, the first `training` of which are trained on."""
        self.config, self.text, self.heads, self.table = config, text, heads, table
        self.captions, self.ids, self.training, self.device = captions, ids, training, device
        self.features: TextFeatureCache | None = None
        if not isinstance(text, LSTMTextEncoder):
            self.features = text if isinstance(text, TextFeatureCache) else TextFeatureCache(text)
        self.changed = [
            _other_colours(own, config.seed, number) if config.colour_weight or number >= training else {}
            for number, own in enumerate(captions)
        ]

    def fit(self, path: Path | None, progress: Progress | None) -> dict[str, float]:
        """Train, going on from the checkpoint at `path`; return each term's mean over the last tenth of the steps."""
        config = self.config
        modules = nn.ModuleList([self.heads, *([self.text] if isinstance(self.text, LSTMTextEncoder) else [])])
        modules.to(self.device).train()
        optimizer = torch.optim.AdamW(
            modules.parameters(), lr=config.learning_rate, betas=(0.5, 0.999), weight_decay=config.weight_decay
        )
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
            optimizer, config.steps, eta_min=config.learning_rate / 10
        )
        rng = np.random.default_rng([config.seed, 1])
        checkpoint = DamsmCheckpoint(path=path, modules=modules, optimizer=optimizer, schedule=schedule, rng=rng)
        position = checkpoint.load()
        size = min(config.batch_size, self.training)
        reported = max(config.steps // 10, 1)
        with deferred_interrupt() as interrupted:
            while position.step < config.steps:
                if len(position.order) < size:
                    position.order = rng.permutation(self.training)
                chosen, position.order = position.order[:size], position.order[size:]
                terms = self._terms(chosen, rng)
                loss = sum((self._weight(name) * value for name, value in terms.items()), torch.zeros(()))
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                if isinstance(self.text, LSTMTextEncoder):
                    nn.utils.clip_grad_norm_(self.text.parameters(), 0.25)
                optimizer.step()
                schedule.step()
                position.step += 1
                if position.step > config.steps - reported:
                    position.history.append({name: float(value.detach()) for name, value in terms.items()})
                if progress is not None:
                    progress("DAMSM", position.step, config.steps)
                if position.step % SAVE_EVERY == 0 or interrupted():
                    checkpoint.save(position)
                    if interrupted():
                        raise KeyboardInterrupt
        modules.eval()
        names = position.history[-1]
        return {name: float(np.mean([terms[name] for terms in position.history])) for name in names}

    def encode_captions(self, cache: Path | None, progress: Progress | None) -> None:
        """Run a frozen text encoder over all captions, in chunks that progress can show; keep the result in `cache`."""
        if self.features is None:
            return
        if self.features is self.text:
            cache = None  # the caller keeps what it gave
        file = cache / f"words-{self.text.name.replace('/', '--')}.safetensors" if cache is not None else None
        if file is not None and file.is_file():
            self.features = TextFeatureCache.load(file, self.text)
        known = len(self.features)
        texts = [text for own in (*self.captions, *self.changed) for text in own]
        chunk = 512
        for start in range(0, len(texts), chunk):
            self.features.add(texts[start : start + chunk], device=self.device)
            if progress is not None:
                progress("text features", min(start + chunk, len(texts)), len(texts))
        if file is not None and len(self.features) > known:
            self.features.save(file)

    def _text(self, texts: Sequence[str]) -> TextFeatures:
        if self.features is not None:
            return self.heads.project_text(self.features.encode(texts, self.device))
        assert isinstance(self.text, LSTMTextEncoder)
        ids, lengths = self.text.tokens(texts)
        features: TextFeatures = self.text(ids.to(self.device), lengths)
        return features

    def _sentences(self, texts: Sequence[str]) -> Tensor:
        return torch.cat([self._text(texts[start : start + 64]).sentence for start in range(0, len(texts), 64)])

    def _pooled(self, rows: np.ndarray) -> Tensor:
        return self.table.project(self.heads, torch.from_numpy(rows), self.device).pooled

    def _terms(self, chosen: np.ndarray, rng: np.random.Generator) -> dict[str, Tensor]:
        """Return the unweighted losses of one batch."""
        config = self.config
        ids = self.ids[torch.from_numpy(chosen)].to(self.device)
        image = self.table.project(self.heads, torch.from_numpy(chosen), self.device)
        pairs = [_two(self.captions[i], rng) for i in chosen]
        both = self._text([first for first, _ in pairs] + [second for _, second in pairs])
        halves = [_rows(both, slice(0, len(chosen))), _rows(both, slice(len(chosen), None))]
        # The words of one caption are enough a step: their cost is most of it, and the pair is drawn anew each time.
        terms = self._word_terms(halves[0], image, ids) if config.word_weight else {}
        sentences = [
            matching_losses(sentence_scores(half.sentence, image.pooled), ids, gamma3=config.gamma3) for half in halves
        ]
        terms["sentence_caption"] = (sentences[0][0] + sentences[1][0]) / 2
        terms["sentence_picture"] = (sentences[0][1] + sentences[1][1]) / 2
        if config.paraphrase_weight:
            terms["paraphrase"] = fake_to_fake(
                halves[0].sentence, halves[1].sentence, ids, temperature=config.paraphrase_temperature
            )
        if config.colour_weight:
            terms["colour"] = self._colour_term(chosen, image, rng)
        return terms

    def _word_terms(self, text: TextFeatures, image: ImageFeatures, ids: Tensor) -> dict[str, Tensor]:
        config = self.config
        scores = word_scores(text.words, text.mask, image.regions, gamma1=config.gamma1, gamma2=config.gamma2)
        caption, picture = matching_losses(scores, ids, gamma3=config.gamma3)
        return {"word_caption": caption, "word_picture": picture}

    def _colour_term(self, chosen: np.ndarray, image: ImageFeatures, rng: np.random.Generator) -> Tensor:
        """Return −log p(own caption | own or its colour-changed twin), a mean over the captions that name a colour."""
        own, changed, rows = [], [], []
        for row, i in enumerate(chosen):
            if self.changed[i]:
                source = list(self.changed[i])
                other = source[int(rng.integers(len(source)))]
                own.append(self.changed[i][other])
                changed.append(other)
                rows.append(row)
        if not rows:
            return torch.zeros((), device=image.pooled.device)
        sentence = self._text(own + changed).sentence
        pooled = image.pooled[rows]
        right = F.cosine_similarity(pooled, sentence[: len(own)])
        wrong = F.cosine_similarity(pooled, sentence[len(own) :])
        return F.softplus(self.config.gamma3 * (wrong - right)).mean()

    def _weight(self, name: str) -> float:
        weights = {"paraphrase": self.config.paraphrase_weight, "colour": self.config.colour_weight}
        return weights.get(name, self.config.word_weight if name.startswith("word") else 1.0)

    @torch.no_grad()
    def score(self, rows: np.ndarray, *, candidates: int = 100) -> dict[str, Any]:
        """Return R-precision and colour choice on `rows`.

        `r_precision`: share of pictures whose own caption scores best among itself and captions of other products,
        `candidates` in all. `colour_choice`: share of captions that score better than with one colour changed.
        """
        modules = [self.heads, *([self.text] if isinstance(self.text, LSTMTextEncoder) else [])]
        for module in modules:
            module.to(self.device).eval()
        rng = np.random.default_rng([self.config.seed, 2])
        hits, wins = [], []
        if len(rows):
            pooled = torch.cat([self._pooled(part) for part in np.array_split(rows, -(-len(rows) // 64))])
            first = sentence_scores(self._sentences([self.captions[i][0] for i in rows]), pooled)
            for position, i in enumerate(rows):
                others = [int(j) for j in rng.permutation(len(rows)) if self.ids[rows[j]] != self.ids[i]]
                if others:
                    hits.append(bool(first[position, position] > first[position, others[: candidates - 1]].max()))
                if self.changed[i]:
                    twins = self._sentences([*self.changed[i].values(), *self.changed[i]])
                    right, wrong = sentence_scores(twins, pooled[position : position + 1])[0].chunk(2)
                    wins.extend((right > wrong).tolist())
        return {
            "r_precision": {"value": float(np.mean(hits)) if hits else None, "n": len(hits), "candidates": candidates},
            "colour_choice": {"value": float(np.mean(wins)) if wins else None, "n": len(wins), "chance": 0.5},
        }


def _split(entries: Sequence[ManifestEntry], config: DamsmConfig) -> tuple[list[ManifestEntry], list[ManifestEntry]]:
    """Split by the entries' own marks, else by seeded groups; a group never lies on both sides."""
    held_out = {entry.group for entry in entries if entry.split == "test"}
    if not held_out:
        groups = sorted({entry.group for entry in entries})
        count = round(config.held_out_share * len(groups))
        held_out = set(np.random.default_rng([config.seed, 0]).permutation(groups)[:count].tolist())
    training = [entry for entry in entries if entry.group not in held_out]
    return training, [entry for entry in entries if entry.group in held_out]


def _text_side(config: DamsmConfig, captions: Sequence[Sequence[str]]) -> TextEncoder:
    if config.text_encoder == "transformers":
        return encoders.text_encoder("transformers")
    tokenizer = BytePairTokenizer.train((text for own in captions for text in own), vocabulary=config.vocabulary)
    return LSTMTextEncoder(tokenizer, LSTMTextEncoderConfig(hidden_dim=config.feature_dim // 2))


def _other_colours(own: Sequence[str], seed: int, number: int) -> Mapping[str, str]:
    """Map up to two captions with one colour changed to the captions they come from."""
    rng = np.random.default_rng([seed, 3, number])
    changed = {with_other_colour(text, rng=rng): text for text in rng.permutation(list(own))[:2].tolist()}
    return {other: text for other, text in changed.items() if other is not None}


def _two(captions: Sequence[str], rng: np.random.Generator) -> tuple[str, str]:
    """Draw two captions, different ones where there are."""
    first, second = rng.choice(len(captions), size=2, replace=len(captions) < 2)
    return captions[first], captions[second]


def _rows(features: TextFeatures, rows: slice) -> TextFeatures:
    return TextFeatures(words=features.words[rows], sentence=features.sentence[rows], mask=features.mask[rows])
