"""Of a fault of ours the record has the kind and the place, and nothing about the volunteer."""

import json

from blockwatch.registry import load_probes
from blockwatch.runner.measuring import what_happened

SECRET = "/home/a-name/.secret"
PROBE = """\
\"\"\"Does it break?\"\"\"
import json

NAME, VERSION, TIER = "own", "1", 1


async def measure(target, net):
    json.loads(target)
"""


async def test_kind_file_and_line_only(tmp_path, capsys, monkeypatch):
    home = tmp_path / "a-name"
    home.mkdir()
    (home / "odd.py").write_text(PROBE)
    measure = load_probes(home)["own"].measure
    try:
        await measure(SECRET, None)
    except json.JSONDecodeError as error:
        caught = error
    assert what_happened(caught) == (None, "JSONDecodeError at odd.py:8")
    assert capsys.readouterr() == ("", "")
    monkeypatch.setenv("BLOCKWATCH_DEBUG", "1")
    assert what_happened(ExceptionGroup("", [caught])) == (None, "JSONDecodeError at odd.py:8")
    assert "Expecting value" in capsys.readouterr().err
