"""A folder of pictures without a table: names, folders and text files beside the pictures say what is what."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from catalog.archives import archive_stem
from catalog.paths import IMAGE_SUFFIXES, TEXT_SUFFIXES, WORKBOOK_PICTURES, DumpFile
from catalog.phrases import say
from catalog.readers import picture_names
from catalog.readers.cells import clean_line
from catalog.readers.draft import DraftAttribute, DraftCatalogue, DraftPicture, DraftProduct
from catalog.readers.json_beside import FOLDER_TEXTS
from catalog.readers.json_sidecar import add_json
from catalog.readers.picture_names import PictureName
from catalog.readers.sidecar import (
    ABOUT_THE_DUMP,
    facts_of,
    is_name_label,
    is_only_code,
    read_text,
    stated_name,
    titles,
)  # fmt: skip
from catalog.readers.table_set import TableSet
from catalog.readers.trade_keys import gtin_in, is_gtin, same_key
from catalog.records import Issue

NAME = "folder"
_SIDECAR_SUFFIXES = TEXT_SUFFIXES | {".json"}
_PICTURE_FOLDERS = frozenset(
    {"img", "imgs", "image", "images", "photo", "photos", "pictures", "pics", "media", "assets"}
)
_ABOUT_IT = re.compile(
    r"^(.+?)[ _\-.]+(?:product|technical)?[ _\-]?(?:data|spec|info)?[ _\-]?(?:data|sheets?|specs?|info(?:rmation)?"
    r"|specifications?|descriptions?|texts?|manual|datenblatt|beschreibung|仕様書?|説明書?|en|de|ja)$",
    re.I,
)
"""`KEY_datasheet`, `KEY-spec sheet`: a text of the product KEY."""


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
        """Products by the name of their files or folder, as `same_key` writes it."""
        self.taken: set[str] = set()
        self.joined: set[str] = set()
        """Texts that have found their product, whether they could be read or not."""
        self.titles: list[tuple[DraftProduct, list[str]]] = []
        """Products named by a code, and the lines that may be their titles."""

    def read(self) -> DraftCatalogue:
        by_folder = sum(self._read_folder(folder) for folder in sorted(self.folders))
        self._join_distant_texts()
        self._name_by_titles()
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
        written: dict[str, str] = {}
        """The same key with and without leading zeros → as its first picture has it."""
        for file in sorted(pictures, key=lambda file: (names[file.stem].order, file.path)):
            key = names[file.stem].key
            name = _last(folder) if whole else written.setdefault(same_key(key) if is_gtin(key) else key, key)
            groups.setdefault(name, []).append(file)
        texts: dict[str, list[DumpFile]] = {}
        for file in beside:
            texts.setdefault(_key_of(file.stem, groups, written), []).append(file)
        for name in sorted(groups):
            product = self._product(name, folder, groups[name], whole)
            if whole:
                for key in {same_key(found.key) for found in names.values()} - {same_key(name)}:
                    self.named.setdefault(key, []).append(product)
            for file in beside if whole else texts.get(name, []):
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
        self.named.setdefault(same_key(name), []).append(product)
        return product

    def _join_distant_texts(self) -> None:
        """Give a text in another folder to the one product that bears its name: `texts/A1.txt`, `pdf/A1_spec.pdf`."""
        for folder in sorted(self.texts):
            for file in self.texts[folder]:
                owners = next((found for key in _keys_of(file.stem) if (found := self.named.get(key))), [])
                if file.path not in self.joined and len(owners) == 1:
                    self._add_text(owners[0], file)

    def _name_by_titles(self) -> None:
        """Name products that have only a code by the title of their spec sheet; a letterhead is on most of them."""
        often = Counter(title for _, lines in self.titles for title in set(lines))
        for product, lines in self.titles:
            own = [title for title in lines if often[title] == 1 or 2 * often[title] <= len(self.titles)]
            if own and is_only_code(product.name):
                product.name = own[0]

    def _add_text(self, product: DraftProduct, file: DumpFile) -> None:
        self.joined.add(file.path)
        if file.suffix == ".json":
            used, issue = add_json(product, file, self.encoding)
            self.catalogue.issues += [issue] if issue is not None else []
            self.catalogue.documents |= {file.path} if used else set()
            return
        text = read_text(file, self.encoding)
        if isinstance(text, Issue):
            self.catalogue.issues.append(text)
            return
        if not text:
            return  # an empty file says nothing, and stays among those that nothing reads
        self.catalogue.documents.add(file.path)
        facts = facts_of(file, text)
        if is_only_code(product.name):
            self.titles.append((product, titles(file, text)))
            if name := stated_name(text):
                product.name = name
                facts = [fact for fact in facts if not is_name_label(fact.name)]
        product.attributes += [*facts, DraftAttribute(name="description", value=text, source=file.path, kind="text")]
        product.description = product.description or text


def _is_one_product(
    folder: str, pictures: Sequence[DumpFile], texts: Sequence[DumpFile], names: Mapping[str, PictureName]
) -> bool:
    """Whether a folder holds several views of one thing, and not one thing a file."""
    name = _last(folder).casefold()
    if name in _PICTURE_FOLDERS:
        return False
    if any(text.stem.casefold() in FOLDER_TEXTS or text.stem.casefold() == name for text in texts):
        return True
    if any(picture_names.certain(file.stem) for file in pictures):
        return False
    if len({same_key(found.key) for found in names.values() if is_gtin(found.key)}) > 1:
        return False
    stems = {file.stem.casefold() for file in pictures}
    if stems & {text.stem.casefold() for text in texts}:
        return False
    if all(picture_names.is_only_view(stem) or stem.startswith(name) for stem in stems):
        return True
    return len(pictures) > 1 and len({found.key for found in names.values()}) == 1


def _key_of(stem: str, groups: Collection[str], written: Mapping[str, str]) -> str:
    """Return which group of pictures a text belongs to by its name."""
    if stem in groups:
        return stem
    found = picture_names.group([stem])[stem].key
    if found in groups:
        return found
    head = stem.rpartition("_")[0]
    return head if head in groups else next((written[key] for key in _keys_of(stem) if key in written), head)


def _keys_of(stem: str) -> Iterator[str]:
    """Yield the keys a text may be about by its name, the surest first."""
    yield same_key(stem)
    if (about := _ABOUT_IT.match(stem)) is not None:
        yield same_key(about[1])
    if (gtin := gtin_in(stem)) is not None:
        yield gtin


def _last(folder: str) -> str:
    """Return the name of a folder, or of an archive without its suffix."""
    return archive_stem(folder.rpartition("/")[2])


def _humanised(name: str) -> str:
    return clean_line(re.sub(r"[_\-]+", " ", name)) or name


def _category(folder: str) -> str:
    return " > ".join(_humanised(archive_stem(part)) for part in folder.split("/") if part)
