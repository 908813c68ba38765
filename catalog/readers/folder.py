"""A folder of pictures without a table: names, folders and text files beside the pictures say what is what."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from catalog.archives import archive_stem
from catalog.paths import IMAGE_SUFFIXES, TEXT_SUFFIXES, WORKBOOK_PICTURES, DumpFile
from catalog.phrases import say
from catalog.readers import headers, picture_names
from catalog.readers.cells import clean, clean_line
from catalog.readers.draft import DraftAttribute, DraftCatalogue, DraftPicture, DraftProduct
from catalog.readers.encoding import decode_text
from catalog.readers.json_text import parse_json
from catalog.readers.picture_names import PictureName
from catalog.readers.sidecar import ABOUT_THE_DUMP, facts_of, read_text
from catalog.readers.table_set import TableSet
from catalog.records import Issue

NAME = "folder"
_SIDECAR_SUFFIXES = TEXT_SUFFIXES | {".json"}
_PICTURE_FOLDERS = frozenset(
    {"img", "imgs", "image", "images", "photo", "photos", "pictures", "pics", "media", "assets"}
)
_FOLDER_TEXTS = frozenset({"spec", "specs", "description", "info", "product", "data", "about", "text"})


def read(tables: TableSet) -> DraftCatalogue:
    """Read a dump by its files alone; without products when it holds no pictures."""
    return _FolderReading(tables).read()


class _FolderReading:
    """Turns the pictures of each folder into products and joins the texts beside them."""

    def __init__(self, tables: TableSet) -> None:
        self.encoding = tables.encoding
        self.catalogue = DraftCatalogue(reader=NAME)
        self.folders: dict[str, list[DumpFile]] = {}
        for file in tables.dump.with_suffix(IMAGE_SUFFIXES):
            # Pictures out of a workbook are named image1, image2: their rows say what they show.
            if WORKBOOK_PICTURES not in file.path:
                self.folders.setdefault(file.folder, []).append(file)
        self.texts: dict[str, list[DumpFile]] = {}
        for file in tables.dump.with_suffix(_SIDECAR_SUFFIXES):
            if file.stem.casefold() not in ABOUT_THE_DUMP:
                self.texts.setdefault(file.folder, []).append(file)
        self.named: dict[str, list[DraftProduct]] = {}
        """Products by the name of their files or folder, case folded."""
        self.taken: set[str] = set()

    def read(self) -> DraftCatalogue:
        by_folder = sum(self._read_folder(folder) for folder in sorted(self.folders))
        self._join_distant_texts()
        products = self.catalogue.products
        self.catalogue.evidence.append(
            say(
                "no table of products: {count} products from file names, {by_folder} of them one folder each",
                count=len(products),
                by_folder=by_folder,
            )
        )
        return self.catalogue

    def _read_folder(self, folder: str) -> bool:
        """Read the products of one folder; return whether it is one product as a whole."""
        pictures, beside = self.folders[folder], self.texts.get(folder, [])
        names = picture_names.group([file.stem for file in pictures], {file.stem for file in beside})
        whole = bool(folder) and _is_one_product(folder, pictures, beside, names)
        groups: dict[str, list[DumpFile]] = {}
        for file in sorted(pictures, key=lambda file: (names[file.stem].order, file.path)):
            groups.setdefault(_last(folder) if whole else names[file.stem].key, []).append(file)
        for name in sorted(groups):
            product = self._product(name, folder, groups[name], whole)
            for file in beside if whole else [text for text in beside if _key_of(text.stem, groups) == name]:
                self._add_text(product, file)
        return whole

    def _product(self, name: str, folder: str, files: Sequence[DumpFile], whole: bool) -> DraftProduct:
        line = re.sub(r"[\s\x00-\x1f]+", " ", name).strip() or name  # a file's name may hold a line break
        sku = line if line not in self.taken else f"{folder}/{line}"
        while sku in self.taken:
            sku += "~"
        self.taken.add(sku)
        category = _category(folder.rpartition("/")[0] if whole else folder)
        product = DraftProduct(sku=sku, name=_humanised(name), category=category, origin=files[0].path)
        for number, file in enumerate(files):
            product.pictures.append(DraftPicture(path=file.path, role="extra" if number else "main"))
        self.catalogue.products.append(product)
        self.named.setdefault(name.casefold(), []).append(product)
        return product

    def _join_distant_texts(self) -> None:
        """Give a text in another folder to the one product that bears exactly its name: `texts/A1.txt`."""
        for folder in sorted(self.texts):
            for file in self.texts[folder]:
                owners = self.named.get(file.stem.casefold(), [])
                if file.path not in self.catalogue.documents and len(owners) == 1:
                    self._add_text(owners[0], file)

    def _add_text(self, product: DraftProduct, file: DumpFile) -> None:
        self.catalogue.documents.add(file.path)
        if file.suffix == ".json":
            _add_json(product, file, self.catalogue, self.encoding)
            return
        text = read_text(file, self.encoding)
        if isinstance(text, Issue):
            self.catalogue.issues.append(text)
            return
        facts = facts_of(file, text)
        product.attributes += [*facts, DraftAttribute(name="description", value=text, source=file.path, kind="text")]
        product.description = product.description or text


def _is_one_product(
    folder: str, pictures: Sequence[DumpFile], texts: Sequence[DumpFile], names: Mapping[str, PictureName]
) -> bool:
    """Whether a folder holds several views of one thing, and not one thing a file."""
    name = _last(folder).casefold()
    if name in _PICTURE_FOLDERS:
        return False
    if any(text.stem.casefold() in _FOLDER_TEXTS or text.stem.casefold() == name for text in texts):
        return True
    if any(picture_names.certain(file.stem) for file in pictures):
        return False
    stems = {file.stem.casefold() for file in pictures}
    if stems & {text.stem.casefold() for text in texts}:
        return False
    if all(picture_names.is_only_view(stem) or stem.startswith(name) for stem in stems):
        return True
    return len(pictures) > 1 and len({found.key for found in names.values()}) == 1


def _key_of(stem: str, groups: Collection[str]) -> str:
    """Return which group of pictures a text belongs to by its name."""
    if stem in groups:
        return stem
    found = picture_names.group([stem])[stem].key
    return found if found in groups else stem.rpartition("_")[0]


def _last(folder: str) -> str:
    """Return the name of a folder, or of an archive without its suffix."""
    return archive_stem(folder.rpartition("/")[2])


def _humanised(name: str) -> str:
    return clean_line(re.sub(r"[_\-]+", " ", name)) or name


def _category(folder: str) -> str:
    return " > ".join(_humanised(archive_stem(part)) for part in folder.split("/") if part)


def _add_json(product: DraftProduct, file: DumpFile, catalogue: DraftCatalogue, encoding: str | None) -> None:
    try:
        value = parse_json(decode_text(file.read(1 << 24), encoding)[0])
    except (ValueError, OSError) as error:
        catalogue.issues.append(
            Issue(source=file.path, reason="FILE_UNREADABLE", detail=say("no JSON: {error}", error=str(error)))
        )
        return
    if not isinstance(value, dict):
        catalogue.issues.append(Issue(source=file.path, reason="FILE_UNREADABLE", detail=say("JSON, but no object")))
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
