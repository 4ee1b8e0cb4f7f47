"""Words in PNG files, and pictures that are none."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blockwatch.errors import PictureError
from blockwatch.picture.png import size_of, with_words, words_in
from tests.picture.pixels import chunks, colours

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


HEAD = chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 8, 2, 0, 0, 0))
ROWS = chunk(b"IDAT", zlib.compress(b"\0\xff\0\0\xff\0\0"))
END = chunk(b"IEND", b"")
EXTRA = chunk(b"tEXt", b"Author\0somebody") + chunk(b"tIME", bytes(7)) + chunk(b"eXIf", b"x")
PLAIN = SIGNATURE + HEAD + ROWS + END
WORDS = [("Record", "0123456789abcdef-000001 step 2"), ("URL", "http://example.org/")]


def test_words_are_added_and_nothing_else_of_the_browser_is_kept() -> None:
    given = SIGNATURE + HEAD + EXTRA + ROWS + ROWS[:0] + EXTRA + END
    made = with_words(given, WORDS)
    assert made == with_words(PLAIN, WORDS)
    assert [kind for kind, _ in chunks(made)] == [b"IHDR", b"tEXt", b"tEXt", b"IDAT", b"IEND"]
    assert words_in(made) == WORDS
    assert size_of(made) == (2, 1)
    assert colours(made) == {(255, 0, 0)}
    assert with_words(made, WORDS) == made


@pytest.mark.parametrize(
    "words", [("", "x"), ("x" * 80, "x"), ("Ü", "x"), ("URL", "Ü"), ("URL", "a\nb"), ("UR\0L", "x")]
)
def test_words_that_do_not_fit(words: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="not for a PNG file"):
        with_words(PLAIN, [words])


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        SIGNATURE,
        b"\xff\xd8\xff\xe0 a JPEG",
        PLAIN[:-1],
        PLAIN + b"\0",
        SIGNATURE + HEAD + ROWS,
        SIGNATURE + ROWS + HEAD + END,
        SIGNATURE + EXTRA + HEAD + ROWS + END,
        SIGNATURE + HEAD + ROWS + HEAD + END,
        SIGNATURE + chunk(b"IHDR", bytes(13)) + ROWS + END,
        SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 2**31, 2**31, 8, 2, 0, 0, 0)) + ROWS + END,
        SIGNATURE + chunk(b"IHDR", bytes(12)) + ROWS + END,
        SIGNATURE + HEAD[:-1] + b"x" + ROWS + END,
        SIGNATURE + HEAD + struct.pack(">I", 2**31) + ROWS[4:] + END,
    ],
)
def test_what_is_no_picture_is_refused(raw: bytes) -> None:
    with pytest.raises(PictureError):
        with_words(raw, WORDS)


@given(st.integers(0, len(PLAIN) - 1), st.integers(1, 255))
def test_no_byte_may_differ(at: int, by: int) -> None:
    raw = bytearray(PLAIN)
    raw[at] ^= by
    with pytest.raises(PictureError):
        with_words(bytes(raw), WORDS)


@given(st.binary(max_size=200))
def test_any_bytes(tail: bytes) -> None:
    with pytest.raises(PictureError):
        with_words(SIGNATURE + tail, WORDS)
