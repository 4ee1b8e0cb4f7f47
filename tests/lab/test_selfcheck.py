"""The lab checks itself: a plain client sees exactly the interference that a row describes, and no other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from blockwatch.lab.build import worlds
from blockwatch.lab.scenarios import SCENARIOS
from tests.lab_ready import needs_lab

pytestmark = needs_lab
WORLDS = worlds(SCENARIOS)


def matches(see: str, saw: dict[str, Any]) -> bool:
    if see == "dns.injection":
        return saw["dns"] == see
    if see == "dns.redirect":
        return saw["dns"] == "ok" and not set(saw["isp"]) & set(saw["true"])
    if see == "bogon":
        return saw["isp"] == saw["true"] == ["127.0.0.1"]
    if see.startswith("ips:"):
        return sorted(saw["tcp"]) == sorted(see.removeprefix("ips:").split(","))
    if see == "http.other":
        return saw["web"] == "ok" and heading(saw["url"]) not in saw["text"]
    return (saw["dns"] == "ok" or see.startswith("dns.")) and saw["web"] == see


def heading(url: str) -> str:
    return url.split("/")[2].split(".")[0].replace("-", " ").title()


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.begun("tests.lab.looked", name)) for name in WORLDS]
)
def test_a_plain_client_sees_what_each_row_says(name: str, said: str) -> None:
    truths = [truth for truth in WORLDS[name].truths if truth.see != "any"]
    looked = json.loads(said)
    saw = looked["saw"]
    wrong = [
        f"{truth.scenario} {truth.url}: {truth.see}, but saw {saw[truth.target]['dns']} "
        f"{saw[truth.target]['isp']} {saw[truth.target]['true']} {saw[truth.target]['web']} "
        f"{saw[truth.target]['text'][:80]!r}"
        for truth in truths
        if not matches(truth.see, saw[truth.target])
    ]
    assert wrong == []
    assert looked["faults"] == ""
