"""Attributes, name and text of a product → the facts that show in a picture, in general words.

Facts are concepts of the glossary, the same whatever language the record is in: `{"noun": "mug", "colour": "red"}`. A
variant's own attributes replace the product's. What varies between variants is left out of the product's own facts, and
facts no term covers are reported instead of guessed.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from catalog import grammar
from catalog.glossary import Glossary, Match, Parse
from catalog.records import Attribute, Product, Variant
from catalog.spec_text import ADJECTIVE_KINDS, colour_phrase, visual_facts

SLOTS = ("size", "style", "shape", "pattern", "finish", "colour", "material")
"""Facts an adjective can state, in English word order."""
SEPARATOR = ", "
"""Between several values of one fact: `blue, pink`."""
_SYNONYMS = {
    "colour": "color colour colors colours colorname colourname maincolor basecolor bodycolor 色 カラー 色味 "
    "カラー名 色名",
    "material": "material materials mainmaterial fabric 素材 材質 主素材 生地 材料 主材 表地",
    "pattern": "pattern print patterntype 柄 模様 パターン",
    "shape": "shape form silhouette 形 形状 シェイプ",
    "finish": "finish surface surfacefinish 仕上げ 仕上 表面処理 表面加工 塗装",
    "size": "size sizeclass サイズ 大きさ",
    "style": "style look スタイル テイスト デザイン 袖丈 sleeve neckline ネックライン",
    "type": "type producttype itemtype noun 種類 品目 アイテム 商品種別 品種 タイプ",
    "feature": "feature features decoration details parts 特徴 装飾 付属 パーツ 仕様",
    "option": "option variation 規格 規格分類 選択肢 バリエーション オプション",
    "brand": "brand brandname vendor manufacturer maker ブランド ブランド名 メーカー メーカー名 製造元",
}
_SLOT_OF = {word: slot for slot, words in _SYNONYMS.items() for word in words.split()}
_HIDDEN = re.compile(
    r"price|cost|stock|quantity|qty|tax|shipping|point|sku|code|gtin|isbn|jan$|ean$|upc|barcode|weight|mass|warranty|voltage|"
    r"power|watt|battery|capacity|storage|ram$|cpu|hdd|ssd|memory|category|width|height|depth|length|diameter|dimension|"
    r"country|origin|manufactur|ingredient|nutrition|volume|allergen|care|gender|age|season|"
    r"url|link|slug|date|status|visib|rating|review|plant ?type|model|"
    r"価格|値段|定価|在庫|税|送料|ポイント|コード|番号|品番|型番|重量|質量|重さ|容量|保証|電圧|電力|電源|原産|産地|製造国|"
    r"生産国|寸法|幅|奥行|高さ|直径|厚み|長さ|お手入れ|注意|性別|年齢|カテゴリ|分類|発売|納期|賞味|消費期限|原材料|成分|内容量|入り?数|個数|"
    r"外寸|内寸|口径|胴径|底径|梱包|個装|耐荷重|付属品|セット内容|対応|シリーズ|備考|メモ|組み?立|電子レンジ|食洗機|季節|機能|"
    r"口金|光源|作家|ランキング|ギフト|のし|公開|検索|キャッチ|倉庫|(?:カタログ|ジャンル)id|裏地|中材|中身|詰め?物|"
    r"カラーバリエーション|^加工$"
)
"""Attribute names of facts that do not show in a picture."""
_REMARK = re.compile(r"[(\[【（].*?[)\]】）]")
_ABOUT_ALL = re.compile(r"^(?:本体|主な|おもな|メイン|商品|製品|代表)")
"""What stands before a name in Japanese and changes nothing: 本体カラー, 主な素材."""
_INSIDE = re.compile(
    r"^(?:裏面|裏地|裏|中材|中身|中綿|内側|内部|詰め?物|芯材?|底面|背面|back|inner|inside|lining|filling)$"
)
"""Labels in a value of what no picture shows: `表面：ポリエステル／裏面：不織布`."""
_SAYS_NOTHING = re.compile(
    r"^(?:[-‐―ー–—*]+|n/?a|none|other|others|assorted|なし|無し|その他|不明|指定なし|各色|アソート|お任せ|おまかせ|ランダム|"
    r"フリー(?:サイズ)?|free(?: size)?)$"
)
_COMPANY = re.compile(r"(?:\((?:株|有)\)|株式会社|有限会社)\s*\S+(?=\s)|\S+(?:\((?:株|有)\)|株式会社|有限会社)(?=\s)")
_MEASURE = re.compile(
    r"^(?:約|[φφ])?(?:幅|奥行き?|高さ|長さ|直径|径|厚さ?|[whdl])?\s?\d[\d.,×x*\-~〜]*\s?(?:cm|mm|m|kg|g|ml|l|号|インチ)?$",
    re.IGNORECASE,
)
"""A word of a Japanese name that is an amount: 幅120cm, 200ml, 8号."""
_CAMERA_NAME = re.compile(r"(?:img|dsc[nf]?|p|pxl|photo|image|picture|screenshot|item|product)?[\s_\-.\d()]*", re.I)
_NAME_WORDS = 12
_NAME_CHARS = 80
_JAPANESE = re.compile(r"[\u3041-\u30ff\u3400-\u9fff]")
_WORDS_ONLY = re.compile(r"[a-z]+(?:[ -][a-z]+){0,2}")
_MOST_VALUES = 3
_UNREMARKABLE = frozenset({"plain"})
"""Concepts that say only that there is nothing to see."""


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """A term the glossary lacks."""

    term: str
    attribute: str
    """Attribute it stood in, or `name`."""
    used: bool = False
    """True when the plain English word went into the captions as it stands."""


@dataclass(kw_only=True)
class FactSheet:
    """What one product, or one variant of it, shows."""

    facts: dict[str, str] = field(default_factory=dict)
    unknown: list[Unknown] = field(default_factory=list)
    own_noun: str = ""
    """The name itself, for captions in the record's own language, when no general noun was found."""

    def add(self, name: str, values: Iterable[str]) -> None:
        """State a fact unless it is stated already."""
        listed = list(dict.fromkeys(value for value in values if value and value not in _UNREMARKABLE))[:_MOST_VALUES]
        if listed:
            self.facts.setdefault(name, SEPARATOR.join(listed))


def facts_of(product: Product, glossary: Glossary, *, variant: Variant | None = None) -> FactSheet:
    """Return the visual facts of a product, or of one of its variants."""
    sheet = FactSheet()
    brand = ""
    varying = set() if variant is not None else _varying(product, glossary)
    attributes: Sequence[Attribute] = [*(variant.attributes if variant is not None else ()), *product.attributes]
    gathered: dict[tuple[str, bool], list[Attribute]] = {}
    for attribute in attributes:
        slot = slot_of(attribute.name)
        if attribute.kind != "fact" or not attribute.value.strip() or slot in varying:
            continue
        if slot == "brand":
            brand = attribute.value.strip()
        elif slot is None:
            _add_part(sheet, attribute, glossary)
        else:
            # Facets repeat a name, one value each; a variant's values must not mix with the product's.
            gathered.setdefault((slot, attribute.variant_id is not None), []).append(attribute)
    type_text = ""
    # What a variant says of itself comes first, and last what only its value tells the kind of.
    for (slot, _), group in sorted(gathered.items(), key=lambda item: (not item[0][1], item[0][0] == "option")):
        if slot == "type":
            type_text = type_text or group[0].value
        elif slot == "feature":
            _add_features(sheet, group, glossary)
        else:
            _add_slot(sheet, slot, group, glossary)
    _add_name(sheet, product, type_text, brand, glossary, varying)
    return sheet


def slot_of(name: str) -> str | None:
    """Return the slot an attribute name stands for; "" for facts that do not show, None when it is not known."""
    text = unicodedata.normalize("NFKC", name).casefold().strip()
    plain = _ABOUT_ALL.sub("", _REMARK.sub("", text).strip())
    for written in (text, plain, *re.split(r"[・/]", plain)[:1]):
        key = re.sub(r"[\s_\-()\[\]:/.]|\d+$", "", written)
        if key in _SLOT_OF:
            return _SLOT_OF[key]
    return "" if _HIDDEN.search(text) else None


def _varying(product: Product, glossary: Glossary) -> set[str]:
    """Slots that differ between variants: a picture that belongs to none of them may show any value."""
    slots: set[str] = set()
    for variant in product.variants:
        for attribute in variant.attributes:
            slot = slot_of(attribute.name)
            if slot == "option":
                scratch = FactSheet()
                _add_slot(scratch, slot, [attribute], glossary)
                slots |= scratch.facts.keys()
            elif slot:
                slots.add(slot)
    return slots


def _add_slot(sheet: FactSheet, slot: str, attributes: Sequence[Attribute], glossary: Glossary) -> None:
    if slot == "":
        return
    values: dict[str, list[str]] = {}
    for attribute in attributes:
        for piece in re.split(r"[,;|/、・&×+]|\band\b|\s-\s", unicodedata.normalize("NFKC", attribute.value)):
            label, colon, rest = piece.partition(":")
            if colon and _INSIDE.match(label.strip().casefold()):
                continue
            for kind, concept in _read_value(sheet, slot, (rest or label).strip(), attribute.name, glossary):
                values.setdefault(kind, []).append(concept)
    # The slot's own value before what merely stood in its cell, e.g. "wood" in a colour column.
    for kind in sorted(values, key=lambda kind: kind != slot):
        sheet.add(kind, values[kind])


def _read_value(sheet: FactSheet, slot: str, piece: str, attribute: str, glossary: Glossary) -> list[tuple[str, str]]:
    if not piece or _SAYS_NOTHING.match(piece.casefold()):
        return []
    if slot == "colour" and piece.isascii():
        colour = colour_phrase(piece, glossary)
        if colour is not None:
            return [("colour", colour)]
    kinds = (slot, *(kind for kind in SLOTS if kind != slot))
    parse = glossary.parse(piece)
    found = [
        (kind, concept) for match in parse.matches if match.stated for kind, concept in [_sense(match, kinds)] if kind
    ]
    named = any(match.is_a("category", "group", "part") for match in parse.matches)
    measured = slot == "size" or re.fullmatch(r"[\d.,%\s]*[a-z]{0,3}", parse.text) is not None
    if found or named or measured:
        return found
    plain = (
        slot in ("colour", "material", "pattern", "shape", "finish") and _WORDS_ONLY.fullmatch(parse.text) is not None
    )
    sheet.unknown.append(Unknown(term=piece, attribute=attribute, used=plain))
    return [(slot, parse.text)] if plain else []


def _sense(match: Match, kinds: Sequence[str]) -> tuple[str, str]:
    for kind in kinds:
        concept = match.concept(kind)
        if concept is not None:
            return kind, concept
    return "", ""


def _add_part(sheet: FactSheet, attribute: Attribute, glossary: Glossary) -> None:
    """Read an attribute of a part: "handle colour: red", "脚: スチール", "legs: 4"."""
    parse = glossary.parse(attribute.name)
    part = next((match for match in parse.matches if match.stated and match.is_a("part")), None)
    value = unicodedata.normalize("NFKC", attribute.value).strip()
    if part is None:
        sheet.unknown.append(Unknown(term=attribute.name, attribute=attribute.name))
        return
    name = part.concept("part") or ""
    rest = slot_of(
        re.sub(r"^(の|of|the)|(の|of|the)$", "", (parse.text[: part.start] + parse.text[part.end :]).strip())
    )
    if re.fullmatch(r"\d{1,2}\s*本?", value) and not rest:
        sheet.add(name, [re.sub(r"\D", "", value)])
        return
    scratch = FactSheet(unknown=sheet.unknown)
    wanted = rest if rest in ("colour", "material", "finish") else "material"
    _add_slot(scratch, wanted, [Attribute(name=attribute.name, value=value)], glossary)
    for kind in ("colour", "material", "finish"):
        if kind in scratch.facts:
            sheet.add(f"{name} {kind}", scratch.facts[kind].split(SEPARATOR))


def _add_features(sheet: FactSheet, attributes: Sequence[Attribute], glossary: Glossary) -> None:
    for attribute in attributes:
        parse = glossary.parse(attribute.value)
        _state_adjectives(sheet, parse, set())
        for match in parse.matches:
            part = match.concept("part") if match.stated else None
            if part is not None:
                sheet.add(part, ["yes"])
        sheet.unknown.extend(
            Unknown(term=word, attribute=attribute.name) for word in parse.unknown if _JAPANESE.search(word)
        )


def _add_name(
    sheet: FactSheet, product: Product, type_text: str, brand: str, glossary: Glossary, varying: set[str]
) -> None:
    name = clean_name(product.name, brand, glossary)
    if not name or _CAMERA_NAME.fullmatch(product.name):
        name = clean_name(_said_first(product.description), brand, glossary)
    if _JAPANESE.search(name):
        _read_japanese_name(sheet, name, type_text or product.category, glossary, varying)
        return
    category = clean_name(type_text or leaf_category(product.category), "", glossary)
    noun, kind = _split_name(name, category, product.description, glossary)
    if not noun:
        return
    if kind:
        kind = _move_adjectives(sheet, kind, glossary, varying)
    sheet.facts["noun"] = glossary.concept(noun, "category") or noun
    if kind:
        sheet.facts["kind"] = kind
    texts = [product.description, *(attribute.value for attribute in product.attributes if attribute.kind == "text")]
    nouns = {noun, category} if glossary.concept(category, "category") is not None else {noun}
    for text in dict.fromkeys(texts):
        if text and not _JAPANESE.search(text):
            for fact, value in visual_facts(text, nouns, glossary, name=name if kind else "").items():
                if fact not in varying and not _said(value, kind, noun):
                    sheet.facts.setdefault(fact, value)


def _said_first(text: str) -> str:
    """Return the first sentence of a text without its article, if it is short enough to name the product."""
    sentence = re.split(r"[.。!！\n]", text.strip(), maxsplit=1)[0].strip()
    if len(sentence.split()) > _NAME_WORDS or len(sentence) > _NAME_CHARS:
        return ""
    return re.sub(r"^(?:this is |it is )?(?:an?|the|this|our)\s+", "", sentence, flags=re.IGNORECASE)


def _said(value: str, kind: str, noun: str) -> bool:
    """Whether the name already says it ("red" of "red delicious apple")."""
    return value in f"{kind} {noun}"


def clean_name(name: str, brand: str, glossary: Glossary) -> str:
    """Return a name without slug dashes, brackets, codes, brand and sales talk; lower case but for acronyms."""
    text = unicodedata.normalize("NFKC", name).strip()
    if " " not in text and not _JAPANESE.search(text):
        text = re.sub(r"[-_]+", " ", text)
    text = _COMPANY.sub(" ", text)
    text = re.sub(r"【[^】]*】|\[[^\]]*\]|\([^)]*\)|[≪《〈<][^≫》〉>]*[≫》〉>]|[\\＼][^/／]*[/／]", " ", text)
    text = re.sub(r"[™®©★☆◆◇■□●○◎♪♡♥※!~〜✨]", " ", text)
    text = re.split(r"\s[-–—|/:]\s|,\s|、", text)[0]
    without = re.sub(rf"(?<!\w){re.escape(brand)}(?!\w)", " ", text, flags=re.IGNORECASE) if brand else text
    text = " ".join((without if without.strip() else text).split())
    parse = glossary.parse(text)
    if parse.text == text.casefold():
        for match in reversed(parse.matches):
            if match.is_a("ban") or (match.is_a("brand") and len(parse.matches) > 1):
                text = text[: match.start] + " " + text[match.end :]
    words = [word for word in text.split() if not _is_code(word)]
    if not words or _JAPANESE.search(text):
        return " ".join(words)
    shouting = all(word.isupper() for word in words if word.isalpha())
    return " ".join(word if _is_acronym(word) and not shouting else word.lower() for word in words).strip(" -'\"")


def _is_code(word: str) -> bool:
    """Model numbers and amounts: "M185", "500ml", "#12"; "32-inch" and "3-seater" stay."""
    if re.fullmatch(r"\d+-[A-Za-z]{3,}", word):
        return False
    measured = _MEASURE.fullmatch(word) or re.fullmatch(
        r"[\d.,]+\s?(ml|l|cl|g|kg|cm|mm|m|oz|gb|tb|w|v|%)?", word, flags=re.IGNORECASE
    )
    mixed = re.search(r"\d", word) and re.search(r"[A-Za-z]", word) and not re.search(r"\d[a-z]?-[A-Za-z]{3,}", word)
    return bool(measured or (mixed and not _JAPANESE.search(word)) or word.startswith("#"))


def _is_acronym(word: str) -> bool:
    return word.isupper() and 2 <= len(word) <= 4 and word.isalpha()


def leaf_category(category: str) -> str:
    """Return the last level of "Home > Furniture > Chairs" or "Home|Chairs"."""
    return re.split(r"\s*[>|/]\s*", category.strip())[-1].strip()


def _split_name(name: str, category: str, text: str, glossary: Glossary) -> tuple[str, str]:
    """Return (noun, kind) of an English name: "golden delicious" in "Apple" → ("apple", "golden delicious").

    A plural category ("Computers") is a shelf that also holds cables; it names the product only if the text says so.
    """
    leaf = grammar.singular(category)
    head = re.split(r"\s(?:with|in|for|from|made of)\s", name)[0]
    parse = glossary.parse(head)
    known = next((match for match in parse.matches if match.end == len(head) and match.is_a("category")), None)
    if leaf and (head == leaf or head.endswith(f" {leaf}")) and (known is None or len(leaf) >= len(known.text)):
        return leaf, head[: -len(leaf)].strip()
    certain = glossary.concept(leaf, "category") is not None and not _contains(head, leaf)
    if certain and _says_so(text, leaf):
        return leaf, head
    if known is not None:
        return head[known.start :], head[: known.start].strip()
    if glossary.concept(leaf, "category") is not None and leaf == category:
        rest = re.sub(rf"\b{re.escape(leaf)}\b", " ", head)
        return leaf, " ".join(rest.split())
    return (head or leaf), ""


def _says_so(text: str, noun: str) -> bool:
    """Whether the text says "… is a (few words) <noun>"."""
    between = r"(?:(?!for\b|of\b|with\b|in\b|by\b)[\w-]+\s){0,6}"
    return re.search(rf"\bis an? {between}{re.escape(noun)}\b", text, flags=re.IGNORECASE) is not None


def _contains(head: str, noun: str) -> bool:
    return bool(noun) and re.search(rf"\b{re.escape(noun)}\b", head) is not None


def _move_adjectives(sheet: FactSheet, kind: str, glossary: Glossary, varying: set[str]) -> str:
    """Take colour, material … out of the words before the noun, where it is sure that they describe the product.

    Sure means: every word is a known adjective ("grey fabric" sofa), or an attribute states the same ("black" of "black
    eaves chair"). Else they belong to a name ("golden delicious", "red bull").
    """
    parse = glossary.parse(kind)
    found = [match for match in parse.matches if match.is_a(*SLOTS)]
    every = not parse.unknown and len(found) == len(parse.matches) and not re.search(r"\d", kind)
    taken: list[Match] = []
    for match in found:
        slot, concept = _sense(match, SLOTS)
        agreed = concept in sheet.facts.get(slot, "").split(SEPARATOR)
        if match.stated and slot not in varying and (agreed or (every and slot not in sheet.facts)):
            sheet.facts.setdefault(slot, concept)
            taken.append(match)
    for match in reversed(taken):
        kind = kind[: match.start] + kind[match.end :]
    return " ".join(kind.strip(" -").split())


def _read_japanese_name(sheet: FactSheet, name: str, category: str, glossary: Glossary, varying: set[str]) -> None:
    parse = glossary.parse(name)
    named = [match for match in parse.matches if match.is_a("category") and not _goes_on(parse, match)]
    # A name may end in a colour that is also a thing: マグカップ オレンジ is a mug.
    nouns = [match for match in named if not match.is_a(*SLOTS)] or named
    sheet.own_noun = name
    if nouns:
        sheet.facts["noun"] = nouns[-1].concept("category") or ""
    else:
        general = glossary.parse(leaf_category(category))
        found = [match.concept("category", "group") for match in general.matches if match.is_a("category", "group")]
        if found and found[-1]:
            sheet.facts["noun"] = found[-1]
        elif not any(_JAPANESE.search(word) for word in parse.unknown):
            sheet.unknown.append(Unknown(term=name, attribute="name"))
    _state_adjectives(sheet, parse, varying, last_noun=nouns[-1] if nouns else None)
    for match, after in zip(parse.matches, parse.matches[1:], strict=False):
        part = match.concept("part") if match.stated else None
        if part is not None and after.text in ("付き", "付", "つき") and after.start == match.end:
            sheet.add(part, ["yes"])
    sheet.unknown.extend(Unknown(term=word, attribute="name") for word in parse.unknown if _JAPANESE.search(word))


def _goes_on(parse: Parse, match: Match) -> bool:
    """Whether the word goes on after a term with what no term covers: a pen stand (ペンたて) is no pen."""
    rest = parse.text[match.end :]
    known = any(other.start == match.end for other in parse.matches)
    return not known and bool(_JAPANESE.match(rest)) and rest[0] not in "大中小"


def _state_adjectives(sheet: FactSheet, parse: Parse, varying: set[str], *, last_noun: Match | None = None) -> None:
    values: dict[str, list[str]] = {}
    starts = {match.start for match in parse.matches if not match.is_a("glue")}
    for match in parse.matches:
        compound = match.is_a("category") and match.end in starts  # オレンジジュース is made of oranges
        if not match.stated or match == last_noun or compound:
            continue
        slot, concept = _sense(match, ("colour", *ADJECTIVE_KINDS[1:], "style"))
        if slot and slot not in varying:
            values.setdefault(slot, []).append(concept)
    for slot, concepts in values.items():
        sheet.add(slot, concepts)


def is_subset(smaller: Mapping[str, str], larger: Mapping[str, str]) -> bool:
    """Whether every fact of `smaller` is one of `larger`."""
    return smaller.items() <= larger.items()
