"""The WACZ as the tools of the web archives see it: ``wacz validate``, ``cdxj-indexer``, replay by pywb."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from blockwatch.errors import EvidenceError, UsageError
from blockwatch.evidence.bundle import write_pieces
from blockwatch.evidence.cdxj import Entry, compressed, sort_key
from blockwatch.evidence.wacz import Wacz
from blockwatch.store import RunWriter
from tests.evidence.made import PAGE, RUN, make_run, measured, run_close, run_open
from tests.evidence.test_warc import EXCHANGES

TOOLS = Path(__file__).parents[2] / ".venv" / "tools" / "bin"
needs_tools = pytest.mark.skipif(
    os.environ.get("CI") != "true" and not (TOOLS / "wayback").exists(), reason="no .venv/tools: make tools"
)
SHOWN = [name for name, (_, response, kind) in EXCHANGES.items()
         if kind == "response" and (b"\r\n\r\n" in response or b"\n\n" in response)]  # fmt: skip
ADDRESSES = {name: f"https://www.site{n}.example.org/a%20b?z=1&a=Ü" for n, name in enumerate(EXCHANGES)}


def broken_run(results: Path, *, close: bool = True) -> Path:
    """Every kind of exchange, each at an address of its own."""
    writer = RunWriter(results)
    writer.open(run_open())
    for seq, (name, (request, response, _)) in enumerate(EXCHANGES.items(), 1):
        one = measured(seq, request=request, response=response)
        exchange = msgspec.structs.replace(one.exchanges[11], url=ADDRESSES[name])
        writer.write(msgspec.structs.replace(one, exchanges={11: exchange}))
    if close:
        writer.close(run_close(len(EXCHANGES)))
    return writer.folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = tmp_path_factory.mktemp("wacz")
    runs = [broken_run(here), make_run(here, 2, run="1" * 16, close=False)]
    with (runs[1] / "bodies.warc.gz").open("ab") as bodies:
        bodies.write(b"\x1f\x8b torn, no line refers to it")
    (path,) = write_pieces(Wacz(runs).packed(), here / "x.wacz")
    return path


def lines(path: Path) -> list[tuple[str, str, dict[str, str]]]:
    with zipfile.ZipFile(path) as archive:
        raw = gzip.decompress(archive.read("indexes/index.cdx.gz")).decode("ascii").splitlines()
    parts = [line.split(" ", 2) for line in raw]
    return [(key, when, json.loads(fields)) for key, when, fields in parts]


def test_what_is_in_it(made: Path) -> None:
    with zipfile.ZipFile(made) as archive:
        assert archive.testzip() is None
        assert all(info.compress_type == zipfile.ZIP_STORED for info in archive.infolist())
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        names = set(archive.namelist())
        package = json.loads(archive.read("datapackage.json"))
        pages = [json.loads(line) for line in archive.read("pages/pages.jsonl").splitlines()]
        warc = archive.read(f"archive/{RUN}.warc.gz")
    assert {entry["path"] for entry in package["resources"]} == names - {
        "datapackage.json", "datapackage-digest.json",
    }  # fmt: skip
    assert warc == (next(made.parent.glob(f"*-{RUN}")) / "bodies.warc.gz").read_bytes()
    assert {fields["url"] for _, _, fields in lines(made) if fields["filename"].startswith(RUN)} == {
        ADDRESSES[name].replace("Ü", "%C3%9C") for name in SHOWN
    }
    assert {page["title"] for page in pages[1:]} == {"сайт"}
    assert len({page["id"] for page in pages}) == len(pages) > 3


def test_the_same_runs_give_the_same_bytes(made: Path) -> None:
    runs = sorted(path for path in made.parent.iterdir() if path.is_dir())
    assert b"".join(Wacz(runs).packed()) == b"".join(Wacz(runs[::-1]).packed())
    assert Wacz(runs).name == Wacz(runs[::-1]).name


def test_nothing_to_show_and_damage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no captured bytes"):
        Wacz([make_run(tmp_path / "empty", 0)])
    with pytest.raises(UsageError, match="two runs have the id"):
        Wacz([make_run(tmp_path / "a", 1), make_run(tmp_path / "b", 2)])
    folder = make_run(tmp_path / "damaged", 1)
    (folder / "bodies.warc.gz").write_bytes(bytes(5_000))
    with pytest.raises(EvidenceError, match="not those that the log names"):
        Wacz([folder])


def test_sort_keys() -> None:
    """As wabac.js and cdxj-indexer make them."""
    assert sort_key("http://www2.Example.ORG:80/Path?b=2&a=1") == "org,example)/path?a=1&b=2"
    assert sort_key("https://example.org") == "org,example)/"
    assert sort_key("http://example.org:8080/x y") == "org,example:8080)/x%20y"
    assert sort_key("http://[2001:db8::1]/") == "2001:db8::1)/"
    for odd in ("", "http://[", "http://a:b:c/", "x" * 100):
        assert isinstance(sort_key(odd), str)


def test_large_indexes_are_cut_into_blocks() -> None:
    entries = [Entry(f"org,example)/{n:05}", "20261122042000", b"{}") for n in range(1_000)]
    index, blocks = compressed(entries[::-1], "index.cdx.gz")
    places = [json.loads(line.split(b" ", 2)[2]) for line in blocks.splitlines()[1:]]
    assert len(places) == 4
    read = b"".join(
        gzip.decompress(index[place["offset"] : place["offset"] + place["length"]]) for place in places
    )
    assert read == b"".join(entry.line() for entry in entries)


@needs_tools
def test_wacz_validate_accepts_it(made: Path) -> None:
    done = subprocess.run(
        [TOOLS / "wacz", "validate", "-f", made], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Validation succeeded" in done.stdout


@needs_tools
def test_cdxj_indexer_makes_the_same_index(made: Path) -> None:
    for folder in sorted(path for path in made.parent.iterdir() if path.is_dir()):
        name = f"{folder.name.rpartition('-')[2]}.warc.gz"
        with zipfile.ZipFile(made) as archive:
            (made.parent / name).write_bytes(archive.read(f"archive/{name}"))
        done = subprocess.run(
            [TOOLS / "cdxj-indexer", "--sort", made.parent / name], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        theirs = {}
        for line in done.stdout.splitlines():
            key, when, fields = line.split(" ", 2)
            theirs[json.loads(fields)["offset"]] = (key.lower(), when, json.loads(fields))
        ours = [line for line in lines(made) if line[2]["filename"] == name]
        assert ours
        for key, when, fields in ours:
            their_key, their_time, their_fields = theirs[fields["offset"]]
            assert (key, when) == (their_key, their_time)
            for field in ("url", "status", "length", "offset", "filename"):
                assert fields[field] == their_fields[field], field


@pytest.fixture(scope="module")
def replay(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A pywb that replays the WACZ; the beginning of its addresses."""
    here = tmp_path_factory.mktemp("pywb")
    for words in (["init", "c"], ["add", "--unpack-wacz", "c", made]):
        done = subprocess.run(
            [TOOLS / "wb-manager", *words], cwd=here, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (here / "said").open("wb") as said:
        server = subprocess.Popen(
            [TOOLS / "wayback", "-b", "127.0.0.1", "-p", str(port)], cwd=here, stdout=said, stderr=said
        )
        try:
            wait_for(port, server, here / "said")
            yield f"http://127.0.0.1:{port}/c/20261122042000id_/"
        finally:
            server.terminate()
            server.wait(20)


def wait_for(port: int, server: subprocess.Popen[bytes], said: Path) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert server.poll() is None, said.read_text()
            assert time.monotonic() < until, said.read_text()
            time.sleep(0.05)


def shown(address: str) -> tuple[int, bytes]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address, timeout=20) as answer:
            try:
                return answer.status, answer.read()
            except http.client.IncompleteRead as error:  # as it was when it was measured
                return answer.status, error.partial
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@needs_tools
@pytest.mark.parametrize("name", EXCHANGES)
def test_pywb_replays_what_can_be_shown(replay: str, name: str) -> None:
    status, body = shown(replay + ADDRESSES[name].replace("Ü", "%C3%9C"))
    if name in ("whole", "nothing asked"):
        assert (status, body) == (200, PAGE)
    elif name in SHOWN:
        assert status == 200
        assert body
        odd = name == "odd header lines"  # the client that asks here cannot read its head either
        assert b"hello" in body if odd else EXCHANGES[name][1].endswith(body) or body == b"hello"
    else:
        assert status in (404, 200)
        assert body != PAGE
