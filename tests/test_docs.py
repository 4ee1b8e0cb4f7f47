"""What README, docs and ``--help`` say of the command is true: commands, options, examples, exit codes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from blockwatch.cli.commands import COMMANDS, blockwatch
from blockwatch.errors import Exit

ROOT = Path(__file__).parents[1]
DOCS = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").rglob("*.md"))]


def command_named(words: list[str]) -> tuple[click.Command, list[str]]:
    """Follow sub-commands; the rest of the words are arguments and options."""
    found: click.Command = blockwatch
    while isinstance(found, click.Group) and words and not words[0].startswith("-"):
        inner = found.get_command(click.Context(found), words[0])
        assert inner is not None, f"no command {words[0]!r}"
        found, words = inner, words[1:]
    return found, words


def documented() -> Iterator[tuple[str, str]]:
    """Yield (document, command line) of fenced blocks and of `inline code`."""
    for file in DOCS:
        text = file.read_text(encoding="utf-8")
        fenced = re.findall(r"^```[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        for block in fenced:
            for line in block.splitlines():
                found = re.search(r"(?:^|&& |\.venv/bin/)(blockwatch [a-z].*)", line.strip())
                if found:
                    yield file.name, found[1]
        prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
        for found in re.findall(r"`(?:\.venv/bin/)?(blockwatch [a-z][^`]*)`", prose):
            yield file.name, found


@pytest.mark.parametrize(("document", "line"), sorted(set(documented())))
def test_documented_commands_and_options_exist(document: str, line: str) -> None:
    words = shlex.split(line.replace("…", ""), comments=True)[1:]
    found, rest = command_named(words)
    known = {option for param in found.params for option in (*param.opts, *param.secondary_opts)} | {"--help"}
    for word in rest:
        if word == "--":
            break
        if word.startswith("-") and word != "-":
            assert word.partition("=")[0] in known, f"{document}: {line}"


def test_documented_options_in_prose_exist() -> None:
    known = {"--help", "--version"}
    for command, _ in every_command():
        known |= {option for param in command.params for option in param.opts}
    for file in DOCS:
        prose = re.sub(r"^```.*?^```", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        for option in re.findall(r"(?<![\w`-])`(--[a-z][a-z-]*)[ `=]", prose):
            assert option in known, f"{file.name}: {option}"


def every_command(group: click.Group = blockwatch, name: str = "") -> Iterator[tuple[click.Command, str]]:
    for word in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), word)
        assert command is not None
        yield command, f"{name} {word}".strip()
        if isinstance(command, click.Group):
            yield from every_command(command, f"{name} {word}".strip())


@pytest.mark.parametrize(
    ("command", "name"), list(every_command()), ids=[name for _, name in every_command()]
)
def test_every_command_has_help_with_an_example_that_is_true(command: click.Command, name: str) -> None:
    words = command.help or ""
    assert words
    if isinstance(command, click.Group):
        return
    example = re.search(r"Example: (.*)", words)
    assert example, f"{name} has no example"
    found, rest = command_named(shlex.split(example[1])[1:])
    assert found.name == command.name
    known = {option for param in command.params for option in param.opts}
    for word in rest:
        if word == "--":
            break
        if word.startswith("-"):
            assert word in known


def test_scenarios_named_in_the_docs_exist() -> None:
    from blockwatch.lab.scenarios import SCENARIOS

    pages = [(ROOT / "README.md").read_text(encoding="utf-8")]
    pages += [command.help or "" for command, _ in every_command()]
    named = {name for page in pages for name in re.findall(r"blockwatch lab run (\S+) --", page)}
    named.discard("NAME")
    assert named
    assert named <= {scenario.id for scenario in SCENARIOS}


def test_every_command_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in COMMANDS:
        assert f"| `blockwatch {name}` |" in readme


def test_documented_exit_codes_are_those_of_the_program() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| (\d) \| ", readme, re.MULTILINE)
    assert [int(code) for code in table] == [int(code) for code in Exit]
    for code in Exit:
        assert f"{int(code)} " in (blockwatch.epilog or "")


def test_the_map_of_the_code_is_whole() -> None:
    """ARCHITECTURE.md says of every file of ``judge/`` what it is for, and names none that is not there."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    part = text[text.index("## Where to change what") :]
    rules, elsewhere = part.split("Elsewhere:")
    named = set(re.findall(r"`([a-z_]+)`", rules))
    there = {file.stem for file in (ROOT / "src/blockwatch/judge").glob("*.py")} - {"__init__", "once"}
    assert named == there
    for path in re.findall(r"`([a-z_]+/[a-z_/]*(?:\.py)?)`", elsewhere):
        places = (ROOT, ROOT / "src" / "blockwatch")
        assert any((place / path).exists() for place in places), path
