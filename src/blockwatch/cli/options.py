"""The options of ``plan`` and ``run``, and how they become the measurer's settings."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click
import msgspec

from blockwatch.cli.packs import fingerprints_option
from blockwatch.errors import ConfigError, UsageError
from blockwatch.targets.problem import shown

if TYPE_CHECKING:
    from blockwatch.registry import Probe
    from blockwatch.runner.plan import Settings
    from blockwatch.target import TargetsFile

DEFAULT_TARGETS = "targets.yaml"
_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for on the command line of a run."""

    targets: tuple[str, ...] = ()
    results: Path = Path("results")
    probe: tuple[str, ...] = ()
    probes: Path | None = None
    helper: tuple[str, ...] = ()
    control: str | None = None
    resolver: tuple[str, ...] = ()
    fingerprints: tuple[Path, ...] = ()
    ca_file: Path | None = None
    interface: str | None = None
    encrypt_to: tuple[str, ...] = ()
    concurrency: int | None = None
    max_mb: float | None = None
    max_minutes: float | None = None
    label: str | None = None
    campaign: str | None = None
    isp: str | None = None
    tier: int = 1
    stun: bool = True
    yes: bool = False
    quiet: bool = False
    resume: bool = False


_LONGEST_TEXT = 200
_LARGEST_PROXY_FILE = 10_000  # bytes
_LARGEST_CA_FILE = 10_000_000  # bytes; Mozilla's roots are 250 kB


class _Positive(click.FloatRange):
    """A number above 0 that is one: click lets "nan" and "inf" pass."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is no number", param, ctx)
        return number


def short_text(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Refuse a text that no log should have to carry, and an empty one: a variable that was not set."""
    if value is not None and not (0 < len(value) <= _LONGEST_TEXT and value.isprintable()):
        raise click.BadParameter(f"one line of 1 to {_LONGEST_TEXT} characters", ctx, param)
    return value


def _age_keys(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse what is no key before anything is sent."""
    if value:
        from blockwatch.evidence.crypt import recipients_of

        recipients_of(value)
    return value


def _proxy(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """The proxy's URL, out of a file where it is written @FILE: what is typed is in the list of processes."""
    if value is None:
        return None
    if not value:
        raise click.BadParameter("write socks5://HOST:PORT, or leave it out", ctx, param)
    if value.startswith("@"):
        return _line_of(Path(value[1:]))
    if "@" in value:
        raise UsageError(
            "--control holds a user name or password, which all users of this machine can read",
            remedy="Write the URL into a file that only you may read, and give --control @FILE.",
        )
    return value


def _line_of(path: Path) -> str:
    """The one line of a small file; what is in it is never shown."""
    from blockwatch.net.socks import parse_proxy

    remedy = (
        "It holds one line: socks5://USER:PASSWORD@HOST:PORT, with / ? # @ : % in user name and password "
        "written as %2F %3F %23 %40 %3A %25."
    )
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST_PROXY_FILE:
            raise ConfigError("there is no file with the URL of a proxy", where=str(path), remedy=remedy)
        (line,) = path.read_text("utf-8").split()
        parse_proxy(line)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path), remedy=remedy) from None
    except (ValueError, UsageError):  # not UTF-8, no line or several, or not a proxy's URL
        raise ConfigError("this is not the URL of a proxy", where=str(path), remedy=remedy) from None
    return line


_POSITIVE = _Positive(min=0, min_open=True, max=1_000_000_000)
targets_option = click.option("--targets", multiple=True, metavar="FILE", help="List of targets, or "
                              f"pack:NAME; repeat for more. [default: {DEFAULT_TARGETS}]")  # fmt: skip
_OPTIONS = (
    click.option("--results", type=_FOLDER, default=Path("results"), show_default=True, metavar="DIR",
                 help="Folder for runs."),
    click.option("--probe", multiple=True, metavar="NAME", help="Question to put; repeat for more. "
                 "[default: web]"),
    click.option("--probes", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR",
                 help="Folder with probes of your own, to be named with --probe."),
    click.option("--helper", multiple=True, metavar="URL", help="Test helper that says how a site looks from "
                 "elsewhere; repeat for more, the first that answers is taken. Its name stays in the run."),
    click.option("--control", callback=_proxy, metavar="socks5://HOST:PORT", help="Proxy elsewhere through "
                 "which the same is fetched as control. Its name stays in the run: that of your own server "
                 "is yours. If it wants a password: @FILE, a file that holds socks5://USER:PASSWORD@HOST:PORT."),
    click.option("--resolver", multiple=True, metavar="URL", help="Name server besides the system's: "
                 "udp://IP[:PORT], tcp://IP[:PORT], tls://HOST[:PORT], https://HOST/PATH; repeat for more."),
    fingerprints_option,
    click.option("--ca-file", type=_FILE, metavar="PEM", help="Roots to trust besides Mozilla's."),
    click.option("--interface", metavar="NAME", help="Send from this network interface."),
    click.option("--concurrency", type=click.IntRange(1, 1_000), metavar="N", help="Targets at a time."),
    click.option("--max-mb", type=_POSITIVE, metavar="N", help="Stop after this many megabytes."),
    click.option("--max-minutes", type=_POSITIVE, metavar="N", help="Stop after this many minutes."),
    click.option("--label", callback=short_text, metavar="TEXT", help="Word for the folder's name."),
    click.option("--campaign", callback=short_text, metavar="TEXT", help="Campaign this run belongs to; each "
                 "has a key of its own (blockwatch key)."),
    click.option("--isp", callback=short_text, metavar="NAME", help="Your provider, as you call it."),
    click.option("--encrypt-to", multiple=True, callback=_age_keys, metavar="AGE_KEY", help="Encrypt what is "
                 "measured to this public key (age1…) as it is written, so that this machine cannot read it; "
                 "repeat for more."),
    click.option("--tier", type=click.IntRange(1, 2), default=1, show_default=True,
                 help="Highest risk to take. 2 adds queries that show who falsifies names; it needs its own "
                 "`blockwatch consent --tier 2`."),
    click.option("--no-stun", "stun", is_flag=True, flag_value=False, default=True, help="Do not ask a STUN "
                 "server which network this is."),
    click.option("--yes", is_flag=True,
                 help="Agree to the tier-1 text of `blockwatch consent` for this run."),
    click.option("--quiet", is_flag=True, help="Say nothing but errors."),
)  # fmt: skip


def measuring(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a run but its list; all are handed over as one :class:`Options`."""

    @functools.wraps(function)
    def gathered(**given: Any) -> None:
        names = Options.__struct_fields__
        options = Options(**{name: given.pop(name) for name in names if name in given})
        function(options, **given)

    for option in reversed(_OPTIONS):
        gathered = option(gathered)
    return gathered


def targets_of(options: Options) -> TargetsFile:
    """Read the targets asked for; raises :class:`ConfigError` with every problem of every file."""
    from blockwatch.targets import load_all

    named = options.targets or (DEFAULT_TARGETS,)
    if not options.targets and not Path(DEFAULT_TARGETS).is_file():
        raise ConfigError(
            f"there is no {DEFAULT_TARGETS} in this folder",
            remedy="Name a list with --targets FILE, or a built-in one: --targets pack:messengers.",
        )
    return load_all(named)


def probes_of(options: Options) -> dict[str, Probe]:
    """Load the probes; raises :class:`ConfigError`, or :class:`UsageError` where a folder changes nothing."""
    from blockwatch.registry import load_probes

    found = load_probes(options.probes)
    if options.probes is not None:
        own = found.keys() - load_probes().keys()
        if not own:
            raise ConfigError(
                "there is no probe in this folder",
                where=str(options.probes),
                remedy="A probe is a file NAME.py: see probes/ for how one is written.",
            )
        if own.isdisjoint(options.probe):
            raise UsageError(
                "--probes names a folder, and no question out of it is to be put",
                remedy=f"Name what to ask with --probe; in this folder: {', '.join(sorted(own))}.",
            )
    return found


def settings_of(options: Options, consent: str | None = None) -> Settings:
    """Return the measurer's settings; ``consent`` is the version of the text agreed to."""
    from blockwatch.runner.plan import Settings

    if options.interface is not None:
        _check_interface(options.interface)
    if options.ca_file is not None:
        _check_ca_file(options.ca_file)
    for address in (*options.resolver, *options.helper):
        _check_address(address)
    for helper in options.helper:
        _check_helper(helper)
    given: dict[str, Any] = {
        "resolvers": options.resolver,
        "helpers": options.helper,
        "control": options.control,
        "ca_file": options.ca_file,
        "interface": options.interface,
        "concurrency": options.concurrency,
        "max_bytes": None if options.max_mb is None else int(options.max_mb * 1_000_000),
        "max_us": None if options.max_minutes is None else int(options.max_minutes * 60_000_000),
        "tier": options.tier,
        "label": options.label,
        "campaign": options.campaign,
        "isp": options.isp,
        "probes": options.probe,
        "consent": consent,
    }
    settings = Settings(**{name: value for name, value in given.items() if value not in (None, ())})
    return settings if options.stun else msgspec.structs.replace(settings, stun=None)


def _check_interface(name: str) -> None:
    """Refuse a name that no interface has; without it every connection would fail."""
    folder = Path("/sys/class/net")
    known = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
    if known and name not in known:
        raise ConfigError(
            f'there is no network interface "{name[:40]}"', remedy=f"Known: {', '.join(known)}."
        )


def _check_ca_file(path: Path) -> None:
    """Refuse what is no file of certificates before anything waits for it (a pipe, a device)."""
    remedy = "Give a file of PEM certificates to --ca-file."
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST_CA_FILE:
            raise ConfigError("this is no file of certificates", where=str(path), remedy=remedy)
        if b"-----BEGIN " not in path.read_bytes():
            raise ConfigError("there is no certificate in this file", where=str(path), remedy=remedy)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path), remedy=remedy) from error


def _check_address(written: str) -> None:
    """Refuse what must not get into the evidence: passwords, and characters that nobody can see."""
    if not written.isprintable():
        raise UsageError(f"{shown(written)} holds a control character", remedy="Type it again.")
    if "@" in written.partition("://")[2].partition("/")[0]:
        raise UsageError(
            "an address of a server holds a user name or password, which would be kept in the evidence",
            remedy="Leave out everything before the @.",
        )


def _check_helper(written: str) -> None:
    """Refuse a helper in cleartext: whoever is on the way could write the control. Not on this machine."""
    try:
        scheme, host = urlsplit(written)[0], urlsplit(written).hostname
    except ValueError:
        return  # the plan says what is wrong with it
    if scheme == "http" and host not in ("localhost", "127.0.0.1", "::1"):
        raise ConfigError(
            "a test helper is asked over https only: over http anybody on the way could answer for it",
            where=shown(written),
            remedy="Name it with https://, or reach it through a tunnel that ends at 127.0.0.1.",
        )
