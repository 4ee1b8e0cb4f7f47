"""Which charset a page is in, for pages that say so, lie about it, or are silent.

Rules of this file:

* only charsets of the WHATWG Encoding Standard, by its labels: Python's own registry also holds
  codecs that are slow or not charsets at all (``punycode``, ``idna``, ``zlib``, ``unicode_escape``);
* valid UTF-8 is UTF-8, whatever else is declared (chance agreement of another charset is negligible);
* a guess is made only between Cyrillic charsets, as block pages of the region come in all of them.
"""

from __future__ import annotations

import codecs
import re

_META = re.compile(rb"<meta(?=[\s/])", re.I)
_META_CHARSET = re.compile(rb"charset\s{0,20}=\s{0,20}[\"']?\s{0,20}([A-Za-z0-9_:.-]{1,40})", re.I)
_HEADER_CHARSET = re.compile(r"charset\s{0,20}=\s{0,20}[\"']?\s{0,20}([A-Za-z0-9_:.-]{1,40})", re.I)
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_ASCII = bytes(range(128))
_SAMPLE = 65_536  # bytes looked at to guess
_PRESCAN = 4_096  # bytes searched for <meta>; the standard says 1,024, pages say otherwise

_CODECS = {
    "utf-8": "utf-8 utf8 unicode-1-1-utf-8 unicode11utf8 x-unicode20utf8",
    "utf-16-le": "utf-16le utf-16 ucs-2 unicode csunicode iso-10646-ucs-2",
    "utf-16-be": "utf-16be unicodefffe",
    "cp1250": "windows-1250 cp1250 x-cp1250",
    "cp1251": "windows-1251 cp1251 x-cp1251 win-1251 win1251",
    "cp1252": "windows-1252 cp1252 x-cp1252 iso-8859-1 iso8859-1 latin1 l1 ascii us-ascii iso_8859-1",
    "cp1253": "windows-1253 cp1253",
    "cp1254": "windows-1254 cp1254 iso-8859-9 latin5",
    "cp1255": "windows-1255 cp1255",
    "cp1256": "windows-1256 cp1256",
    "cp1257": "windows-1257 cp1257",
    "cp1258": "windows-1258 cp1258",
    "iso8859-2": "iso-8859-2 latin2",
    "iso8859-4": "iso-8859-4",
    "iso8859-5": "iso-8859-5 cyrillic",
    "iso8859-6": "iso-8859-6 arabic",
    "iso8859-7": "iso-8859-7 greek",
    "iso8859-8": "iso-8859-8 hebrew",
    "iso8859-13": "iso-8859-13",
    "iso8859-15": "iso-8859-15 latin-9",
    "koi8-r": "koi8-r koi8 koi koi8_r cskoi8r",
    "koi8-u": "koi8-u koi8-ru",
    "cp866": "ibm866 866 cp866",
    "mac-cyrillic": "x-mac-cyrillic",
    "gb18030": "gb18030 gbk gb2312 x-gbk chinese",
    "big5": "big5 big5-hkscs",
    "euc-jp": "euc-jp x-euc-jp",
    "shift_jis": "shift_jis shift-jis sjis x-sjis windows-31j",
    "euc-kr": "euc-kr korean ks_c_5601-1987 windows-949",
}
_LABELS = {label: codec for codec, labels in _CODECS.items() for label in labels.split()}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CYRILLIC = ("cp1251", "koi8-r", "cp866")
_SHARE = {  # per cent of the letters of a Russian text, about
    letter: share
    for share, letters in ((11, "о"), (8, "еа"), (7, "ин"), (6, "т"), (5, "срв"), (4, "л"), (3, "кмдпу"),
                           (2, "яыьгзб"), (1, "чйхжшю"), (0, "цщэфъё"))
    for letter in letters
}  # fmt: skip
_SINGLE_BYTE = frozenset(codec for codec in _CODECS if codec.startswith(("cp", "iso", "koi", "mac")))


def _points(codec: str) -> tuple[tuple[bytes, int], ...]:
    """Bytes of one charset by how common their letters are in Russian: (bytes, points each)."""
    by_points: dict[int, list[int]] = {}
    for byte, letter in enumerate(bytes(range(128, 256)).decode(codec, "replace"), 128):
        small = letter.lower()
        if small in _SHARE:
            points = _SHARE[small] - (letter != small)  # of two readings, the one with fewer capitals
        else:
            points = 1 if letter in "іїєґ«»—–…№\xa0“”" else -8
        by_points.setdefault(points, []).append(byte)
    return tuple((bytes(chars), points) for points, chars in by_points.items())


_POINTS = {codec: _points(codec) for codec in _CYRILLIC}


def declared_charset(content_type: str, body: bytes) -> str | None:
    """Python codec name declared by byte order mark, Content-Type or ``<meta>``; ``None``: none."""
    for mark, codec in _MARKS:
        if body.startswith(mark):
            return codec
    found = _HEADER_CHARSET.search(content_type[:1_000])
    if found and (codec := _LABELS.get(found[1].lower(), "")):
        return codec
    head = body[:_PRESCAN]
    for tag in _META.finditer(head):
        end = head.find(b">", tag.end())
        label = _META_CHARSET.search(head, tag.end(), end if end >= 0 else len(head))
        if label and (codec := _LABELS.get(label[1].decode("ascii").lower(), "")):
            return "utf-8" if codec.startswith("utf-16") else codec  # it was read as ASCII, so it is not
    return None


def decode_text(body: bytes, declared: str | None) -> str:
    """Decode ``body``; undecodable bytes become U+FFFD, a byte order mark is left out."""
    for mark, codec in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(codec, "replace")
    if utf8_wins(declared):
        text = _utf8(body)
        if text is not None:
            return text
        if declared is None or declared == "utf-8":
            guess = _guess_cyrillic(body)
            declared = guess or declared or "cp1252"
    return body.decode(declared or "cp1252", "replace")


def utf8_wins(declared: str | None) -> bool:
    """Whether :func:`decode_text` reads valid UTF-8 as such, though ``declared`` may be another charset."""
    return declared is None or declared == "utf-8" or declared in _SINGLE_BYTE


def _utf8(body: bytes) -> str | None:
    """``body`` if it is UTF-8 but for a character torn at its end."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        return decoder.decode(body)
    except UnicodeDecodeError:
        return None


def _guess_cyrillic(body: bytes) -> str | None:
    sample = body[:_SAMPLE]
    high = sample.translate(None, _ASCII)
    runs = len(_HIGH_RUN.findall(sample))
    if len(high) < 2 * runs:  # letters outside ASCII stand alone: a western language
        return None
    scores = {
        codec: sum(points * (len(high) - len(high.translate(None, chars))) for chars, points in table)
        for codec, table in _POINTS.items()
    }
    best = max(scores, key=lambda codec: scores[codec])
    return best if scores[best] >= 4 * len(high) else None
