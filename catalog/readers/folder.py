"""A folder of pictures without a table: names, folders and text files beside the pictures say what is what."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence

from catalog.paths import IMAGE_SUFFIXES, DumpFile
from catalog.readers import headers
from catalog.readers.cells import clean, clean_line
from catalog.readers.draft import DraftAttribute, DraftCatalogue, DraftPicture, DraftProduct
from catalog.readers.encoding import decode_text
from catalog.readers.sidecar import ABOUT_THE_DUMP, facts_of, read_text
from catalog.readers.table_set import TableSet
from catalog.records import Issue

NAME = "folder"
_SIDECAR_SUFFIXES = frozenset({".txt", ".md", ".html", ".htm", ".json"})
_VIEW_WORD = r"front|back|side|main|top|bottom|left|right|detail|inside|open|closed|image|img|photo|pic|dsc\w?|view"
_VIEW = re.compile(rf"[ _\-.]+(?:\(?\d{{1,4}}\)?|{_VIEW_WORD}|[a-e]\d[clrns]\d)$", re.I)
_ONLY_VIEW = re.compile(rf"^(?:{_VIEW_WORD})?[ _\-.]*\(?\d*\)?$", re.I)
_PICTURE_FOLDERS = frozenset(
    {"img", "imgs", "image", "images", "photo", "photos", "pictures", "pics", "media", "assets"}
)
_FOLDER_TEXTS = frozenset({"spec", "specs", "description", "info", "product", "data", "about", "text"})


def read(tables: TableSet) -> DraftCatalogue:
    """Read a dump by its files alone; without products when it holds no pictures."""
    dump, encoding = tables.dump, tables.encoding
    folders: dict[str, list[DumpFile]] = {}
    for file in dump.with_suffix(IMAGE_SUFFIXES):
        folders.setdefault(file.folder, []).append(file)
    texts: dict[str, list[DumpFile]] = {}
    for file in dump.with_suffix(_SIDECAR_SUFFIXES):
        if file.stem.casefold() not in ABOUT_THE_DUMP:
            texts.setdefault(file.folder, []).append(file)
    catalogue = DraftCatalogue(reader=NAME)
    taken: set[str] = set()
    by_folder = 0
    for folder in sorted(folders):
        pictures, beside = folders[folder], texts.get(folder, [])
        whole = bool(folder) and _is_one_product(folder, pictures, beside)
        by_folder += whole
        told = {file.stem for file in beside}
        groups = {folder.rpartition("/")[2]: pictures} if whole else _by_stem(pictures, told)
        for name, files in groups.items():
            line = re.sub(r"[\s\x00-\x1f]+", " ", name).strip() or name  # a file's name may hold a line break
            sku = line if line not in taken else f"{folder}/{line}"
            while sku in taken:
                sku += "~"
            taken.add(sku)
            category = _category(folder.rpartition("/")[0] if whole else folder)
            product = DraftProduct(sku=sku, name=_humanised(name), category=category, origin=files[0].path)
            for number, file in enumerate(files):
                product.pictures.append(DraftPicture(path=file.path, role="extra" if number else "main"))
            for file in beside if whole else [text for text in beside if _stem(text.stem, groups) == name]:
                _add_text(product, file, catalogue, encoding)
            catalogue.products.append(product)
    catalogue.evidence.append(
        f"no table of products: {len(catalogue.products)} products from file names, {by_folder} of them one folder each"
    )
    return catalogue


def _is_one_product(folder: str, pictures: Sequence[DumpFile], texts: Sequence[DumpFile]) -> bool:
    """Whether a folder holds several views of one thing, and not one thing a file."""
    name = folder.rpartition("/")[2].casefold()
    if name in _PICTURE_FOLDERS:
        return False
    if any(text.stem.casefold() in _FOLDER_TEXTS or text.stem.casefold() == name for text in texts):
        return True
    stems = {file.stem.casefold() for file in pictures}
    if stems & {text.stem.casefold() for text in texts}:
        return False
    if all(_ONLY_VIEW.match(stem) or stem.startswith(name) for stem in stems):
        return True
    return len(pictures) > 1 and len(_by_stem(pictures)) == 1


def _by_stem(pictures: Sequence[DumpFile], told: Collection[str] = ()) -> dict[str, list[DumpFile]]:
    """Group pictures by what their names share; `told` are names that have a text of their own, and stay apart."""
    whole = {file.stem for file in pictures}
    groups: dict[str, list[DumpFile]] = {}
    for file in pictures:
        base = _VIEW.sub("", file.stem)
        # A camera's IMG_0001 and IMG_0002 share no more than the camera.
        if file.stem in told or _ONLY_VIEW.match(base):
            groups.setdefault(file.stem, []).append(file)
            continue
        # `pump-200` and `pump-300` are two products unless there is a `pump` or they are counted from 1.
        counted = (
            base in whole or re.search(r"[ _\-.]\(?0*[0-9]\)?$", file.stem) or not re.search(r"\d+\)?$", file.stem)
        )
        groups.setdefault(base if base and counted else file.stem, []).append(file)
    return groups


def _stem(stem: str, groups: dict[str, list[DumpFile]]) -> str:
    if stem in groups:
        return stem
    base = _VIEW.sub("", stem)
    return base if base in groups else stem.rpartition("_")[0]


def _humanised(name: str) -> str:
    return clean_line(re.sub(r"[_\-]+", " ", name)) or name


def _category(folder: str) -> str:
    return " > ".join(_humanised(part) for part in folder.split("/") if part)


def _add_text(product: DraftProduct, file: DumpFile, catalogue: DraftCatalogue, encoding: str | None) -> None:
    if file.suffix == ".json":
        _add_json(product, file, catalogue, encoding)
        return
    text = read_text(file, encoding)
    if isinstance(text, Issue):
        catalogue.issues.append(text)
        return
    facts = facts_of(file, text)
    product.attributes += [*facts, DraftAttribute(name="description", value=text, source=file.path, kind="text")]
    product.description = product.description or text


def _add_json(product: DraftProduct, file: DumpFile, catalogue: DraftCatalogue, encoding: str | None) -> None:
    try:
        value = json.loads(decode_text(file.read(1 << 24), encoding)[0], parse_int=str, parse_float=str)
    except (ValueError, OSError, RecursionError) as error:
        catalogue.issues.append(Issue(source=file.path, reason="FILE_UNREADABLE", detail=f"no JSON: {error}"))
        return
    if not isinstance(value, dict):
        catalogue.issues.append(Issue(source=file.path, reason="FILE_UNREADABLE", detail="JSON, but no object"))
        return
    for key, cell in value.items():
        role = headers.role_of(str(key))
        if not isinstance(cell, str) or not clean(cell):
            continue
        if role and role[0] == "name":
            product.name = clean_line(cell)
        elif role and role[0] == "category":
            product.category = clean_line(cell)
        elif role and role[0] == "text":
            product.description = product.description or clean(cell)
            product.attributes.append(
                DraftAttribute(name=headers.shown(key), value=clean(cell), source=file.path, kind="text")
            )
        elif role is None:
            product.attributes.append(DraftAttribute(name=headers.shown(key), value=clean_line(cell), source=file.path))
