"""Canonical JSON: the vectors of RFC 8785 that concern what we write (strings, integers, keys)."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blockwatch.codec import canonical, decode, decode_record
from blockwatch.model import Measurement
from blockwatch.run import RunClose, RunOpen
from tests.evidence.made import RUN, measured, run_close, run_open


def test_the_example_of_section_3_2_2_but_for_its_floats() -> None:
    value = {"string": "\u20ac$\u000f\nA'\u0042\u0022\u005c\\\"\u002f", "literals": [None, True, False]}
    expected = '{"literals":[null,true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    assert canonical(value) == expected.encode()


def test_the_example_of_section_3_2_3_in_the_basic_plane() -> None:
    """Keys in order of their UTF-16 code units, which below U+D800 is the order of their UTF-8 bytes."""
    value = {
        "€": "Euro Sign",
        "\r": "Carriage Return",
        "1": "One",
        "ö": "O With Diaeresis",
        "\x80": "Control",
    }
    keys = list(json.loads(canonical(value)))
    assert keys == ["\r", "1", "\x80", "ö", "€"]


@pytest.mark.parametrize(
    ("text", "coded"),
    [
        *((chr(code), f'"\\u{code:04x}"') for code in range(32) if chr(code) not in "\b\t\n\f\r"),
        *(("\b", r'"\b"'), ("\t", r'"\t"'), ("\n", r'"\n"'), ("\f", r'"\f"'), ("\r", r'"\r"')),
        *(('"', r'"\""'), ("\\", r'"\\"'), ("/", '"/"'), ("\x7f", '"\x7f"'), ("\u2028", '"\u2028"')),
        *(("\U0001f600", '"\U0001f600"'), ("é", '"é"'), ("e\u0301", '"e\u0301"')),
    ],
)
def test_strings(text: str, coded: str) -> None:
    assert canonical(text) == coded.encode()


@pytest.mark.parametrize("number", [0, -1, 2**53 - 1, -(2**53) + 1])
def test_integers(number: int) -> None:
    assert canonical(number) == str(number).encode()


@given(st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(max_codepoint=127)), inner),
))  # fmt: skip
def test_agrees_with_the_standard_library(value: object) -> None:
    """Python's own encoder, sorted and without spaces, differs from RFC 8785 in nothing of ours."""
    expected = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert canonical(value).decode() == expected
    assert b"\n" not in canonical(value)


def test_records_come_back() -> None:
    for record in (run_open(), measured().measurement, run_close(3)):
        line = canonical(record)
        again = decode_record(line)
        assert again == record
        assert type(again) in (RunOpen, Measurement, RunClose)
        assert canonical(again) == line
    assert decode(canonical(run_open()), RunOpen).run == RUN
    with pytest.raises(msgspec.DecodeError):
        decode_record(b'{"type":"run_open"}')
