"""URLs as they are read, and as they are refused."""

import pytest

from blockwatch.net.url import BadUrl, join, parse_endpoint, parse_url


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("http://A.Example", "http://a.example/"),
        ("https://a.example:443/x#top", "https://a.example/x"),
        ("https://a.example:8443/x?q=ы", "https://a.example:8443/x?q=%D1%8B"),
        ("http://новостивыборка.рф/", "http://xn--80abca3aoqibdwhn2k.xn--p1ai/"),
        ("http://user:secret@a.example./a b", "http://a.example/a%20b"),
        ("http://[2001:DB8::1]/", "http://[2001:db8::1]/"),
        ("http://a_b.example/%7Ex", "http://a_b.example/%7Ex"),
    ],
)
def test_normal_form(text, meant):
    assert str(parse_url(text)) == meant
    assert str(parse_url(meant)) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.example",
        "ftp://a.example/",
        "http://",
        "http:///x",
        "http://a..b/",
        "http://a.example:0x/",
        "http://a.example/\nHost: b",
        "http://" + "a" * 64 + ".example/",
        "http://[::1/",
        "http://a b/",
        "http://a.example:99999/",
        "http://a.example:0/",
        "http://" + "a." * 130 + "example/",
        "http://\u2028.рф/",
    ],
)
def test_not_a_url(text):
    with pytest.raises(BadUrl):
        parse_url(text)


@pytest.mark.parametrize(
    ("location", "meant"),
    [
        ("/x", "https://a.example/x"),
        ("y", "https://a.example/dir/y"),
        ("//b.example", "https://b.example/"),
        ("http://b.example/#frag", "http://b.example/"),
        ("?q=1", "https://a.example/dir/page?q=1"),
        ("", "https://a.example/dir/page"),
        (" /x ", "https://a.example/x"),
    ],
)
def test_locations(location, meant):
    assert str(join(parse_url("https://a.example/dir/page"), location)) == meant


def test_endpoints():
    assert parse_endpoint("tcp://a.example:443") == ("tcp", "a.example", 443)
    assert parse_endpoint("tls://[2001:db8::1]:5222") == ("tls", "2001:db8::1", 5222)
    for text in ("tcp://a.example", "udp://a.example:53", "tcp://a.example:0", "tcp://:443", "tcp://a:b"):
        with pytest.raises(BadUrl):
            parse_endpoint(text)
