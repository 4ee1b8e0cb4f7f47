"""What a probe must be, and what is said when it is not."""

import pytest

from blockwatch.errors import ConfigError
from blockwatch.registry import load_probes

GOOD = '''"""Is there a question?"""
import json
from blockwatch.probe import Session, Task
NAME, VERSION, TIER = "own", "3", 2
async def measure(target: Task, net: Session) -> None:
    await net.lookup(target.host)
'''


def test_the_shipped_ones():
    probes = load_probes()
    assert set(probes) == {"dns", "reach", "web"}
    for name, probe in probes.items():
        assert probe.question.endswith("?")
        assert (probe.tier, probe.label) == (1, f"{name} {probe.version}")


def test_a_users_own(tmp_path):
    (tmp_path / "own.py").write_text(GOOD)
    (tmp_path / "_part.py").write_text("not Python")
    own = load_probes(tmp_path)["own"]
    assert (own.version, own.tier, own.question) == ("3", 2, "Is there a question?")


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        (GOOD.replace("import json", "import socket"), 2, "must not import 'socket'"),
        (GOOD.replace("import json", "import urllib.request"), 2, "must not import 'urllib.request'"),
        (GOOD.replace("import json", "from blockwatch.net import flow"), 2, "must not import"),
        (GOOD.replace("import json", "from . import web"), 2, "must not import"),
        (GOOD.replace("import json", "1 / 0"), 2, "ZeroDivisionError"),
        (GOOD.replace("import json", "def (:"), 2, "not Python"),
        (GOOD.replace("async def", "def").replace("    await net.lookup", "    net.lookup"), 5, "async def"),
        (GOOD.replace("target: Task, net: Session", "target"), 5, "async def"),
        (GOOD.replace("measure", "other"), 1, "no measure"),
        (GOOD.replace('"""Is there a question?"""', ""), 1, "no docstring"),
        (GOOD.replace("NAME, VERSION, TIER", "NAME, VERSION, OTHER"), 1, "no TIER"),
        (GOOD.replace('"3", 2', '"3", 9'), 1, "TIER"),
        (GOOD.replace('"own"', '"web"'), None, "second probe"),
    ],
)
def test_broken_files_are_named_with_their_line(tmp_path, source, line, words):
    file = tmp_path / "own.py"
    file.write_text(source)
    with pytest.raises(ConfigError, match=words) as caught:
        load_probes(tmp_path)
    assert caught.value.where == (f"{file}:{line}" if line else str(file))


def test_no_such_folder(tmp_path):
    with pytest.raises(ConfigError, match="no such folder"):
        load_probes(tmp_path / "missing")
