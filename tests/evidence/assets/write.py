"""Write every asset into a folder: ``python -m tests.evidence.assets.write FOLDER``."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.evidence.assets.asset import Asset, Authorities
from tests.evidence.assets.bad import RUNS
from tests.evidence.assets.doubt import DOUBT
from tests.evidence.assets.forms import FORMS
from tests.evidence.assets.good import GOOD
from tests.evidence.assets.hidden import HIDDEN_RUNS
from tests.evidence.assets.more import MORE
from tests.evidence.assets.tricks import TRICKS
from tests.evidence.assets.world import write_run
from tests.exchange.authority import Authority


def authorities_in(folder: Path) -> Authorities:
    """One authority that readers know, and one that they do not."""
    return Authorities(
        Authority(folder / "known", "known"), Authority(folder / "unknown", "unknown", rsa_key=True)
    )


def all_assets() -> dict[str, Asset]:
    """Broken runs, other broken things, and good ones, in one form."""

    def made(name: str) -> Asset:
        broken = RUNS[name]

        def make(folder: Path, authorities: Authorities) -> Path:
            run = write_run(folder)
            broken.change(run)
            return run

        return Asset(make, where=broken.where, alone=broken.alone)

    return {**{name: made(name) for name in RUNS}, **MORE, **GOOD, **TRICKS, **FORMS, **DOUBT, **HIDDEN_RUNS}


def write_all(target: Path) -> Iterator[Path]:
    """Make each in a folder of its own, named after it."""
    authorities = authorities_in(target / "authorities")
    for name, asset in all_assets().items():
        folder = target / name.replace(" ", "-").replace("^", "-")
        folder.mkdir(parents=True)
        asset.make(folder, authorities)
        yield folder


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    sys.stdout.write(f"{len(list(write_all(folder)))} assets in {folder}\n")
