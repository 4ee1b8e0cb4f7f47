"""``python -m tests.lab.looked WORLD FOLDER``: what a plain client sees of each target of a world, as JSON.

``saw`` by target id; ``faults``: what the lab's servers said of faults of theirs.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from blockwatch.lab.build import worlds
from blockwatch.lab.running import RunningLab, start
from blockwatch.lab.scenarios import SCENARIOS
from blockwatch.lab.world import World

CLIENT = Path(__file__).with_name("plain_client.py")
SECONDS = 150


def looked(world: World) -> dict[str, Any]:
    truths = [truth for truth in world.truths if truth.see != "any"]
    with start(world) as lab:
        saw = _seen(lab, [truth.url for truth in truths])
        targets = [truth.target for truth in truths]
        return {"saw": dict(zip(targets, saw, strict=True)), "faults": lab.faults()}


def _seen(lab: RunningLab, urls: list[str]) -> list[dict[str, Any]]:
    client = lab.popen(
        [sys.executable, str(CLIENT), str(lab.ca_file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        out, _ = client.communicate(json.dumps(urls).encode(), timeout=SECONDS)
    finally:
        client.kill()
    assert client.returncode == 0
    saw: list[dict[str, Any]] = json.loads(out)
    return saw


if __name__ == "__main__":
    print(json.dumps(looked(worlds(SCENARIOS)[sys.argv[1]])))
