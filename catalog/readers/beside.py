"""Files that no table names, joined to products by their place: pictures named after a key, texts beside pictures."""

from __future__ import annotations

import re
import unicodedata

from catalog.paths import IMAGE_SUFFIXES, TEXT_SUFFIXES, DumpFile
from catalog.phrases import say
from catalog.readers import picture_names
from catalog.readers.draft import DraftPicture, DraftProduct
from catalog.readers.drafting import Drafting
from catalog.readers.sidecar import ABOUT_THE_DUMP, facts_of, read_text, text_attribute
from catalog.records import Issue

_VIEW = re.compile(r"[ _\-.]*(\([^()]*\)|\[[^\[\]]*\]|\d{1,3}|front|back|side|main|top|left|right|detail)$", re.I)
_BEFORE_BRACKET = re.compile(r"\s+(?=[(\[])")


def join_pictures(drafting: Drafting) -> int:
    """Give products without a picture those named after their key, and return how many products got some.

    `KEY.jpg`, `KEY_2.jpg` and `KEY/front.jpg` are named so; a variant's key and the product's name count too.
    """
    bare = [product for product in drafting.products.values() if not product.pictures]
    taken = {picture.path for product in drafting.products.values() for picture in product.pictures}
    spare = [file for file in drafting.dump.with_suffix(IMAGE_SUFFIXES) if file.path not in taken]
    if not bare or not spare:
        return 0
    owners: dict[str, str] = {}
    for product in drafting.products.values():
        for key in filter(None, _keys_of(product)):
            owners.setdefault(folded(key), product.sku)
    by_key: dict[str, list[DumpFile]] = {}
    for file in spare:
        # What is another product's key in full shows no view of this one.
        owner = owners.get(folded(file.stem))
        for name in keys_shown(file):
            if owner is None or owners.get(name, owner) == owner:
                by_key.setdefault(name, []).append(file)
    joined = 0
    for product in bare:
        keys = _keys_of(product)
        files = next((found for key in keys if key and (found := by_key.get(folded(key)))), [])
        if not files:
            continue
        joined += 1
        views = picture_names.group([file.stem for file in files], {key.strip() for key in keys})
        files = sorted(files, key=lambda file: views[file.stem].order)
        for number, file in enumerate(files):
            product.pictures.append(DraftPicture(path=file.path, role="extra" if number else "main"))
    if joined:
        said = say("pictures joined to {joined} products by file or folder names that are their keys", joined=joined)
        drafting.evidence.append(said)
    return joined


def keys_shown(file: DumpFile) -> frozenset[str]:
    """Return the keys a picture may be named after: its stem, that without the view it shows, and its folder."""
    stem, folder = folded(file.stem), folded(file.folder.rpartition("/")[2])
    return frozenset({stem, _VIEW.sub("", stem), folder} - {""})


def _keys_of(product: DraftProduct) -> list[str]:
    return [product.sku, *(variant.sku for variant in product.variants), product.name]


def folded(name: str) -> str:
    """Return a key or a file's name as it is compared: `ＴＢ－１０３` is `tb-103`."""
    return _BEFORE_BRACKET.sub("", unicodedata.normalize("NFKC", name).casefold().strip())


def join_texts(drafting: Drafting, encoding: str | None) -> int:
    """Give each text file no table names to the one product whose files lie in its folder or share its stem."""
    texts = drafting.dump.with_suffix(TEXT_SUFFIXES)
    if not texts:
        return 0
    owners: dict[str, set[str]] = {}
    stems: dict[tuple[str, str], str] = {}
    for product in drafting.products.values():
        for file in _files_of(product, drafting):
            owners.setdefault(file.folder, set()).add(product.sku)
            stems[file.folder, _base(file.stem)] = product.sku
    joined = 0
    for file in texts:
        if file.path in drafting.documents or file.stem.casefold() in ABOUT_THE_DUMP:
            continue
        same_stem = stems.get((file.folder, _base(file.stem)))
        folder_owners = owners.get(file.folder, set())
        alone = len(folder_owners) == 1 and (file.folder or len(drafting.products) == 1)
        sku = same_stem or (next(iter(folder_owners)) if alone else None)
        if sku is None:
            continue
        text = read_text(file, encoding)
        drafting.documents.add(file.path)
        if isinstance(text, Issue):
            drafting.issues.append(text)
            continue
        joined += 1
        add_text(drafting.products[sku], file, text)
    if joined:
        drafting.evidence.append(
            say("{joined} text files that no table names joined to the product they lie beside", joined=joined)
        )
    return joined


def add_text(product: DraftProduct, file: DumpFile, text: str) -> None:
    """Add a text file's content: the text, and the facts its lines state."""
    # A file that is named after the key alone does not say what it is.
    stem = product.sku if file.stem.casefold() == product.sku.casefold() else ""
    product.attributes += [text_attribute(file, text, stem), *facts_of(file, text)]
    product.description = product.description or text


def _files_of(product: DraftProduct, drafting: Drafting) -> list[DumpFile]:
    named = [fact.source for fact in product.attributes if fact.source in drafting.dump.files]
    return [drafting.dump.files[path] for path in [*named, *(picture.path for picture in product.pictures)]]


def _base(stem: str) -> str:
    """Return a file's stem without its last `_part`, which says what the file is: `Pear_Information` → `pear`."""
    head, _, _ = stem.rpartition("_")
    return (head or stem).casefold()
