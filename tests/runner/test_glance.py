"""A glance at all steps at once never passes over what is cut when each is looked at by itself."""

import gzip
import ipaddress
import zlib
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blockwatch.model import (
    ControlStep,
    DnsReply,
    DnsStep,
    Endpoint,
    HttpStep,
    Measured,
    Measurement,
    Purpose,
    TcpStep,
    TlsStep,
)
from blockwatch.runner.scrub import Scrubber

from .test_scrub_forms import BASE64, HIDDEN, V4, V6

OWN, OWN6, POOL = ipaddress.ip_address("95.56.8.20"), ipaddress.ip_address("2a02:aa16::9"), "95.56.9.9"
KNOWN = {
    "own": (str(OWN), str(OWN6)),
    "resolvers": ("212.19.149.53",),
    "macs": ("a4c3f0851e2b",),
    "words": ("aigul-thinkpad",),
}
TOLD = [
    *(form(OWN) for form in (*V4.values(), *HIDDEN.values(), *BASE64)),
    *(form(OWN6) for form in (*V6.values(), *HIDDEN.values(), *BASE64)),
    *("95.56.8.2", "95.56.8", POOL, "8.8.4.4", "212.19.149.53", "A4-C3-F0-85-1E-2B", "Aigul-Thinkpad"),
]
FEW = [*TOLD[::5], "95.56.8.2", "2a00%3A1450%3A4001%3A%3A1", "2a00:1450:4001::1", "2a00:1450%3a4001::1"]
ODD = ["9", "9.", "x:", "%", "%3", "0x", "ÿ", "\x1e", "\0", "\\", "&#", "93.184.216.34", "\ud800"]
GZIP_WITHOUT_ZEROS = b"\x1f\x8b\x08\x01\x01\x01\x01\x01\x02\x03"
WIDE = [f"x{text}\0".encode("utf-16") for text in FEW]
LABELS = bytes((2,)) + b"95" + bytes((2,)) + b"56" + bytes((1,)) + b"8" + bytes((2,)) + b"20" + bytes(1)
BINARY = [
    *(text.encode() for text in FEW),
    *(bytes((0, 1, 129)) + text.encode() + bytes((0, 41)) for text in FEW),
    *(gzip.compress(text.encode()) for text in FEW),
    *WIDE,
    *(GZIP_WITHOUT_ZEROS + zlib.compress(text.encode())[2:-4] for text in FEW),
    *(OWN.packed, OWN6.packed, LABELS, bytes(4_100) + b"9\0005.56.8.20"),
]
ALL = {
    "place": [*FEW, str(OWN), str(OWN6), POOL],
    "text": [*FEW, *(text.encode("utf-16-le").decode("latin-1") for text in FEW)],
    "bytes": BINARY,
    "plaintext": BINARY,
}
KEPT = {"place": "93.184.216.34", "text": "", "bytes": b"\x00\x01\x30\x82%41", "plaintext": b""}


LONG = "x" * 5_000  # in the first text: what is looked for is not at the beginning of it all


class Filling:
    """What the fields of a record hold: nothing, but ``told`` in the slot of this number."""

    def __init__(self, slot=None, told=None, kept=KEPT):
        self.slot, self.told, self.kept, self.kinds = slot, told, kept, []

    def fill(self, kind):
        self.kinds.append(kind)
        if len(self.kinds) - 1 == self.slot:
            return self.told
        return self.kept[kind] if self.kinds.count("text") > 1 or kind != "text" else LONG

    def steps(self, hop=1, purpose=Purpose.FIRST):
        """Each kind of step, with every field that a server has a say in."""
        common = {"t": 0, "us": 1, "hop": hop, "purpose": purpose}
        word, raw, site = (partial(self.fill, kind) for kind in ("text", "bytes", "place"))
        reply = DnsReply(us=1, rcode=0, addresses=(site(),), names=(word(),), raw=raw())
        ends = (Endpoint(address=site(), port=1, tcp_failure=word(), tls_failure=word()),)
        return (
            DnsStep(i=0, failure=word(), error=word(), resolver=site(), name=word(), qtype="A",
                    addresses=(site(),), replies=(reply,), query=raw(), **common),
            TcpStep(i=1, failure=word(), error=word(), address=site(), port=80, **common),
            TlsStep(i=2, failure=None, address=site(), port=443, server_name=word(), version=word(),
                    cipher=word(), alpn=word(), chain=(raw(), raw()), trust=word(), trust_detail=word(),
                    plaintext=self.fill("plaintext"), **common),
            HttpStep(i=3, failure=word(), address=site(), port=443, method=word(), url=word(), host=word(),
                     request_headers=((word(), word()),), version=word(), status=200, title=word(),
                     headers=((word(), word()), (word(), word())), progress=((1, 2),), **common),
            ControlStep(i=4, failure=word(), helper="h", url=word(), dns_failure=word(), addresses=(site(),),
                        endpoints=ends, http_failure=word(), headers=((word(), word()),), title=word(),
                        asns=((site(), 1),), **common),
        )  # fmt: skip


def measured(steps):
    at = {"id": "x-1", "seq": 1, "target": "t", "url": "http://a.example/", "probe": "web", "started": 0}
    return Measured(measurement=Measurement(probe_version="1", us=1, observations=steps, **at))


COMMON = {key: value for key, value in KNOWN.items() if key != "own"}
LINES = {
    "known": Scrubber(KNOWN["own"], **COMMON),
    "unknown": Scrubber((), blind=(4, 6)),
    "known network": Scrubber(KNOWN["own"], networks=(9198,), blind=(6,), **COMMON),
}


def agree(scrubber, steps):
    """Both looks; whether anything was cut."""
    scrubber.met.clear()
    clean = scrubber.measured(measured(steps)).measurement.observations
    assert clean == tuple(map(scrubber._step, steps))
    return clean != steps


COUNTED = Filling()
COUNTED.steps()


@pytest.mark.parametrize("line", LINES)
def test_nothing_is_cut_where_nothing_is_told(line):
    steps = Filling().steps()
    assert LINES[line].measured(measured(steps)).measurement.observations is steps  # without a longer look


@pytest.mark.parametrize("slot", range(len(COUNTED.kinds)))
def test_no_field_is_passed_over(slot):
    kind = COUNTED.kinds[slot]
    tries = [Filling(slot, told).steps() for told in ALL[kind]]
    assert sum(agree(scrubber, steps) for scrubber in LINES.values() for steps in tries)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(sorted(LINES)),
    st.lists(st.sampled_from(ODD), max_size=3).map("".join),
    st.lists(st.sampled_from([*ODD, *TOLD]), max_size=3).map("".join),
    st.sampled_from([n for n, kind in enumerate(COUNTED.kinds) if kind == "text"]),
    st.sampled_from([(0, Purpose.FIRST), (0, Purpose.REPEAT), (1, Purpose.FIRST)]),
)
def test_whatever_stands_in_the_other_fields(line, others, told, slot, way):
    """Neighbours among the pieces are none in the record."""
    agree(LINES[line], Filling(slot, told, KEPT | {"text": others}).steps(*way))
