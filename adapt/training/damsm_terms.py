"""The losses of DAMSM pretraining on a dataset whose picture features are known."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adapt.data.colour_words import with_other_colour
from adapt.losses.contrastive import fake_to_fake
from adapt.losses.damsm import matching_losses, sentence_scores, word_scores
from adapt.models.damsm import DamsmHeads
from adapt.models.interfaces import ImageFeatures, TextEncoder, TextFeatures
from adapt.models.text_cache import TextFeatureCache
from adapt.models.text_encoder import LSTMTextEncoder
from adapt.training.damsm_config import DamsmConfig
from adapt.training.picture_table import PictureTable

Progress = Callable[[str, int, int], None]


class DamsmTerms:
    """What is trained, on which table of pictures, by which losses."""

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
        self.trained = nn.ModuleList([heads, *([text] if isinstance(text, LSTMTextEncoder) else [])])

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

    def text_features(self, texts: Sequence[str]) -> TextFeatures:
        """Features in the shared space; gradients reach all that is trained."""
        if self.features is not None:
            return self.heads.project_text(self.features.encode(texts, self.device))
        assert isinstance(self.text, LSTMTextEncoder)
        ids, lengths = self.text.tokens(texts)
        features: TextFeatures = self.text(ids.to(self.device), lengths)
        return features

    def sentences(self, texts: Sequence[str]) -> Tensor:
        """Sentence codes of any number of texts."""
        return torch.cat([self.text_features(texts[start : start + 64]).sentence for start in range(0, len(texts), 64)])

    def pooled(self, rows: np.ndarray) -> Tensor:
        """Codes of pictures."""
        return self.table.project(self.heads, torch.from_numpy(rows), self.device).pooled

    def __call__(self, chosen: np.ndarray, rng: np.random.Generator) -> dict[str, Tensor]:
        """Return the unweighted losses of the pictures `chosen`, with captions drawn from `rng`."""
        config = self.config
        ids = self.ids[torch.from_numpy(chosen)].to(self.device)
        image = self.table.project(self.heads, torch.from_numpy(chosen), self.device)
        pairs = [_two(self.captions[i], rng) for i in chosen]
        both = self.text_features([first for first, _ in pairs] + [second for _, second in pairs])
        halves = [both.rows(slice(0, len(chosen))), both.rows(slice(len(chosen), None))]
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
        sentence = self.text_features(own + changed).sentence
        pooled = image.pooled[rows]
        right = F.cosine_similarity(pooled, sentence[: len(own)])
        wrong = F.cosine_similarity(pooled, sentence[len(own) :])
        return F.softplus(self.config.gamma3 * (wrong - right)).mean()

    def weight(self, name: str) -> float:
        """Weight of a term."""
        weights = {"paraphrase": self.config.paraphrase_weight, "colour": self.config.colour_weight}
        return weights.get(name, self.config.word_weight if name.startswith("word") else 1.0)


def _other_colours(own: Sequence[str], seed: int, number: int) -> Mapping[str, str]:
    """Map up to two captions with one colour changed to the captions they come from."""
    rng = np.random.default_rng([seed, 3, number])
    changed = {with_other_colour(text, rng=rng): text for text in rng.permutation(list(own))[:2].tolist()}
    return {other: text for other, text in changed.items() if other is not None}


def _two(captions: Sequence[str], rng: np.random.Generator) -> tuple[str, str]:
    """Draw two captions, different ones where there are."""
    first, second = rng.choice(len(captions), size=2, replace=len(captions) < 2)
    return captions[first], captions[second]
