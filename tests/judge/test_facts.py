"""The judge's small facts: addresses, names, certificates, pages, proof of a clean bill."""

from __future__ import annotations

import pytest

from blockwatch import failure as f
from blockwatch.judge import certs, pages
from blockwatch.judge.addresses import bogon, unreal
from blockwatch.judge.names import a_label, owner, parts, same_owner
from blockwatch.judge.outcomes import outcome
from blockwatch.model import ControlStep, HttpStep, TlsStep
from tests.judge import forged


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("127.0.0.1", "loopback"),
        ("0.0.0.0", "unspecified"),
        ("10.10.34.35", "private"),
        ("100.64.0.1", "private"),
        ("172.31.255.255", "private"),
        ("172.32.0.1", None),
        ("192.0.2.7", "documentation"),
        ("198.19.0.1", "benchmarking"),
        ("224.0.0.1", "multicast"),
        ("255.255.255.255", "reserved"),
        ("8.8.8.8", None),
        ("62.122.1.1", None),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("fe80::1%eth0", "link-local"),
        ("fd00::1", "private"),
        ("2001:db8::1", "documentation"),
        ("2a00:1450::5", None),
        ("4000::1", "unallocated"),
        ("::ffff:10.0.0.1", "private"),
        ("::ffff:8.8.8.8", None),
        ("64:ff9b::7f00:1", "loopback"),
        ("64:ff9b::808:808", None),
        ("2002:7f00:1::1", "loopback"),
        ("2002:808:808::1", None),
        ("2001:0:808:808::f5ff:fffe", "private"),  # Teredo: the client, inverted
        ("not an address", "malformed"),
        ("[scrubbed]", None),
    ],
)
def test_bogons(address: str, kind: str | None) -> None:
    assert bogon(address) == kind
    assert unreal(address) == kind


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("64:ff9b:1::808:808", None),
        ("64:ff9b:1:7::7f00:1", "loopback"),
        ("64:ff9b:1:808:8:800::", None),  # a prefix of 48 bits: nothing is told
        ("64:ff9c::808:808", "unallocated"),
    ],
)
def test_the_local_prefix_of_translators_wraps(address: str, kind: str | None) -> None:
    assert bogon(address) == "unallocated"
    assert unreal(address) == kind


@pytest.mark.parametrize(
    ("host", "registrable"),
    [
        ("www.example.org", "example.org"),
        ("example.org", "example.org"),
        ("a.b.gov.kz", "b.gov.kz"),
        ("www.bbc.co.uk", "bbc.co.uk"),
        ("one.blogspot.com", "one.blogspot.com"),
        ("92.46.33.7", "92.46.33.7"),
        ("localhost", "localhost"),
    ],
)
def test_owner(host: str, registrable: str) -> None:
    assert owner(host) == registrable


def test_names() -> None:
    assert same_owner("www.site.kz", "m.site.kz")
    assert not same_owner("one.livejournal.com", "two.livejournal.com")
    assert not same_owner("", "")
    assert a_label("НовостиВыборка.рф") == "xn--80abca3aoqibdwhn2k.xn--p1ai"
    assert a_label("a" * 70 + "ы") == "a" * 70 + "ы"  # no ASCII form: left as it is
    assert parts("https://[2a00::1]:8443/x") == ("https", "2a00::1", 8443, "/x")
    assert parts("http://[broken/") == ("", "", 0, "")
    assert parts("http://host:99999999/").port == 0


def test_certificates() -> None:
    assert certs.state_root(forged.isca("site.kz")) is not None
    assert certs.state_root(forged.plain("site.kz")) is None
    qaznet = (forged.leaf("site.kz", (("C", "KZ"), ("CN", "Security Certificate"))),)
    assert certs.state_root(qaznet) == "security certificate"
    lawful = (forged.leaf("egov.kz", (("C", "KZ"), ("O", "NITEC"), ("CN", "ҰКО 3.0"))),)
    assert certs.state_root(lawful) is None  # a national PKI on its own sites is not interception
    assert certs.local_interceptor(forged.plain("site.kz", "AO Kaspersky Lab")) == "kaspersky"
    assert certs.local_interceptor(forged.plain("site.kz")) is None
    for word, said in (
        ("Reset Ltd", None),
        ("ESET, spol. s r. o.", "eset"),
        ("DO_NOT_TRUST_FiddlerRoot", "x"),
    ):
        assert bool(certs.local_interceptor(forged.plain("site.kz", word))) is bool(said), word
    assert certs.peculiar(forged.qaznet("site.kz"))
    assert not certs.peculiar(forged.isca("site.kz"))
    assert certs.national_root(forged.national("egov.kz"))
    assert certs.state_root(forged.national("egov.kz")) is None
    assert certs.names_host(forged.plain("*.site.kz"), "www.site.kz")
    assert not certs.names_host(forged.plain("*.site.kz"), "a.b.site.kz")
    for junk in ((), (b"",), (b"\x30\x82" + bytes(40),), (forged.plain("x")[0][:60],)):
        assert certs.read_leaf(junk) is None
        assert certs.state_root(junk) is None
        assert certs.local_interceptor(junk) is None
        assert certs.issuer_key(junk) == ""


def page(**fields: object) -> HttpStep:
    what = {"status": 200, "title": "BBC", "body_length": 5_000, **fields}
    return HttpStep(
        i=0,
        t=0,
        us=1,
        failure=None,
        address="1.1.1.1",
        port=80,
        method="GET",
        url="http://a.org/",
        host="a.org",
        **what,
    )


def seen(**fields: object) -> ControlStep:
    what = {"status": 200, "title": "BBC", "body_length": 5_000, **fields}
    return ControlStep(i=1, t=0, us=1, failure=None, helper="h", url="http://a.org/", **what)


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        ({}, {}, "same"),
        ({"title": "Stop"}, {}, "different"),  # E2: no word of five letters on either side
        ({"title": None, "body_length": 90}, {}, "different"),  # E
        (
            {"title": "Access Denied", "headers": (("Content-Length", "185"),)},
            {"headers": (("Content-Length", "9"),)},
            "different",
        ),  # Z
        ({"title": None}, {"title": None, "body_length": 5_100}, "same"),
        ({"title": None}, {"title": None, "body_length": 9_000}, "different"),
        ({"title": None, "truncated": True}, {"title": None, "body_length": 90_000}, "same"),
        ({}, {"status": 403, "title": "Just a moment"}, "void"),  # D
        ({"status": 403}, {}, "different"),
        ({"title": "News at 10:41, BBC"}, {"title": "News at 10:42, BBC"}, "same"),
        ({}, {"http_failure": "unknown_error"}, "none"),
    ],
)
def test_agreement(ours: dict[str, object], theirs: dict[str, object], said: str) -> None:
    assert pages.agrees(page(**ours), seen(**theirs)) == said


def test_pages() -> None:
    assert pages.wording(page(title="Доступ к ресурсу ограничен"))
    assert pages.wording(page(title=None), "Сайт заблокирован по решению суда")
    assert not pages.wording(page(title="Погода в Алматы"))
    assert pages.challenge(page(status=503, title="Just a moment..."))
    assert pages.challenge(page(status=403, title="x", headers=(("CF-Mitigated", "challenge"),)))
    assert not pages.challenge(page(title="Please wait for our next issue", body_length=90_000))
    assert pages.refusal(page(status=429), seen())
    assert not pages.refusal(page(status=503), seen(status=503))
    moved = [page(status=302, headers=(("Location", f"http://92.46.33.7/blocked?id={n}"),)) for n in (1, 2)]
    assert pages.alike(*moved)
    assert not pages.alike(moved[0], page())


def test_an_alert_is_not_an_untrusted_chain() -> None:
    step = TlsStep(
        i=0,
        t=0,
        us=1,
        failure=f.INVALID_HOSTNAME,
        address="1.1.1.1",
        port=443,
        server_name="a",
        alert=112,
        trust="unchecked",
    )
    assert outcome(step) == "alert"


@pytest.mark.parametrize(
    "words",
    [
        *(f"Access {said}" for said in ("denied", "is restricted", "has been blocked", "prohibited")),
        "ACCESS IS FORBIDDEN",
        *("this has been blocked", "site is blocked", "website is not accessible", "blocked by X"),
        *("in your Jurisdiction", "judicial", "by court order", "Court Decision"),
        *("доступ к сайту закрыт", "Доступ прекращён", "ограничен доступ", "страница заблокирована"),
        *("по решению суда", "Роскомнадзор", "в реестре запрещённых", "қол жеткізу шектелген"),
        *("БҰҒАТТАЛҒАН", "рұқсат жоқ", "Сот шешімі", "kirish vaqtincha cheklangan", "бөгөттөлгөн"),
        "дастрасӣ маҳдуд",
    ],
)
def test_every_way_of_speaking_of_a_block_is_heard(words: str) -> None:
    assert pages.wording(page(title="x"), f"<p>… {words} …</p>")
