"""Names as shops write them → what they call the product, without codes, makers and sales talk."""

import re
import unicodedata

from catalog.glossary import Glossary

JAPANESE = re.compile(r"[\u3041-\u30ff\u3400-\u9fff]")
_COMPANY = re.compile(r"(?:\((?:株|有)\)|株式会社|有限会社)\s*\S+(?=\s)|\S+(?:\((?:株|有)\)|株式会社|有限会社)(?=\s)")
_MEASURE = re.compile(
    r"^(?:約|[φφ])?(?:幅|奥行き?|高さ|長さ|直径|径|厚さ?|[whdl])?\s?\d[\d.,×x*\-~〜]*\s?(?:cm|mm|m|kg|g|ml|l|号|インチ)?$",
    re.IGNORECASE,
)
"""A word of a Japanese name that is an amount: 幅120cm, 200ml, 8号."""
_SIZE = re.compile(
    r"(?<![\w.-])\d[\d.,]*\s(?:cm|mm|m|inch(?:es)?|ft|foot|feet|kg|g|lbs?|oz|ml|cl|l)\b(?!-)", re.IGNORECASE
)
"""An amount of two words in an English name: 65 cm, 6 foot."""
_BEFORE_CODE = re.compile(
    r"(?:art(?:ikel)?|item|model|modell)?[.\-]*(?:no|nr|num|number|nummer)|model{1,2}|typ|type|art|ref|n[°º]", re.I
)
"""What says that a code follows, or stands behind it: No. 1234, Modell 5. It goes with the code."""
_NAME_WORDS = 12
_NAME_CHARS = 80
_READ_CHARS = 500
"""What is longer is a description in the wrong column, over which patterns would take ages."""
_SAID_CHARS = 120
"""A longer name is none; in a caption it would leave no room for anything else."""


def said_first(text: str) -> str:
    """Return the first sentence of a text without its article, if it is short enough to name the product."""
    sentence = re.split(r"[.。!！\n]", text.strip(), maxsplit=1)[0].strip()
    if len(sentence.split()) > _NAME_WORDS or len(sentence) > _NAME_CHARS:
        return ""
    return re.sub(r"^(?:this is |it is )?(?:an?|the|this|our)\s+", "", sentence, flags=re.IGNORECASE)


def clean_name(name: str, brand: str, glossary: Glossary) -> str:
    """Return a name without slug dashes, brackets, codes, brand and sales talk; lower case but for acronyms."""
    # Before normalising: NFKC makes the letters TM of a mark.
    text = unicodedata.normalize("NFKC", re.sub(r"[™®©]", "", name[:_READ_CHARS])).strip()
    if " " not in text and not JAPANESE.search(text):
        text = re.sub(r"[-_]+", " ", text)
    text = _COMPANY.sub(" ", text)
    text = re.sub(r"【[^】]*】|\[[^\]]*\]|\([^)]*\)|[≪《〈<][^≫》〉>]*[≫》〉>]|[\\＼][^/／]*[/／]", " ", text)
    text = re.sub(r"[★☆◆◇■□●○◎♪♡♥※!~〜✨]", " ", text)
    text = re.split(r"\s[-–—|/:]\s|,\s|、", text)[0]
    text = _SIZE.sub(" ", text)
    without = re.sub(rf"(?<!\w){re.escape(brand)}(?!\w)", " ", text, flags=re.IGNORECASE) if brand else text
    text = " ".join((without if without.strip() else text).split())
    parse = glossary.parse(text)
    if parse.text == text.casefold():
        for match in reversed(parse.matches):
            if match.is_a("ban") or (match.is_a("brand") and len(parse.matches) > 1):
                text = text[: match.start] + " " + text[match.end :]
    words = _without_codes(text.split())
    if not words or JAPANESE.search(text):
        return " ".join(words)
    shouting = all(word.isupper() for word in words if word.isalpha())
    said = " ".join(word if _is_acronym(word) and not shouting else word.lower() for word in words).strip(" -'\"")
    return said if len(said) <= _SAID_CHARS else ""


def _without_codes(words: list[str]) -> list[str]:
    codes = [_is_code(word) for word in words]
    numbered = [_BEFORE_CODE.fullmatch(word.strip(".:#")) is not None for word in words]
    for place in range(len(words) - 2, -1, -1):  # "Art. No. 1234": one after the other
        codes[place] = codes[place] or (numbered[place] and codes[place + 1])
    for place in range(1, len(words)):
        codes[place] = codes[place] or (numbered[place] and codes[place - 1])
    return [word for word, code in zip(words, codes, strict=True) if not code]


def _is_code(word: str) -> bool:
    """Model numbers and amounts: "M185", "500ml", "#12"; "32-inch" and "3-seater" stay."""
    if re.fullmatch(r"\d+-[A-Za-z]{3,}", word):
        return False
    measured = _MEASURE.fullmatch(word) or re.fullmatch(
        r"[\d.,]+\s?(ml|l|cl|g|kg|cm|mm|m|oz|gb|tb|w|v|%)?", word, flags=re.IGNORECASE
    )
    mixed = re.search(r"\d", word) and re.search(r"[A-Za-z]", word) and not re.search(r"\d[a-z]?-[A-Za-z]{3,}", word)
    return bool(measured or (mixed and not JAPANESE.search(word)) or word.startswith("#"))


def _is_acronym(word: str) -> bool:
    return word.isupper() and 2 <= len(word) <= 4 and word.isalpha()


def leaf_category(category: str) -> str:
    """Return the last level of "Home > Furniture > Chairs" or "Home|Chairs"."""
    return re.split(r"\s*[>|/]\s*", category.strip())[-1].strip()
