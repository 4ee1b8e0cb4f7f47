"""DNS messages: a query built by hand, a reply read by dnspython.

Rules of this file: pure; a message that does not answer our question, or is no DNS message, is
``None`` and never an exception. RFC 1035, section 4.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from blockwatch import failure as f
from blockwatch.net import limits

QTYPES = {"A": 1, "AAAA": 28}
_CNAME = 5
_random = random.SystemRandom()
_RCODE_FAILURES = {2: f.SERVFAIL, 3: f.NXDOMAIN, 5: f.DNS_REFUSED}


@dataclass(frozen=True)
class Answer:
    """A reply that fits its query."""

    rcode: int
    addresses: tuple[str, ...]
    names: tuple[str, ...]
    ttl: int | None
    cut: bool  # TC: there is more over TCP

    @property
    def failure(self) -> str | None:
        """OONI's string for this answer."""
        if self.rcode == 0:
            return None if self.addresses else f.NO_ANSWER
        return _RCODE_FAILURES.get(self.rcode, f.DNS_MISBEHAVING)


def query(name: str, qtype: str, *, identity: int | None = None, recursive: bool = True) -> bytes:
    """A query, with recursion desired or not; ``identity`` is the message ID (random if not given)."""
    number = _random.randrange(65_536) if identity is None else identity
    labels = b"".join(bytes((len(label),)) + label for label in name.encode("ascii").split(b"."))
    head = number.to_bytes(2, "big") + bytes((recursive,)) + b"\x00\x00\x01\x00\x00\x00\x00\x00\x00"
    return head + labels + b"\x00" + QTYPES[qtype].to_bytes(2, "big") + b"\x00\x01"


def read(asked: bytes, message: bytes) -> Answer | None:
    """The answer in ``message`` to the query ``asked``; None if it is none."""
    if len(message) < 12 or message[:2] != asked[:2] or not message[2] & 0x80:
        return None
    question = asked[12:]
    if message[4:6] == b"\x00\x01":
        if message[12 : 12 + len(question)].lower() != question.lower():
            return None
    elif message[4:6] != b"\x00\x00" or not message[3] & 0x0F:
        return None  # some servers drop the question, but only in an error
    return _parse(message)


def _parse(message: bytes) -> Answer | None:
    import dns.exception
    import dns.message

    try:
        parsed = dns.message.from_wire(message, one_rr_per_rrset=True, ignore_trailing=True)
        addresses: list[str] = []
        names: list[str] = []
        ttl: int | None = None
        for rrset in parsed.answer[: limits.DNS_ADDRESSES]:
            ttl = int(rrset.ttl) if ttl is None else ttl
            for item in rrset:
                if rrset.rdtype in QTYPES.values():
                    addresses.append(item.address)
                elif rrset.rdtype == _CNAME:
                    names.append(item.target.to_text(omit_final_dot=True).lower())
    except (dns.exception.DNSException, ValueError, AttributeError, UnicodeError):
        # AttributeError: a record of our types in a class that is not IN has no address
        return None
    cut = bool(message[2] & 0x02)
    return Answer(int(parsed.rcode()), tuple(dict.fromkeys(addresses)), tuple(dict.fromkeys(names)), ttl, cut)
