"""How names of other scripts stand in passports and are typed by people who know them in Latin letters. Pure.

anyascii writes letter for letter ("Παπαδοπούλου" papadopoyloy, "김" gim); passports and people write papadopoulou and
Kim. Greek by ELOT 743 and as Greeks write it abroad, Cyrillic by ICAO Doc 9303 part 3 section 6, as English, Ukraine
(resolution 55 of 2010) and Serbia have it, Korean family names as their bearers spell them, Chinese names parted behind
the family's, frequent family names of Japan by their readings, kana without long vowels. Other readings need a
dictionary and are not sure even with one (a given name's); vowels that nobody writes (محمد Mohammed) are
chassis.typed.consonants'.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Final

from anyascii import anyascii

_GREEK: Final = re.compile("[\u0370-\u03ff\u1f00-\u1fff]")
_CYRILLIC: Final = re.compile("[\u0400-\u04ff]")
# A whole word of Chinese characters, as short as a name.
_HAN: Final = re.compile(r"(?<!\w)[\u4e00-\u9fff]{2,4}(?!\w)")
_KANA: Final = re.compile("[\u3041-\u30ff]")
_OF_UKRAINE: Final = re.compile("[іїєґ]")
_UKRAINE: Final = str.maketrans(
    {"г": "h", "ґ": "g", "є": "ie", "ж": "zh", "и": "y", "і": "i", "ї": "i", "й": "i", "х": "kh", "ц": "ts", "ч": "ch"}
    | {"ш": "sh", "щ": "shch", "ю": "iu", "я": "ia", "ь": "", "'": "", "’": ""}
)
_AT_THE_START: Final = {"ї": "yi", "є": "ye", "ю": "yu", "я": "ya", "й": "y"}
_OF_SERBIA: Final = re.compile("[ђјљњћџ]")
_SERBIA: Final = str.maketrans(
    {"ђ": "dj", "ж": "z", "ј": "j", "љ": "lj", "њ": "nj", "ћ": "c", "х": "h", "ц": "c", "ч": "c", "џ": "dz", "ш": "s"}
)
_HANGUL: Final = re.compile("[\uac00-\ud7a3]+")
_VOICED: Final = "αεηιουωβγδζλμνρ"
# A mark of two dots parts two vowels (Αϋ), an accent on the first as well (άυ).
_NO_DIAERESIS: Final = "(?!\u0301?\u0308)"
_ELOT: Final = tuple(
    (re.compile(pattern), latin)
    for pattern, latin in (
        (f"ου{_NO_DIAERESIS}", "ou"),
        (rf"([αεη])υ{_NO_DIAERESIS}(\u0301?)(?=[{_VOICED}])", r"\1v"),
        (f"([αεη])υ{_NO_DIAERESIS}\u0301?", r"\1f"),
        ("γ(?=[γξχ])", "n"),
        ("(?<![\\w\u0301])μπ", "b"),
        ("(?<![\\w\u0301])ντ", "d"),
        ("χ", "ch"),
    )
)
_ICAO: Final = str.maketrans(
    {"щ": "shch", "ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "ю": "iu", "я": "ia", "й": "i", "ё": "e"}
    | {"ї": "i", "є": "ie", "ъ": "ie", "ы": "y", "э": "e", "ь": "", "ў": "u", "ђ": "d", "ћ": "c", "џ": "dz"}
)
# The most frequent family names (Statistics Korea, 2015), each as its bearers spell it abroad.
_FAMILY_NAMES: Final = (
    "김 kim|이 lee yi rhee|박 park pak|최 choi|정 jung chung|강 kang|조 cho jo|윤 yoon yun|"
    "장 chang jang|임 lim im|한 han|오 oh|서 seo suh|신 shin|권 kwon|황 hwang|안 ahn|송 song|"
    "류 ryu|유 yoo yu ryu|홍 hong|전 jeon chun|고 ko koh|문 moon|양 yang|손 son sohn|배 bae|"
    "백 baek paik|허 heo hur|남 nam|심 shim|노 noh roh|하 ha|곽 kwak|성 sung|차 cha|주 joo ju|"
    "우 woo|구 koo ku|나 na|민 min|진 jin|지 ji|엄 um|채 chae|원 won|천 chun|방 bang|공 kong|"
    "현 hyun|함 ham|변 byun|염 yum|추 choo chu|도 do|석 suk|선 sun|설 seol|길 gil|표 pyo|명 myung|"
    "기 ki"
)
_FAMILIES: Final = {line[0]: line.split()[1:] for line in _FAMILY_NAMES.split("|")}
# Family names of Japan that are met often, of two characters and more, those that nearly all their bearers read in one
# way (or two); some in older characters too. Collected by hand. Of one character (林, 森) they are as often Chinese.
_JAPANESE_NAMES: Final = (
    "佐藤 sato|鈴木 suzuki|高橋 髙橋 takahashi|田中 tanaka|伊藤 ito|渡辺 渡邊 渡邉 watanabe|山本 yamamoto|"
    "中村 nakamura|小林 kobayashi|加藤 kato|吉田 yoshida|山田 yamada|佐々木 佐佐木 sasaki|山口 yamaguchi|"
    "松本 matsumoto|井上 inoue|木村 kimura|斎藤 斉藤 齋藤 齊藤 saito|清水 shimizu|山崎 山﨑 yamazaki yamasaki|"
    "池田 ikeda|橋本 hashimoto|阿部 安部 安倍 abe|石川 ishikawa|山下 yamashita|中島 中嶋 nakajima nakashima|"
    "石井 ishii|小川 ogawa|前田 maeda|岡田 okada|長谷川 hasegawa|藤田 fujita|後藤 goto|近藤 kondo|村上 murakami|"
    "遠藤 endo|青木 aoki|坂本 sakamoto|福田 fukuda|太田 大田 ota|西村 nishimura|藤井 fujii|金子 kaneko|"
    "岡本 okamoto|藤原 fujiwara|三浦 miura|中野 nakano|中川 nakagawa|原田 harada|松田 matsuda|竹内 takeuchi|"
    "小野 大野 ono|田村 tamura|中山 nakayama|和田 wada|石田 ishida|森田 morita|上田 ueda|内田 uchida|柴田 shibata|"
    "酒井 坂井 sakai|宮崎 宮﨑 miyazaki|横山 yokoyama|高木 takagi|安藤 ando|宮本 miyamoto|小島 kojima|"
    "谷口 taniguchi|工藤 kudo|今井 imai|高田 takada takata|増田 masuda|丸山 maruyama|杉山 sugiyama|村田 murata|"
    "大塚 otsuka|新井 荒井 arai|小山 koyama oyama|平野 hirano|藤本 fujimoto|河野 kono kawano|上野 ueno|"
    "野口 noguchi|武田 takeda|松井 matsui|千葉 chiba|菅原 sugawara|岩崎 iwasaki|久保 kubo|木下 kinoshita|佐野 sano|"
    "松尾 matsuo|野村 nomura|菊地 菊池 kikuchi|杉本 sugimoto|市川 ichikawa|古川 furukawa|大西 onishi|島田 shimada|"
    "水野 mizuno|桜井 櫻井 sakurai|高野 takano|吉川 yoshikawa|山内 yamauchi|西田 nishida|飯田 iida|西川 nishikawa|"
    "小松 komatsu|北村 kitamura|安田 yasuda|五十嵐 igarashi|川口 kawaguchi|平田 hirata|中田 nakata|久保田 kubota|"
    "服部 hattori|岩田 iwata|土屋 tsuchiya|川崎 kawasaki|福島 fukushima|本田 honda|樋口 higuchi|秋山 akiyama|"
    "田口 taguchi|永井 nagai|山中 yamanaka|中西 nakanishi|吉村 yoshimura|川上 kawakami|石原 ishihara|大橋 ohashi|"
    "松岡 matsuoka|馬場 baba|浜田 濱田 hamada|森本 morimoto|星野 hoshino|矢野 yano|浅野 asano|松下 matsushita|"
    "黒田 kuroda|小泉 koizumi"
)
_JAPANESE: Final = {
    name: [word for word in line.split() if word.isascii()]
    for line in _JAPANESE_NAMES.split("|")
    for name in line.split()
    if not name.isascii()
}
_JAPANESE_NAME: Final = re.compile(r"(?<!\w)(?:" + "|".join(sorted(_JAPANESE, key=len, reverse=True)) + ")")
_READINGS: Final = 2
_MOST_SYLLABLES: Final = 4
_SPELLINGS: Final = 3


def romanised(text: str) -> Iterator[str]:
    """The text with words of these scripts as they are written in Latin letters; nothing where it has none."""
    if _GREEK.search(text):
        yield from (official := _greek(text), _greek_abroad(official))
    if _CYRILLIC.search(text):
        yield from _cyrillic(text.lower())
    if _KANA.search(text):
        yield re.sub("o[ou]", "o", anyascii(text).lower()).replace("uu", "u")
    if _HAN.search(text):
        yield _HAN.sub(lambda found: f"{found[0][0]} {found[0][1:]}", text)
    yield from _read_as_names(text)
    if _HANGUL.search(text):
        yield from (_HANGUL.sub(_korean(spelling), text) for spelling in range(_SPELLINGS))


def japanese_readings(text: str) -> Iterator[str]:
    """The text with kana letter by letter, long vowels too, and with family names by their readings."""
    if _KANA.search(text):
        yield anyascii(text).lower()
    yield from _read_as_names(text)


def _read_as_names(text: str) -> Iterator[str]:
    if _JAPANESE_NAME.search(text):
        yield from (_JAPANESE_NAME.sub(_japanese(reading), text) for reading in range(_READINGS))


def _greek(text: str) -> str:
    parts = unicodedata.normalize("NFD", text.lower())
    for pattern, latin in _ELOT:
        parts = pattern.sub(latin, parts)
    return unicodedata.normalize("NFC", parts)


def _greek_abroad(official: str) -> str:
    """ "Yiorgos", "Hristos", "Aleksandros", "Babis" for what ELOT writes Giorgos, Christos, Alexandros, Bampis."""
    ascii_letters = anyascii(official)
    for pattern, latin in (("ch", "h"), (r"\bg(?=i)", "y"), ("x", "ks"), ("mp", "b")):
        ascii_letters = re.sub(pattern, latin, ascii_letters)
    return ascii_letters


def _cyrillic(text: str) -> Iterator[str]:
    """Lower-case text as passports have it, and as people and languages write it."""
    yield text.translate(_ICAO)
    # "Dmitry" and "Yeltsin", then "Maria" and "Natalia", "Alexander" and "Evgeny".
    english = re.sub(r"[иы]й\b", "ы", text)
    yield from (re.sub(r"\bе", "йе", way) for way in (english, text))
    yield re.sub("[иь]я", "иа", english)
    yield re.sub("[иь]я", "иа", text.replace("кс", "x").replace("андр", "андер", 1 if text.endswith("андр") else 0))
    if _OF_UKRAINE.search(text):
        yield re.sub(r"\b[їєюяй]", lambda found: _AT_THE_START[found[0]], text).translate(_UKRAINE)
    if _OF_SERBIA.search(text):
        yield text.translate(_SERBIA)


def _japanese(reading: int) -> Callable[[re.Match[str]], str]:
    """The family name that a word begins with by its reading, parted from what follows; 0 is its usual one."""

    def read(found: re.Match[str]) -> str:
        readings = _JAPANESE[found[0]]
        return f"{readings[min(reading, len(readings) - 1)]} "

    return read


def _korean(spelling: int) -> Callable[[re.Match[str]], str]:
    """The family name first in a word of up to four syllables, parted from the others; 0 is its usual spelling."""

    def write(found: re.Match[str]) -> str:
        spellings = _FAMILIES.get(found[0][0])
        if spellings is None or len(found[0]) > _MOST_SYLLABLES:
            return found[0]
        return f"{spellings[min(spelling, len(spellings) - 1)]} {found[0][1:]}"

    return write
