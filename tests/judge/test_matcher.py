"""The search for many fingerprints at once, held against the plainest one that there is."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from blockwatch.judge import OURS, Fingerprint, Pack, read_pack
from blockwatch.judge.matcher import Matcher

TABLE = Path(__file__).parents[3] / "shared" / "data" / "fingerprints" / "fingerprints_http.csv"
MARKUP = ['<p class="', "https://www.", ' src="', "x9", "Z!", ' content="', "a", "=", "blocked ", "</title>"]
ALPHABETS: tuple[Sequence[str], ...] = (
    "ab<",
    "abcdefghij .<>/",
    "решение суда abc",
    "решение суда".encode("cp1251").decode("latin-1"),
    "қазақша ӯзбекӣ тоҷикӣ",
    "禁止访问x",
    "aé\0\ufffd",
    "🚫a\ud800\U0001f4a9",
    "\x41\u0141\u0241\u4e41",  # all of one lowest byte
    MARKUP,
)


def places(literals: Sequence[str], text: str) -> list[int]:
    """One search a literal."""
    return [place for place, literal in enumerate(literals) if literal in text]


def pieces(dice: random.Random, text: str, count: int) -> Iterator[str]:
    """Parts of a text, some of them spoilt in their first, last or any other letter."""
    for _ in range(count):
        at = dice.randrange(len(text) + 1)
        piece = text[at : at + dice.randrange(1, 90)]
        if piece and dice.random() < 0.4:
            wrong = dice.choice((0, len(piece) - 1, dice.randrange(len(piece))))
            piece = f"{piece[:wrong]}~{piece[wrong + 1 :]}"
        yield piece


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_the_matcher_finds_what_the_plain_search_finds(seed: int) -> None:
    print(f"seed {seed}")
    dice = random.Random(seed)
    for _ in range(60):
        letters = dice.choice(ALPHABETS)
        text = "".join(dice.choices(letters, k=dice.choice((0, 3, 40, 400, 4_000))))
        literals = ["".join(dice.choices(letters, k=dice.randrange(60))) for _ in range(dice.choice((3, 60)))]
        literals += pieces(dice, text, 40)
        matcher = Matcher(literals)
        for page in (text, text[1:], text[2:] + text, "".join(pieces(dice, text, 9))):
            assert matcher.found(page) == places(literals, page)


def plainly(pack: Pack, text: str) -> Fingerprint | None:
    """What a pack says of a page's text, all its fingerprints searched one by one."""
    text = text[:65_536]
    found = [one for one in pack.prints if one.where == "body" and plain_match(one, text)]
    if any(one.scope == "fp" for one in found):
        return None
    return max(found, key=lambda one: (one.settles, one.confidence), default=None)


def plain_match(one: Fingerprint, text: str) -> bool:
    if one.scope != "fp" and len(text) > 20_000 and 0 < len(one.literal.encode()) < 23:
        return False
    if one.kind == "full":
        return text == one.pattern
    if one.kind == "prefix":
        return text.startswith(one.pattern)
    if one.kind == "contains":
        return one.pattern in text
    return re.search(one.pattern, text, re.S) is not None


def a_pack(dice: random.Random, letters: Sequence[str], text: str) -> Pack:
    """Fingerprints of all kinds; a few say that a page is none."""
    patterns = ["".join(dice.choices(letters, k=dice.randrange(1, 60))) for _ in range(30)]
    patterns += [text[:size] for size in (1, 9, 30, len(text)) if text]
    patterns += filter(None, pieces(dice, text, 30))
    prints = []
    for place, pattern in enumerate(patterns):
        kind = dice.choice(("contains", "contains", "contains", "prefix", "full", "regexp"))
        if kind == "regexp":
            half = len(pattern) // 2
            gap = dice.choice((".*", ".+", "[0-9a-z]", "."))
            pattern = re.escape(pattern[:half]) + gap + re.escape(pattern[half:])
            kind, pattern = ("contains", "x") if pattern == gap else (kind, pattern)
        scope = dice.choices(("isp", "vbw", "fp"), weights=(60, 10, 1))[0]
        prints.append(Fingerprint(f"n{place}", scope, "body", kind, pattern, dice.randrange(11)))
    return Pack(prints)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_pack_says_what_the_plain_search_says(seed: int) -> None:
    print(f"seed {seed}")
    dice = random.Random(seed)
    known = 0
    for _ in range(40):
        letters = dice.choice([alphabet for alphabet in ALPHABETS if "\ud800" not in alphabet])
        text = "".join(dice.choices(letters, k=dice.choice((30, 300, 3_000))))
        pack = a_pack(dice, letters, text)
        for page in (text, "".join(pieces(dice, text, 9)), text + " " * 20_000):
            best = plainly(pack, page)
            assert pack.page((), page) == best
            known += best is not None
    assert known > 20


@pytest.mark.skipif(not TABLE.is_file(), reason="OONI's table is not at hand (no licence to ship)")
@pytest.mark.parametrize("seed", [1, 2])
def test_oonis_table_says_what_the_plain_search_says(seed: int) -> None:
    print(f"seed {seed}")
    dice = random.Random(seed)
    pack = read_pack(TABLE.read_bytes(), TABLE.name)
    patterns = [one.pattern for one in pack.prints if one.where == "body"]
    known = 0
    for _ in range(40):
        words = dice.choice((MARKUP, ["суд ", "бұғат "], ["禁止"], patterns))
        parts = [
            *dice.choices(words, k=dice.choice((3, 30, 3_000)) if words is not patterns else 5),
            *pieces(dice, dice.choice(patterns), 3),
            *dice.choices(patterns, k=dice.randrange(3)),
        ]
        dice.shuffle(parts)
        best = plainly(pack, "".join(parts))
        assert pack.page((), "".join(parts)) == best
        known += best is not None
    assert known > 5


def test_short_fingerprints_do_not_count_in_long_pages() -> None:
    short = Fingerprint("s", "isp", "body", "contains", "a short one", 5)
    long = Fingerprint("l", "isp", "body", "contains", "one of more than 22 bytes", 4)
    page = "a short one, and one of more than 22 bytes"
    assert Pack([short, long]).page((), page.ljust(20_000)) is short
    assert Pack([short, long]).page((), page.ljust(20_001)) is long
    veto = Fingerprint("v", "fp", "body", "contains", "short", 5)
    assert Pack([short, long, veto]).page((), page.ljust(20_001)) is None


HOSTILE = {
    "one sample over and over": lambda literals: literals[0][:8],
    "one sample that many share": lambda literals: "withheld",
    "all that is nearly there": lambda literals: "".join(literal[:-1] + "~" for literal in literals),
    "one literal over and over": lambda literals: literals[0],
    "one letter": lambda literals: "e",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text_costs_comparisons_in_proportion_to_its_length(kind: str) -> None:
    dice = random.Random(5)
    words = ("withheld", "page", "by order", "of court", "no. ", "registry", "notice")
    literals = [f"{' '.join(dice.choices(words, k=dice.randrange(1, 9)))}{n}" for n in range(300)]
    literals += [f"withheld {n}" for n in range(300)] + ["eeee", "BUSY"]
    matcher = Matcher(literals)
    unit = HOSTILE[kind](literals)
    compared = []
    for size in (40_000, 320_000):
        text = (unit * (size // len(unit) + 1))[:size]
        here, anywhere = matcher.suspects(text)
        assert len(here) <= size
        assert len(anywhere) <= len(literals)
        compared.append(len(here) + 640 * len(anywhere))  # searched anywhere costs as much as so many places
        assert matcher.found(text) == places(literals, text)
    assert compared[1] <= 9 * compared[0]


def test_few_literals_load_no_tables() -> None:
    code = (
        "import sys; from blockwatch.judge import OURS; OURS.page((), 'x' * 30_000); "
        "assert not {'numpy', 'pandas'} & set(sys.modules)"
    )
    assert OURS.prints
    subprocess.run([sys.executable, "-c", code], check=True)
