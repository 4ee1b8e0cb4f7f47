"""A world that runs: programs can be started where its probe is."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from blockwatch.lab import namespace
from blockwatch.lab.ca import LabCA
from blockwatch.lab.servers.main import serve
from blockwatch.lab.world import PUBLIC_RESOLVERS, TargetTruth, World


@dataclass(frozen=True, kw_only=True)
class RunningLab:
    """One running lab; a context manager that ends it."""

    world: World
    folder: Path
    ca_file: Path  # PEM of the authority that signed the lab's good certificates
    targets_file: Path  # a targets.yaml with every target of the world
    handle: namespace.Handle

    @property
    def truths(self) -> tuple[TargetTruth, ...]:
        """What is true of each target."""
        return self.world.truths

    @property
    def helper_urls(self) -> list[str]:
        """The test helpers a probe is given, the first to be asked first."""
        return [f"https://{host}/" for host in self.world.helpers] if self.world.helper else []

    @property
    def helper_url(self) -> str | None:
        """The first of them; null in a world without one."""
        return next(iter(self.helper_urls), None)

    @property
    def resolver_options(self) -> list[str]:
        """Resolvers a probe is given besides the system's: two over UDP, one over HTTPS."""
        first, second, third = PUBLIC_RESOLVERS
        return [f"udp://{first}", f"udp://{second}", f"https://{third}/dns-query"]

    def run_options(self) -> list[str]:
        """Options of ``blockwatch run`` that make it measure this world."""
        options = ["--targets", str(self.targets_file), "--ca-file", str(self.ca_file), "--yes"]
        for helper in self.helper_urls:
            options += ["--helper", helper]
        if self.world.tier > 1:  # needs an agreement: see blockwatch.lab.volunteer
            options += ["--tier", str(self.world.tier)]
        for resolver in self.resolver_options:
            options += ["--resolver", resolver]
        return options

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
        capture: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program where the probe is and wait for it; ``timeout`` in seconds."""
        try:
            done = subprocess.run(  # noqa: S603  (the caller's own program)
                self.handle.enter(argv),
                env=self._environment(env),
                timeout=timeout,
                capture_output=capture,
                text=True,
                check=False,
            )
        finally:
            self.handle.check()
        return done

    def popen(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: int | IO[bytes] | None = subprocess.DEVNULL,
        stdout: int | IO[bytes] | None = None,
        stderr: int | IO[bytes] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a program where the probe is."""
        return subprocess.Popen(  # noqa: S603  (the caller's own program)
            self.handle.enter(argv),
            env=self._environment(env),
            cwd=cwd,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
        )

    def _environment(self, env: Mapping[str, str] | None) -> dict[str, str]:
        """What a program finds in its environment: a simulated run leaves the user's own state alone."""
        return {"BLOCKWATCH_STATE": str(self.folder / "state"), **(os.environ if env is None else env)}

    def faults(self) -> str:
        """What the lab's own servers said of faults of theirs; empty when all is well."""
        return (self.folder / "servers.log").read_text(errors="replace")

    def close(self) -> None:
        """End the lab and remove its files."""
        self.handle.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> RunningLab:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def start(world: World) -> RunningLab:
    """Start the lab of ``world``: namespaces, wire, every server. LabError where this machine cannot."""
    folder = Path(tempfile.mkdtemp(prefix="blockwatch-lab-"))
    try:
        ca = LabCA(folder)
        targets = folder / "targets.yaml"
        targets.write_text(targets_yaml(world.truths), encoding="utf-8")
        log = folder / "servers.log"
        log.touch()
        handle = namespace.start(world, functools.partial(_serve, ca=ca, log=log))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return RunningLab(world=world, folder=folder, ca_file=ca.ca_file, targets_file=targets, handle=handle)


def _serve(world: World, ready: Callable[[], None], *, ca: LabCA, log: Path) -> None:
    """The far side's process: what it says of its own faults goes to ``log``."""
    with log.open("ab") as sink:
        os.dup2(sink.fileno(), 2)
    serve(world, ready, ca=ca)


def targets_yaml(truths: Sequence[TargetTruth]) -> str:
    """A targets file with one target for each truth."""
    lines = ["targets:"]
    for truth in truths:
        lines += [f"  - id: {truth.target}", f'    url: "{truth.url}"']
    return "\n".join([*lines, ""]) if truths else "targets: []\n"
