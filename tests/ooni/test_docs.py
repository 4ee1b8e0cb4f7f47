"""docs/ooni.md says of every field and key what becomes of it."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from blockwatch.model import ControlStep, DnsReply, DnsStep, HttpStep, Measured, Step, TcpStep, TlsStep
from blockwatch.ooni import head_of, read_measurement, run_open_of, to_ooni
from blockwatch.ooni.write import TEST_VERSION
from tests.evidence.made import measured, run_open
from tests.ooni.data import RUN
from tests.ooni.same import FATE, PAGE, ROWS, fields_of

NOUNS: tuple[type, ...] = (Step, DnsStep, DnsReply, TcpStep, TlsStep, HttpStep, ControlStep)
TEXT = PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.__name__)
def test_every_field_is_on_the_page(noun: type) -> None:
    own = Step.__struct_fields__ if noun is Step else fields_of(noun)
    assert [field for name, field, _ in ROWS if name == noun.__name__] == list(own)


def written() -> dict[str, Any]:
    record: dict[str, Any] = json.loads(
        msgspec.json.encode(to_ooni(run_open(), measured().measurement, lambda _: None))
    )
    return record


def test_every_key_is_on_the_page() -> None:
    for key in written()["test_keys"]:
        assert f"`{key}`" in TEXT


def test_what_is_called_lost_is_lost() -> None:
    record = written()
    head = head_of(record)
    again: Measured = read_measurement(
        record, head, run=RUN, seq=1, run_started=run_open_of(RUN, [head]).started
    ).measured
    for step in again.measurement.observations:
        for field in type(step).__struct_fields__:
            if FATE.get((type(step).__name__, field)) == "lost":
                default = next(f.default for f in msgspec.structs.fields(type(step)) if f.name == field)
                assert getattr(step, field) == default, field


def test_the_version_is_on_the_page() -> None:
    assert f"`{TEST_VERSION}`" in TEXT
    assert written()["test_version"] == TEST_VERSION


def test_no_address_of_ours_is_written() -> None:
    record = written()
    assert (record["probe_ip"], record["resolver_ip"], record["data_format_version"]) == (
        "127.0.0.1", "127.0.0.2", "0.2.0"
    )  # fmt: skip
    assert record["test_keys"]["client_resolver"] == ""
