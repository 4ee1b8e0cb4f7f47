# ruff: noqa: E501
"""Assets whose lines are of a form that two readers might take differently, or are no files at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.evidence.assets.asset import (
    LOG,
    Asset,
    changed,
    proof,
)
from tests.evidence.assets.world import (
    OURS,
    in_record,
    log_of,
    put_log,
    unseal,
)


def with_field(value: object) -> Callable[[Path], None]:
    def change(run: Path) -> None:
        unseal(run)
        in_record(2, lambda said: said.update(zz=value))(run)

    return change


def line_of(size: int) -> Callable[[Path], None]:
    """Make the second line that long, its line feed included."""

    def change(run: Path) -> None:
        with_field("")(run)
        missing = size - 1 - len(log_of(run)[1])
        with_field("x" * missing)(run)
        assert len(log_of(run)[1]) == size - 1

    return change


def keys_in_line(*keys: str) -> Callable[[Path], None]:
    def change(run: Path) -> None:
        unseal(run)
        lines = log_of(run)
        lines[1] = lines[1][:-1] + "".join(f',"{key}":1' for key in keys).encode() + b"}"
        put_log(run, lines)

    return change


def in_place_of(name: str, link: str | None) -> Callable[[Path], None]:
    """Put a link (null: a named pipe) where a file was."""

    def change(run: Path) -> None:
        (run / name).rename(run.parent / "moved")
        if link is None:
            os.mkfifo(run / name)
        else:
            (run / name).symlink_to(link)

    return change


def with_size(text: str) -> Callable[[dict[str, Any]], None]:
    """Let the owner of the key sign this as the number of lines in a proof's seal, and nothing else anew."""

    def change(said: dict[str, Any]) -> None:
        lines = said["checkpoint"].split("\n\n")[0].split("\n")
        said["checkpoint"] = OURS.note(f"{lines[0]}\n{text}\n{lines[2]}\n".encode()).decode()

    return change


def with_path(said: dict[str, Any]) -> None:
    """A path of as many hashes as the file holds, up a tree of which the seal says that it is as high."""
    with_size("1" + "0" * 4_000)(said)
    said["record"]["path"] = [""] * 1_000


FORMS: dict[str, Asset] = {
    # Lines.
    "a number beyond 2^53 in a field that is known": Asset(
        changed(lambda run: in_record(2, lambda said: said.update(us=2**60))(run), signer=None), where=f"{LOG}:2"),
    "more lists than a line may have": Asset(
        changed(with_field([[]] * 262_200)), where=f"{LOG}:2", alone="the second checker bounds a line by its bytes"),
    "a line as long as it may be": Asset(changed(line_of(8_388_608)), ("unsigned",)),
    "a line one byte too long": Asset(changed(line_of(8_388_609)), where=f"{LOG}:2"),
    "keys in the order of UTF-16": Asset(changed(keys_in_line("\U0001f600", "\ufb33")), where=f"{LOG}:2"),
    "keys in the order of characters": Asset(changed(keys_in_line("\ufb33", "\U0001f600")), ("unsigned",)),
    # Numbers in a proof.
    "a proof of a signed size with a plus": Asset(proof(with_size("+6")), where="proof.json"),
    "a proof of a signed size with a zero before": Asset(proof(with_size("06")), where="proof.json"),
    "a proof of a signed size in other digits": Asset(proof(with_size("\u0666")), where="proof.json"),
    "a proof whose place is false": Asset(proof(lambda said: said["run_open"].update(index=False)), where="proof.json"),
    "a proof whose format is true": Asset(proof(lambda said: said.update(format=True)), where="proof.json"),
    "a proof of a path without end": Asset(proof(with_path), where="proof.json"),
    # Links and pipes.
    "a link in the place of the log": Asset(changed(in_place_of(LOG, "../moved")), where=LOG),
    "a pipe in the place of the bytes": Asset(changed(in_place_of("bodies.warc.gz", None)), where="bodies.warc.gz"),
    "a pipe in the place of an earlier seal": Asset(changed(in_place_of("checkpoints/3", None)), where="checkpoints/3"),
    "a link without end": Asset(changed(in_place_of("checkpoint", "checkpoint")), where="checkpoint"),
}  # fmt: skip
