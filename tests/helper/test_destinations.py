"""The helper contacts nothing but public unicast addresses, however they are written."""

# ruff: noqa: SIM905

import pytest
import trio

from blockwatch.helper import Destinations
from blockwatch.helper.destinations import is_odd_number
from blockwatch.helper.protocol import BadRequest, read_url
from tests.helper.world import little_internet, page, says, web

FORBIDDEN = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 127.0.0.1 127.1.2.3 168.63.129.16
169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1
192.168.255.255 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.7 224.0.0.1 239.255.255.255 240.0.0.1
255.255.255.255 :: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:7f00:1
64:ff9b::7f00:1 64:ff9b:1::a00:1 100::1 2001::1 2001:0:7f00:1:: 2001:db8::1 2002:7f00:1:: 2002:a00:1:: 3fff::1
5f00::1 fc00::1 fd00:ec2::254 fe80::1 fec0::1 ff02::1 ff0e::1
""".split()
NO_ADDRESSES = """
2130706433 017700000001 0x7f000001 0x7f.0.0.1 0177.0.0.1 127.1 127.0.1 127.0.0.01 0x7f.1 1.2.3 fe80::1%eth0
8.8.8.8%eth0 ::1%lo 256.1.1.1 1.2.3.4. ①②⑦.⓪.⓪.① localhost example.org
""".split()
PUBLIC = "8.8.8.8 95.56.0.1 1.1.1.1 2a00:1d58:8::20 2001:4860:4860::8888 ::ffff:8.8.8.8".split()


@pytest.mark.parametrize("address", FORBIDDEN + NO_ADDRESSES)
def test_forbidden(address):
    assert not Destinations().allows(address)
    assert not Destinations().allows(address, 443)


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address):
    assert Destinations().allows(address, 443)


@pytest.mark.parametrize("port", [0, -1, 25, 465, 587, 65_536])
def test_forbidden_ports(port):
    assert not Destinations().allows("8.8.8.8", port)


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "127.1", "127.0.0.01", "a.0x", "a.b.1."]
)
def test_lenient_forms_are_refused_as_names(host):
    assert is_odd_number(host)
    with pytest.raises(BadRequest):
        read_url(f"http://{host}/")


@pytest.mark.parametrize("host", ["127.0.0.1", "example.org", "1.example", "0x7f.example", "[::1]"])
def test_ordinary_hosts_are_read(host):
    assert read_url(f"http://{host}/").host == host.strip("[]")


@pytest.fixture
def touched():
    return []


@pytest.fixture
def trap(touched):
    """A server on loopback that nobody may reach."""

    async def handler(stream, request):
        touched.append(request)
        await stream.send_all(page(b"secret"))

    return handler


async def test_nothing_private_is_contacted_by_literal_name_or_endpoint(tmp_path, trap, touched):
    async with little_internet(tmp_path, private=False) as little, web(trap) as port:
        little.names.addresses["inside.test"] = ["127.0.0.1", "::1", "::ffff:127.0.0.1"]
        hosts = ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "inside.test"]
        for host in hosts:
            answer = await little.ask(f"http://{host}:{port}/", f"127.0.0.1:{port}", f"[::1]:{port}")
            assert answer["tcp_connect"] == {}
            assert answer["tls_handshake"] == {}
            assert answer["http_request"]["failure"] == "unknown_error"
            assert answer["x_blockwatch"]["refused"]
            assert all(info["flags"] & 4 for info in answer["ip_info"].values())
        for host in ("2130706433", "0x7f000001", "127.1", "0177.0.0.1"):
            status, _, _ = await little.post({"http_request": f"http://{host}:{port}/"})
            assert status == 400
    assert touched == []


class PublicBut(Destinations):
    """Allows the loopback address 127.0.0.1 as if it were public, and nothing else there."""

    def allows(self, address, port=None):
        return address == "127.0.0.1"


@pytest.mark.parametrize("to", ["127.0.0.2", "inside.test", "[::ffff:127.0.0.2]"])
async def test_every_redirect_is_judged_anew(tmp_path, trap, touched, to):
    async with (
        little_internet(tmp_path, policy=PublicBut()) as little,
        web(trap, host="127.0.0.2") as inside,
    ):
        response = page(b"", status="302 Found", headers=f"Location: http://{to}:{inside}/\r\n")
        async with web(says(response)) as port:
            little.names.addresses["outside.test"] = ["127.0.0.1"]
            little.names.addresses["inside.test"] = ["127.0.0.2"]
            answer = await little.ask(f"http://outside.test:{port}/")
    assert answer["http_request"]["status_code"] == -1
    assert len(answer["x_blockwatch"]["redirects"]) == 1
    assert touched == []


async def test_a_name_that_changes_its_address_is_judged_each_time(tmp_path, trap, touched):
    """DNS rebinding: the second look-up of the same name gives a private address."""
    async with (
        little_internet(tmp_path, policy=PublicBut()) as little,
        web(trap, host="127.0.0.2") as inside,
    ):
        little.names.addresses["rebind.test"] = ["127.0.0.1"]

        async def handler(stream, request):
            little.names.addresses["rebind.test"] = ["127.0.0.2"]
            location = f"Location: http://rebind.test:{inside}/\r\n"
            await stream.send_all(page(b"", status="302 Found", headers=location))
            await trio.sleep_forever()

        async with web(handler) as port:
            answer = await little.ask(f"http://rebind.test:{port}/")
    assert answer["http_request"]["status_code"] == -1
    assert touched == []
