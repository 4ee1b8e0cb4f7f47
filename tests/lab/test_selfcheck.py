"""The lab checks itself: a plain client sees exactly the interference that a row describes, and no other."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from blockwatch.lab.build import worlds
from blockwatch.lab.running import RunningLab, start
from blockwatch.lab.scenarios import SCENARIOS
from blockwatch.lab.world import TargetTruth
from tests.lab_ready import needs_lab

pytestmark = needs_lab
CLIENT = Path(__file__).with_name("plain_client.py")
WORLDS = worlds(SCENARIOS)


def seen(lab: RunningLab, truths: list[TargetTruth]) -> dict[str, dict[str, Any]]:
    """What the plain client saw, by target id."""
    client = lab.popen(
        [sys.executable, str(CLIENT), str(lab.ca_file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    out, _ = client.communicate(json.dumps([truth.url for truth in truths]).encode(), timeout=150)
    assert client.returncode == 0
    return {truth.target: saw for truth, saw in zip(truths, json.loads(out), strict=True)}


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


@pytest.mark.parametrize("name", WORLDS)
def test_a_plain_client_sees_what_each_row_says(name: str) -> None:
    world = WORLDS[name]
    truths = [truth for truth in world.truths if truth.see != "any"]
    with start(world) as lab:
        saw = seen(lab, truths)
        wrong = [
            f"{truth.scenario} {truth.url}: {truth.see}, but saw {saw[truth.target]['dns']} "
            f"{saw[truth.target]['isp']} {saw[truth.target]['true']} {saw[truth.target]['web']} "
            f"{saw[truth.target]['text'][:80]!r}"
            for truth in truths
            if not matches(truth.see, saw[truth.target])
        ]
        assert wrong == []
        assert lab.faults() == ""
