"""The list of accepted keys, and notes that hand a key's trust on."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blockwatch.errors import ConfigError, EvidenceError
from blockwatch.evidence.allow import (
    allowed_by,
    parse_allow_list,
    parse_rotation,
    read_allow_list,
    rotation_note,
)
from blockwatch.evidence.note import format_note
from blockwatch.evidence.signing import new_signer

ONE, TWO, THREE = (new_signer() for _ in range(3))
WHEN = "2026-11-22T06:40:00Z"


def microseconds(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1_000_000


def test_a_list() -> None:
    text = f"""\ufeff# spring campaign

{ONE.key}
 {TWO.key}   from=2026-03-01 to=2026-05-31  Aigul from Almaty, second laptop
{THREE.key} from=2026-06-01\t
  # {THREE.key}
{THREE.key} to=2026-01-31 again
"""
    keys = parse_allow_list(text, "list")
    assert [(each.key, each.name) for each in keys] == [
        (ONE.key, ""),
        (TWO.key, "Aigul from Almaty, second laptop"),
        (THREE.key, ""),
        (THREE.key, "again"),
    ]
    assert (keys[1].since, keys[1].until) == (date(2026, 3, 1), date(2026, 5, 31))
    first = allowed_by(keys, ONE.key, 0)
    assert first is keys[0]
    for when, there in (
        ("2026-02-28T23:59:59", False),
        ("2026-03-01", True),
        ("2026-05-31T23:59:59", True),
        ("2026-06-01", False),
    ):
        assert (allowed_by(keys, TWO.key, microseconds(when)) is not None) is there
    assert allowed_by(keys, THREE.key, microseconds("2026-03-01")) is None
    assert allowed_by(keys, THREE.key, microseconds("2026-01-31")) is keys[3]
    assert allowed_by(keys, new_signer().key, 0) is None
    assert allowed_by(keys, TWO.key, 2**60) is None


def test_every_problem_is_said_with_its_line() -> None:
    text = f"""{ONE.key}
{str(ONE.key)[:-3]}
{ONE.key} to=2026-05-31 from=2026-03-01
{ONE.key} from=2026-02-30
{ONE.key} from=2026-05-02 to=2026-05-01
ssh-ed25519 AAAA
"""
    with pytest.raises(ConfigError) as caught:
        parse_allow_list(text, "my.keys")
    words = str(caught.value)
    assert [line.partition(":")[2].partition(":")[0] for line in words.split("\n")[:5]] == list("23456")
    assert "blockwatch key show" in words


def test_files_that_are_no_lists(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        read_allow_list(tmp_path / "missing")
    with pytest.raises(ConfigError, match="no list of keys"):
        read_allow_list(tmp_path)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_allow_list(tmp_path / "binary")
    with (tmp_path / "large").open("wb") as file:
        file.truncate(5_000_000)
    with pytest.raises(ConfigError, match="no list of keys"):
        read_allow_list(tmp_path / "large")
    (tmp_path / "good").write_text(f"{ONE.key}\n")
    assert [each.key for each in read_allow_list(tmp_path / "good")] == [ONE.key]


@given(st.text(max_size=100), st.text(max_size=30))
def test_any_text_is_a_list_or_refused(text: str, tail: str) -> None:
    for each in (text, f"{ONE.key} {tail}"):
        try:
            keys = parse_allow_list(each, "list")
        except ConfigError:
            continue
        assert all(allowed.at(0) in (True, False) for allowed in keys)


def test_handing_a_key_on_takes_both_keys() -> None:
    raw = rotation_note(ONE, TWO, WHEN)
    found = parse_rotation(raw)
    assert (found.old, found.new, found.when) == (ONE.key, TWO.key, WHEN)
    text, _, signatures = raw.partition(b"\n\n")
    old, new = signatures.splitlines(keepends=True)
    for torn in (old, new, new.replace(TWO.key.name.encode(), ONE.key.name.encode()) + new):
        with pytest.raises(EvidenceError):
            parse_rotation(text + b"\n\n" + torn)
    stranger = f"blockwatch/rotation\nfrom {ONE.key}\nto {THREE.key}\nwhen {WHEN}\n".encode()
    forged = format_note(stranger, (TWO.signature(stranger), THREE.signature(stranger)))
    with pytest.raises(EvidenceError, match="without the signatures of both"):
        parse_rotation(forged)
    with pytest.raises(EvidenceError, match="does not hand a key on"):
        parse_rotation(ONE.note(b"blockwatch/run/0123456789abcdef\n1\nAAAA\n"))
