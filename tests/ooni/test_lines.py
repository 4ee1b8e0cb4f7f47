"""Files as they come: laid out in any way, torn, hostile."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from blockwatch.ooni import Damage, Record, records
from blockwatch.ooni import lines as reading

ONE = {"test_name": "web_connectivity", "test_keys": {"queries": [1, 2]}}


def kinds(path: Path) -> list[str]:
    return [type(record).__name__ for record in records(path)]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ONE),
        json.dumps(ONE, indent=2),
        "\ufeff" + json.dumps(ONE, indent="\t") + "\n\n",
        "\r\n" + json.dumps(ONE) + "\r\n",
        json.dumps({"format": "json", "content": ONE}),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_one_object_in_any_layout(tmp_path: Path, text: str, packed: bool) -> None:
    path = tmp_path / "one"
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    (record,) = records(path)
    assert isinstance(record, Record)
    assert record.object == ONE


@pytest.mark.parametrize("packed", [False, True])
def test_bad_lines_are_named_and_the_others_read(tmp_path: Path, packed: bool) -> None:
    good = json.dumps(ONE)
    text = (
        "\n".join(["{bad", good, "[1]", good, '{"a": "\\ud800"}', "{" * 9, good]).encode() + b"\n\xff\xfe\n"
    )
    path = tmp_path / "lines.jsonl"
    path.write_bytes(gzip.compress(text) if packed else text)
    found = list(records(path))
    assert [record.where.rpartition(":")[2] for record in found] == ["1", "2", "3", "4", "5", "6", "7", "8"]
    assert [type(record) is Record for record in found] == [
        False,
        True,
        False,
        True,
        False,
        False,
        True,
        False,
    ]


def test_nesting_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "deep"
    path.write_text('{"a":' + "[" * 200_000 + "]" * 200_000 + "}\n" + json.dumps(ONE))
    damage, record = records(path)
    assert isinstance(damage, Damage)
    assert "nested" in damage.why
    assert isinstance(record, Record)


def test_an_endless_line_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_RECORD", 1_000)
    path = tmp_path / "long.gz"
    path.write_bytes(gzip.compress(b'{"a": "' + b"x" * 50_000 + b'"}\n' + json.dumps(ONE).encode()))
    damage, _ = records(path)
    assert isinstance(damage, Damage)
    assert damage.why == "a line of more than 1000 bytes"


@pytest.mark.parametrize("part", [b"[]", b"{}"])
def test_a_record_of_nothing_but_lists_is_refused_before_it_fills_the_memory(
    tmp_path: Path, part: bytes
) -> None:
    file = tmp_path / "many.jsonl"
    file.write_bytes(b'{"test_keys":[' + b",".join([part] * 1_000_001) + b"]}\n" + b'{"a":1}\n')
    damage, record = records(file)
    assert damage == Damage(f"{file}:1", "more than 1000000 lists and objects")
    assert isinstance(record, Record)
    assert record.object == {"a": 1}
    assert isinstance(record, Record)


def test_a_torn_stream_gives_what_it_holds(tmp_path: Path) -> None:
    import random

    noise = random.Random(1)
    text = "".join(json.dumps({**ONE, "id": noise.randbytes(40).hex()}) + "\n" for _ in range(2_000)).encode()
    whole = gzip.compress(text)
    path = tmp_path / "torn.gz"
    path.write_bytes(whole[: len(whole) // 2])
    found = kinds(path)
    assert found.count("Record") > 100
    assert found[-1] == "Damage"
    assert found.count("Damage") == 1


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\x1f\x8b", b"\x1f\x8bgarbage", b"\x00" * 50])
def test_what_is_no_record_at_all(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "nothing"
    path.write_bytes(content)
    assert "Record" not in kinds(path)


def test_no_such_file(tmp_path: Path) -> None:
    (damage,) = records(tmp_path / "none")
    assert isinstance(damage, Damage)
    assert "no such file" in damage.why
