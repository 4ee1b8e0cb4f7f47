"""What a measurement says of itself and of its report: who, when, on which network, of which URL.

Rules of this file:

* no field that holds an address of the probe or of its resolver gets any further than this file;
* what makes a measurement impossible to place (another test, no time, no URL) is said in words;
* the same measurement has the same digest, however its JSON is laid out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from typing import Any

import msgspec

from blockwatch.ooni import fields
from blockwatch.ooni.fields import Object
from blockwatch.run import RunOpen, Vantage
from blockwatch.target import Mirror, Target

TEST_NAME = "web_connectivity"
_AFTER_SUBMISSION = frozenset({"measurement_uid", "report_filename", "bucket_date", "backend_version"})
_ASN = re.compile(r"AS([0-9]{1,10})\Z")
_COUNTRY = re.compile(r"[A-Z]{2}\Z")
_URL = re.compile(r"https?://[^\s/?#]", re.I)
_MAX_URL = 8_192
_MOST_TOLD = 16  # addresses of the resolver
_OF_ITSELF = frozenset(
    {
        *("test_name", "test_version", "report_id", "id", "input", "probe_asn", "probe_cc"),
        *("software_name", "software_version", "data_format_version"),
        *("test_start_time", "measurement_start_time", "test_runtime"),
    }
)
_NOWHERE = frozenset({"127.0.0.1", "127.0.0.2", "0.0.0.0", "::1", "::"})  # noqa: S104 - what probes write for "not told"


class Unreadable(ValueError):
    """Why a record is no measurement that can be read; ``str()`` is for people."""


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope of one measurement."""

    report: str  # report id, or what stands for it where there is none
    named: bool = True  # false: there is none
    url: str
    started: int  # microseconds since the epoch
    report_started: int
    us: int  # duration
    asn: int | None
    country: str | None
    network: str | None
    resolver_asn: int | None
    software: str
    test_version: str
    engine: str | None
    helper: str | None
    network_type: str | None
    ipv4: bool  # a connection over IPv4 succeeded
    ipv6: bool

    @property
    def run_key(self) -> str:
        """What the measurements of one run have in common."""
        return f"{self.report} {self.asn} {self.country} {self.software} {self.test_version}"


def head_of(record: Object, unnamed: str | None = None) -> Head:
    """Read the envelope; raises :class:`Unreadable`.

    ``unnamed`` stands for the report of a record that names none; else it is made from the record's digest.
    """
    name = record.get("test_name")
    if not isinstance(name, str):
        raise Unreadable("no measurement of OONI's: it names no test")
    if name != TEST_NAME:
        raise Unreadable(f"not web_connectivity: {name[:60]!r}")
    url = record.get("input")
    if not isinstance(url, str) or not _URL.match(url) or len(url) > _MAX_URL or not url.isprintable():
        raise Unreadable("no http or https URL as input")
    began = _moment(record.get("test_start_time"))
    started = _moment(record.get("measurement_start_time")) or began
    if started is None:
        raise Unreadable("no time of measurement")
    keys = fields.mapping(record.get("test_keys"))
    notes = fields.mapping(record.get("annotations"))
    software = " ".join(_words(record.get(key)) for key in ("software_name", "software_version"))
    ipv4, ipv6 = _families(keys)
    report = _report(record)
    return Head(
        report=report or unnamed or f"unnamed-{digest(record).hex()[:16]}",
        named=report is not None,
        url=url,
        started=started,
        report_started=min(began or started, started),
        us=fields.micros(record.get("test_runtime")) or 0,
        asn=_asn(record.get("probe_asn")),
        country=_country(record.get("probe_cc")),
        network=fields.text(record.get("probe_network_name"), 200),
        resolver_asn=_asn(record.get("resolver_asn")),
        software=software.strip() or "unknown",
        test_version=_words(record.get("test_version")) or "unknown",
        engine=_words(notes.get("engine_version")) or None,
        helper=helper_of(record),
        network_type=_words(notes.get("network_type")) or None,
        ipv4=ipv4,
        ipv6=ipv6,
    )


def digest(record: Object) -> bytes:
    """SHA-256 of a measurement as the probe made it: key order, white space, what servers add do not count.

    Nor does an address of the probe, for who has the rest could find it by trying all there are: where one
    is named, any page may tell it in any form, so nothing counts but what the record says of itself. Of an
    address of its resolver the plain text does not count.
    """
    if own_addresses(record):
        told = {key: value for key, value in record.items() if key in _OF_ITSELF}
        return sha256(msgspec.json.encode(told, order="sorted")).digest()
    made = {key: value for key, value in record.items() if key not in _AFTER_SUBMISSION}
    encoded = msgspec.json.encode(made, order="sorted")
    for address in line_resolvers(record):
        encoded = encoded.replace(address.encode(), b"[scrubbed]")
    return sha256(encoded).digest()


def own_addresses(record: Object) -> tuple[str, ...]:
    """Addresses of the probe that old records name: to be cut out of all that is kept of them."""
    keys = fields.mapping(record.get("test_keys"))
    return _real(record.get("probe_ip"), keys.get("client_ip"))


def line_resolvers(record: Object) -> tuple[str, ...]:
    """Addresses of the probe's resolver, which lookups of its own name may have told: to be cut likewise."""
    keys = fields.mapping(record.get("test_keys"))
    who = fields.mapping(keys.get("x_dns_whoami"))
    told = [entry.get("address") for entry in fields.entries(who.get("system_v4"))[:_MOST_TOLD]]
    return _real(record.get("resolver_ip"), keys.get("client_resolver"), *told)


def _real(*named: Any) -> tuple[str, ...]:
    found = dict.fromkeys(map(fields.address, named))
    return tuple(one for one in found if one is not None and one not in _NOWHERE)


def run_open_of(run: str, heads: Iterable[Head]) -> RunOpen:
    """The first line of a run made of measurements of one report."""
    heads = tuple(heads)
    first = heads[0]
    started = min(min(head.started, head.report_started) for head in heads)
    engine = (("ooni engine", first.engine),) if first.engine else ()
    kind = (("network type", first.network_type),) if first.network_type else ()
    return RunOpen(
        run=run,
        started=started,
        software=first.software,
        versions=((TEST_NAME, first.test_version), *engine, *kind),
        label="ooni",
        vantage=Vantage(
            asn=first.asn,
            country=first.country,
            network=first.network,
            learned_from="ooni" if first.asn else None,
            ipv4=any(head.ipv4 for head in heads),
            ipv6=any(head.ipv6 for head in heads),
            resolver_asn=first.resolver_asn,
        ),
        targets=_targets(heads),
        probes=(f"{TEST_NAME} {first.test_version}",),
        helpers=tuple(dict.fromkeys(head.helper for head in heads if head.helper)),
        imported=f"ooni {first.report}",
    )


@lru_cache(maxsize=512)
def target_id(url: str) -> str:
    """A target's id out of its host; an address with hyphens, for an id is never an address."""
    rest = url.partition("://")[2]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    bare = authority if authority.endswith("]") else re.sub(r":[0-9]*\Z", "", authority)
    host = fields.host_name(bare)
    if fields.address(host) is not None:
        host = "address-" + re.sub(r"[^0-9a-f]+", "-", host).strip("-")
    return re.sub(r"[^\w.-]+", "-", host)[:100] or "unnamed"


def _targets(heads: tuple[Head, ...]) -> tuple[Target, ...]:
    urls: dict[str, list[str]] = {}
    for head in heads:
        urls.setdefault(target_id(head.url), []).append(head.url)
    kept = {name: tuple(dict.fromkeys(found)) for name, found in urls.items()}
    return tuple(
        Target(id=name, url=found[0], mirrors=tuple(Mirror(url=url) for url in found[1:]))
        for name, found in kept.items()
    )


def helper_of(record: Object) -> str | None:
    """The test helper that was asked: ``backend`` is an address, or an object that holds one."""
    backend = fields.mapping(record.get("test_helpers")).get("backend")
    address = backend.get("address") if isinstance(backend, dict) else backend
    return fields.text(address, 300)


def _report(record: Object) -> str | None:
    """The report's id; ``None`` where there is none, so that nothing says what belongs together."""
    named = fields.text(record.get("report_id"), 120)
    return named if named is not None and named.isprintable() else None


def _families(keys: Object) -> tuple[bool, bool]:
    """Whether a connection succeeded over IPv4, over IPv6."""
    good = {
        str(entry.get("ip"))
        for entry in fields.entries(keys.get("tcp_connect"))
        if fields.mapping(entry.get("status")).get("success") is True
    }
    return any(":" not in ip for ip in good), any(":" in ip for ip in good)


def _words(value: object) -> str:
    return " ".join(value[:200].split()) if isinstance(value, str) else ""


def _moment(value: object) -> int | None:
    return fields.moment(value) if isinstance(value, str) else None


def _asn(value: object) -> int | None:
    found = _ASN.match(value) if isinstance(value, str) else None
    number = int(found[1]) if found else 0
    return number if 0 < number < 2**32 else None


def _country(value: object) -> str | None:
    return value if isinstance(value, str) and _COUNTRY.match(value) and value != "ZZ" else None
