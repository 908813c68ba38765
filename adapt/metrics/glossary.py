"""What each figure asks, for the people who read a report."""

from dataclasses import dataclass

SUBJECTS = (
    "Realism",
    "Coverage and diversity",
    "Fit to the caption",
    "Consistency under paraphrase",
    "Response to wording, noise and attributes",
    "Colour",
    "Copies",
)
OTHER = "Other"


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """How to read one figure."""

    subject: str
    better: str
    """`higher`, `lower`, or empty where a figure is a control or good in the middle."""
    asks: str


def _of(subject: int, better: str, asks: str) -> Meaning:
    return Meaning(subject=SUBJECTS[subject], better=better, asks=asks)


MEANINGS = {
    "kid": _of(0, "lower", "Distance of the pictures' features from those of real ones; unbiased, may be below 0."),
    "kid_real": _of(0, "", "The same of training pictures: the floor."),
    "fid": _of(0, "lower", "Fréchet distance of the features; grows as n shrinks, so compare at one n only."),
    "fid_real": _of(0, "", "The same of as many training pictures: the floor at this n."),
    "precision": _of(0, "higher", "Share of pictures within the neighbourhood of some real one."),
    "precision_real": _of(0, "", "The same of training pictures."),
    "density": _of(0, "higher", "How many real neighbourhoods a picture lies in, over k; 1 is as dense as real ones."),
    "density_real": _of(0, "", "The same of training pictures."),
    "recall": _of(1, "higher", "Share of real pictures within the neighbourhood of some generated one."),
    "recall_real": _of(1, "", "The same of training pictures."),
    "coverage": _of(1, "higher", "Share of real neighbourhoods that hold a generated picture."),
    "coverage_real": _of(1, "", "The same of training pictures."),
    "diversity_captions": _of(1, "", "How unlike pictures of different captions are, under one noise."),
    "diversity_noise": _of(1, "", "How unlike pictures of one caption are, under different noise; 0: noise unused."),
    "r_precision": _of(2, "higher", "Own caption fits best among those of other products, by an unseen matcher."),
    "r_precision_real": _of(2, "", "The same of real pictures: what the matcher can reach."),
    "cross_caption": _of(2, "higher", "The photo's other caption, which was not drawn from, fits best."),
    "fake_real": _of(2, "higher", "Likeness to the photo that the caption describes, less that to other photos."),
    "fake_real_ceiling": _of(2, "", "Likeness of two photos of one product, less that of others."),
    "real_top1": _of(2, "higher", "The picture finds the photo its caption describes among others."),
    "consistency_within": _of(3, "", "Likeness of two captions' pictures of one item; a collapsed generator has 1."),
    "consistency_between": _of(3, "", "Likeness of pictures of different items; a collapsed generator has 1."),
    "consistency_gap": _of(3, "higher", "Within less between: what wording keeps and the item decides."),
    "consistency_gap_real": _of(3, "", "The gap of photographs, where both captions show the same one."),
    "consistency_top1": _of(3, "higher", "The picture of one caption finds that of the other."),
    "consistency_beyond_text": _of(
        3, "higher", "The gap that is left when the likeness of the texts is accounted for."
    ),
    "text_cosine": _of(3, "", "Likeness of the two captions to the text encoder; chance: of different items."),
    "distance_paraphrase": _of(4, "lower", "How far another wording moves the picture."),
    "distance_noise": _of(4, "", "How far another noise moves the picture; must not fall to 0."),
    "distance_ratio": _of(4, "lower", "The first over the second: below 1, wording moves it less than noise does."),
    "hard_negative_distance": _of(4, "higher", "How far a changed attribute moves the picture."),
    "hard_negative_ratio": _of(4, "higher", "That over how far another wording does; above 1 it should be."),
    "colour_moved": _of(5, "higher", "After the colour word changed, the picture's colour is the new one."),
    "colour_gained": _of(5, "higher", "After the colour word changed, that colour grew most."),
    "colour_agreement": _of(5, "higher", "The picture's colour is the one the caption names."),
    "colour_agreement_real": _of(5, "", "The same of photographs: what the measure can reach."),
    "copy_rate": _of(6, "lower", "Share of pictures closer to a training picture than real neighbours are."),
}


def meaning(name: str) -> Meaning:
    """How to read a figure; one by a further extractor is read like the judge's own.

    Returns:
        Subject `Other` for a figure nobody described.
    """
    while name not in MEANINGS:
        name, _, cut = name.rpartition("_")
        if not cut or not name:
            return Meaning(subject=OTHER, better="", asks="")
    return MEANINGS[name]


def is_control(name: str) -> bool:
    """Whether a figure is what real pictures score, and not the generator; `fake_real` is no control of a `fake`."""
    return name.endswith("_ceiling") or (name.endswith("_real") and name.removesuffix("_real") in MEANINGS)
