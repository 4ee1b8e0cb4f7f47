"""One running lab, asked from the probe's side: resolvers, interception, the helper, closed ports, IPv6."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509

from blockwatch.lab.build import build_world
from blockwatch.lab.running import RunningLab, start
from blockwatch.lab.scenarios import SCENARIOS
from blockwatch.lab.world import PUBLIC_RESOLVERS, Site
from tests.lab_ready import needs_lab

pytestmark = needs_lab
CLIENT = Path(__file__).with_name("lab_client.py")
ROWS = (
    "clean1",
    "kz-mitm-isca",
    "kz-mitm-qaznet",
    "o46",
    "e-D",
    "e-H",
    "e-L",
    "down-refused",
    "kz-sni-neighbour",
)


@pytest.fixture(scope="module")
def lab() -> Iterator[RunningLab]:
    with start(build_world([row for row in SCENARIOS if row.id in ROWS])) as running:
        yield running
        assert running.faults() == ""


def here(lab: RunningLab, key: str) -> Site:
    return next(site for site in lab.world.sites if site.key == key)


def ask(lab: RunningLab, *words: str) -> Any:
    done = lab.run([sys.executable, str(CLIENT), *words], timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def issuer(lab: RunningLab, address: str, name: str) -> str:
    pem = ask(lab, "leaf", address, "443", name)
    return x509.load_pem_x509_certificate(pem.encode()).issuer.rfc4514_string()


@pytest.mark.parametrize("resolver", PUBLIC_RESOLVERS)
def test_encrypted_resolvers_tell_the_truth(lab: RunningLab, resolver: str) -> None:
    site = here(lab, "o46/a")
    assert ask(lab, "dot", str(lab.ca_file), resolver, str(site.host)) == site.addresses[0]
    for method in ("GET", "POST"):
        assert ask(lab, "doh", str(lab.ca_file), resolver, str(site.host), method) == site.addresses[0]


@pytest.mark.parametrize(("style", "words"), [("isca", "O=ISCA"), ("qaznet", "CN=Security Certificate")])
def test_interception_of_the_listed_name_alone(lab: RunningLab, style: str, words: str) -> None:
    site = here(lab, f"kz-mitm-{style}/a")
    forged = issuer(lab, site.addresses[0], str(site.host))
    assert words in forged
    assert "C=KZ" in forged
    assert "Lab TLS CA 1" in issuer(lab, site.addresses[0], "-")
    assert "Lab TLS CA 1" in issuer(lab, site.addresses[0], "another-name.org")


def test_the_helper_sees_what_is_really_there(lab: RunningLab) -> None:
    def control(key: str) -> dict[str, Any]:
        seen: dict[str, Any] = ask(lab, "helper", str(lab.ca_file), f"https://{here(lab, key).host}/")
        return seen

    assert control("o46/a")["http_request"]["status_code"] == 200
    assert control("kz-mitm-isca/a")["http_request"]["failure"] is None
    assert control("e-H/a")["http_request"]["status_code"] == 200  # the probe alone gets 451
    assert control("e-L/a")["dns"]["addrs"] == [here(lab, "e-L/a").addresses[2]]
    down = control("down-refused/a")
    assert [endpoint["failure"] for endpoint in down["tcp_connect"].values()] == ["connection_refused_error"]


def test_the_helper_alone_is_challenged(lab: RunningLab) -> None:
    site = here(lab, "e-D/a")
    seen = ask(lab, "helper", str(lab.ca_file), f"http://{site.host}/")
    assert seen["http_request"]["status_code"] == 403
    assert "<title>" in ask(lab, "fetch", str(lab.ca_file), site.addresses[0], "80", str(site.host))


def test_two_names_at_one_address(lab: RunningLab) -> None:
    blocked, open_ = here(lab, "kz-sni-neighbour/a"), here(lab, "kz-sni-neighbour/b")
    page = ask(lab, "fetch", str(lab.ca_file), blocked.addresses[0], "443", str(open_.host))
    assert page.startswith("HTTP/1.1 200")


def test_what_nobody_serves_refuses(lab: RunningLab) -> None:
    closed = here(lab, "down-refused/a").addresses[0]
    for address, port in ((closed, "80"), (closed, "443"), ("46.5.6.7", "443"), (PUBLIC_RESOLVERS[0], "80")):
        assert ask(lab, "fetch", str(lab.ca_file), address, port, "x.org") == "failed: ConnectionRefusedError"


def test_options_for_a_run(lab: RunningLab) -> None:
    options = lab.run_options()
    assert options[options.index("--helper") + 1] == lab.helper_url == "https://th.example.org/"
    assert options.count("--resolver") == 3
    targets = yaml.safe_load(lab.targets_file.read_text(encoding="utf-8"))["targets"]
    assert [(target["id"], target["url"]) for target in targets] == [(t.target, t.url) for t in lab.truths]


def test_a_program_that_is_started_and_left(lab: RunningLab) -> None:
    program = lab.popen([sys.executable, "-c", "raise SystemExit(7)"])
    assert program.wait(timeout=20) == 7


def test_ipv6_and_no_helper() -> None:
    rows = [row for row in SCENARIOS if row.id == "v6-clean"]
    with start(build_world(rows, helper=False)) as running:
        site = here(running, "v6-clean/a")
        v4, v6 = site.addresses
        for address in (v4, v6):
            page = ask(running, "fetch", str(running.ca_file), address, "443", str(site.host))
            assert page.startswith("HTTP/1.1 200")
        assert running.helper_url is None
        assert "--helper" not in running.run_options()
    assert not running.folder.exists()


def test_hostile_servers_do_no_harm_to_the_lab_itself() -> None:
    rows = [row for row in SCENARIOS if row.world == "hostile" and "endless" not in row.id]
    with start(build_world(rows)) as running:
        for site in running.world.sites:
            port = "443" if site.https or site.raw443 else "80"
            if not site.dns:
                assert ask(running, "fetch", str(running.ca_file), site.addresses[0], port, str(site.host))
        assert running.faults() == ""


def test_programs_find_a_place_for_state_that_goes_with_the_lab(
    lab: RunningLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BLOCKWATCH_STATE", raising=False)
    script = [sys.executable, "-c", "import os; print(os.environ['BLOCKWATCH_STATE'])"]
    assert lab.run(script).stdout.strip() == str(lab.folder / "state")
    assert lab.run(script, env={}).stdout.strip() == str(lab.folder / "state")
    assert lab.run(script, env={"BLOCKWATCH_STATE": "/mine"}).stdout.strip() == "/mine"
