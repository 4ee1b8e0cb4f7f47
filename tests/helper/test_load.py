"""The load test of the helper in the lab: a few requests of it, and its judge of answers."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab_ready import needs_lab

BENCH = Path(__file__).parents[2] / "bench"
SITE = {"address": "1.2.3.4", "dead": False, "title": "A page", "sha256": "ab"}
RIGHT = {
    "dns": {"failure": None, "addrs": ["1.2.3.4"]},
    "tcp_connect": {"1.2.3.4:443": {"status": True, "failure": None}},
    "tls_handshake": {"1.2.3.4:443": {"server_name": "a.example", "status": True, "failure": None}},
    "http_request": {"failure": None, "status_code": 200, "title": "A page"},
    "x_blockwatch": {"body_sha256": "ab"},
}


@pytest.fixture
def wrong(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH))
    from load import wrong

    return wrong


def test_a_right_answer_is_right(wrong):
    assert wrong(RIGHT, SITE) is None


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("dns", "addrs"), ["1.2.3.5"], "dns"),
        (("tcp_connect", "1.2.3.4:443", "failure"), "connect_error", "tcp"),
        (("tls_handshake", "1.2.3.4:443", "status"), False, "tls"),
        (("http_request", "status_code"), 503, "status"),
        (("http_request", "title"), "Another", "title"),
        (("x_blockwatch", "body_sha256"), "cd", "sha256"),
    ],
)
def test_a_wrong_answer_is_told(wrong, path, value, said):
    answer = copy.deepcopy(RIGHT)
    inner = answer
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    assert said in wrong(answer, SITE)
    assert wrong(RIGHT, SITE | {"dead": True}) is not None


@needs_lab
@pytest.mark.parametrize("more", [[], ["--fresh", "--tls"]])
def test_a_short_load_is_answered_rightly(more):
    argv = [sys.executable, str(BENCH / "helper.py"), "--rate", "10", "--seconds", "1", *more]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)
    assert (found["sent"], found["good"], found["errors"]) == (10, 10, {}), done.stderr
