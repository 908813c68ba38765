"""How much a piece of text looks as if it had been decoded rightly: common letters in places where they occur."""

from __future__ import annotations

import re
from functools import lru_cache

from catalog.readers.headers import is_known_header

CANDIDATES = ("cp932", "euc_jp", "gb18030", "cp1252")
_SAMPLE_CHARS = 20_000
_KANJI = frozenset(
    "商品番号名色素材製木白黒赤青黄緑茶灰紺紫金銀銅鉄鋼革皮布綿麻絹毛陶磁器漆竹紙石高幅奥行直径重量約寸法長短大中小特"
    "用日本国産地販売価格税込別円在庫数送料無送発店舗会社株式有限注意事項説明文表示仕様対応使可能食洗機電子電源"
    "型式組立完成家具椅子机棚台座面脚背収納引出扉板突無垢天然合成樹脂塗装仕上加工手作付属箱入個枚本台組点式部屋居間"
    "寝室台所玄関屋外室内照明花瓶皿鉢碗杯鍋包丁調理冷蔵庫掃除洗濯衣類上着下着靴鞄帽子服男女子供用春夏秋冬新旧年月時"
    "分類種形状模様柄無地水玉縞格子和洋風北欧伝統職人京都東京大阪有田九谷美濃波佐見焼今治写真画像管理者者原的性人気"
    "一二三四五六七八九十百千万円前後左右内外力安心快適便利簡単軽丈夫耐久防水抗菌通気保温保冷折畳式自由生活雑貨贈物"
)
_HANZI = frozenset(
    "的一是不了在人有我他这个上们来到时大地为子中你说生国年着就那和要她出也得里后自以会家可下而过天去能对小多然于心学么"
    "之都好看起发当没成只如事把还用第样道想作种开美总从无情己面最女但现前些所同日手又行意动方期它头经长儿回位分爱老因很给名"
    "法间斯知世什两次使身者被高已亲其进此话常与活正感见明问力理尔点文几定本公特做外孩相西果走将月十实向声车全信重三机工物"
    "商品货号编名称价格颜色尺寸材质产品描述图片品牌规格型号重量数量库存分类红橙黄绿青蓝紫黑白灰棕粉金银木钢铁铝铜塑料玻璃陶瓷"
    "棉布皮革纸石竹椅桌柜床沙发灯杯碗盘锅刀具厨房卧室客厅办公户外儿童男式女款新老大号小号宽深厚度直径厘米毫米克千克个件套只"
    "支双条包邮质量保证简约现代欧式中式风格舒适耐用防水环保健康适合使用说明清洗方便可拆储物收纳装饰礼送"
)
_LATIN = frozenset("äöüßéèêëàâçñóíúáøåæœîïôûùìòõãÿÄÖÜÉÈÊËÀÁÂÇÑÓÍÚØÅÆŒÎÏÔÛÙÌÒÕÃŠšŽž")
"""Without ð, ý and þ: in cp1254 and cp1250 these bytes are far commoner letters."""
_WORDS = frozenset("àÀéÉèÈóÓùÙåÅöÖøØ")
"""Letters that are words of their own."""
_MARKS = frozenset("°–—’‘“”„…€£§®©™²³½¼¾×·•±µ«»¿¡¨ºª\u00a0´")
_CJK_MARKS = frozenset(
    "、。，・：；？！（）［］【】「」『』〈〉《》～〜－ー※★☆●○◎■□◆◇▲△▼▽→↑↓←×÷±φΦ℃％＋＝＆＃／ 　々〇㈱㈲№℡㎝㎜㎏㎡㎖㏄"
    "“”’‘…①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳ⅠⅡⅢⅣⅤⅥ"
)
_HALF_WIDTH = re.compile("(?:[\uff73\uff76-\uff84\uff8a-\uff8e]\uff9e|[\uff8a-\uff8e]\uff9f|[\uff66-\uff9d]){2,}")
_LONE = re.compile("(?<=[A-Za-z])[^\x00-\x7f](?=[A-Za-z])")
_BETWEEN = re.compile("[,;\t|]")


def plausibility(header: bytes, sample: bytes, encoding: str) -> float:
    """Score a decoding: about 1 for ordinary text, below 0 for nonsense, 1 more for each non-ASCII known header."""
    text = sample.decode(encoding, errors="replace")[:_SAMPLE_CHARS]
    cells = _BETWEEN.split(header.decode(encoding, errors="replace"))
    known = sum(is_known_header(cell.strip('" \r')) for cell in cells if not cell.isascii())
    if encoding == "cp1252":
        return known + _western(text)
    return known + (_chinese(text) if encoding == "gb18030" else _japanese(text))


def plausible_utf16(sample: bytes) -> str | None:
    """Return `utf-16-le` or `utf-16-be` for a sample that is UTF-16 without BOM, else None."""
    even = sample[: len(sample) & ~1]
    for name, zeros, others in (
        ("utf-16-le", even[1::2], even[0::2]),
        ("utf-16-be", even[0::2], even[1::2]),
    ):
        if zeros.count(0) < 2 or zeros.count(0) < 20 * others.count(0):
            continue
        rest = even.replace(b"\x00", b"")
        if rest.isascii() and zeros.count(0) < 0.9 * len(zeros):
            continue  # ASCII with a few stray NUL bytes
        # The sample may end inside a surrogate pair.
        text = even.decode(name, errors="replace")
        odd = sum(not (char.isprintable() or char in "\r\n\t\u3000\ufeff\u00a0") for char in text)
        if odd + text.count("\ufffd") <= 0.02 * len(text) + 1 and "\x00" not in text:
            return name
    return None


def _japanese(text: str) -> float:
    """Kana and everyday kanji against private, rare and lone half-width characters."""
    points = -float(len(_LONE.findall(text)))  # no Japanese word has one character amid Latin letters
    total = 0.0
    for run in _HALF_WIDTH.findall(text):
        # Chinese pairs look like half-width kana too, but seldom with voicing marks where they belong.
        points += len(run) * (0.9 if "\uff9e" in run or "\uff9f" in run else 0.5)
        total += len(run)
    for char in _HALF_WIDTH.sub("", text):
        if char < "\x80":
            continue
        total += 1
        if "\u3041" <= char <= "\u30fe" or char in _KANJI or char in _CJK_MARKS:
            points += 1
        elif char in _level_one("euc_jp"):
            points += 0.6
        elif "\uff01" <= char <= "\uff5e" or char in "髙﨑德彅":
            points += 0.8
        elif "\uff61" <= char <= "\uff9f" or "\ue000" <= char <= "\uf8ff":
            points -= 1
        elif char == "\ufffd" or char < "\xa0":
            points -= 3
    return points / total if total else 0.0


def _chinese(text: str) -> float:
    """Everyday simplified characters; kana, and pairs such as `é` and a letter make, count nothing."""
    points = total = 0.0
    for char in text:
        if char < "\x80":
            continue
        total += 1
        if char in _HANZI or char in _CJK_MARKS:
            points += 1
        elif char in _level_one("gb2312"):
            points += 0.6
        elif "\uff01" <= char <= "\uff5e":
            points += 0.8
        elif char == "\ufffd":
            points -= 3
        elif "\ue000" <= char <= "\uf8ff":
            points -= 1
    return points / total if total else 0.0


def _western(text: str) -> float:
    """Accented letters among plain ones, and typographic marks; runs of them are the pairs of another encoding."""
    points = total = 0.0
    before = " "
    for place, char in enumerate(text):
        if char >= "\x80":
            total += 1
            after = text[place + 1] if place + 1 < len(text) else " "
            crowd = (before >= "\x80") + (after >= "\x80")
            if char in _LATIN:
                word = before.isalpha() or after.isalpha() or char in _WORDS
                shouted = char.isupper() and before.islower() and before < "\x80"
                points += 0.0 if shouted or not word else (1.0, 0.5, -0.2)[crowd]
            elif char in _MARKS:
                points += (0.9, 0.4, -0.2)[crowd]
            elif char == "\ufffd" or char < "\xa0":
                points -= 3
        before = char
    return points / total if total else 0.0


@lru_cache
def _level_one(encoding: str) -> frozenset[str]:
    """Return the everyday half of a national character set: the first level of JIS X 0208 or GB 2312."""
    last = 0xD7 if encoding == "gb2312" else 0xCF
    return frozenset(
        bytes((row, cell)).decode(encoding, errors="ignore")
        for row in range(0xB0, last + 1)
        for cell in range(0xA1, 0xFF)
    )
