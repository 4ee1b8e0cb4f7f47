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
255.255.255.255 :: ::1 ::7f00:1 ::a9fe:a9fe ::ffff:127.0.0.1 ::ffff:10.0.0.1
::ffff:169.254.169.254 ::ffff:7f00:1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::a00:1 100::1 2001::1
2001:0:7f00:1:: 2001:db8::1
2002:7f00:1:: 2002:a00:1:: 2002:a9fe:a9fe:: ::ffff:0:7f00:1 3fff::1
5f00::1 fc00::1 fd00:ec2::254 fe80::1 fec0::1 ff02::1 ff0e::1
""".split()
NO_ADDRESSES = """
2130706433 2852039166 017700000001 025177524776 ::ffff:0177.0.0.1 [::1]
0x7f000001 0x7f.0.0.1 0177.0.0.1 127.1 127.0.1 127.0.0.01 0x7f.1 1.2.3 fe80::1%eth0
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
    "host",
    [
        "2130706433",
        "2852039166",
        "017700000001",
        "025177524776",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "127.1",
        "127.0.0.01",
        "a.0x",
        "a.b.1.",
    ],
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


class PublicBut(Destinations):
    """Allows the loopback address 127.0.0.1 as if it were public, and of the rest what is public."""

    def allows(self, address, port=None):
        return address == "127.0.0.1" or super().allows(address, port)


ELSEWHERE = [address for address in FORBIDDEN if address != "127.0.0.1"]  # which stands for a public one


def untouched(answer):
    """Nothing was connected to: whatever is dialled gets a row."""
    assert answer["tcp_connect"] == {}
    assert answer["tls_handshake"] == {}
    assert answer["http_request"]["status_code"] == -1
    assert answer["http_request"]["failure"] is not None
    return True


def bracketed(address):
    return f"[{address}]" if ":" in address else address


async def test_every_forbidden_address_is_refused_as_host_endpoint_and_name(tmp_path):
    async with little_internet(tmp_path, private=False, rate=0) as little:
        for address in FORBIDDEN:
            host = bracketed(address)
            little.names.addresses["inside.test"] = [address]
            for asked in (host, "inside.test"):
                answer = await little.ask(f"http://{asked}/", f"{host}:80", f"{host}:443")
                assert untouched(answer), address
                assert answer["x_blockwatch"]["refused"], address
                assert all(info["flags"] & 4 for info in answer["ip_info"].values())


async def test_every_forbidden_address_is_refused_as_a_redirect(tmp_path):
    names = ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "①②⑦.⓪.⓪.②", "inside.test", "[fe80::1%25lo]"]
    wanted = []

    async def handler(stream, request):
        there = f"Location: http://{wanted[-1]}/\r\n"
        await stream.send_all(page(b"", status="302 Found").replace(b"\r\n", b"\r\n" + there.encode(), 1))
        await trio.sleep_forever()

    async with little_internet(tmp_path, policy=PublicBut(), rate=0) as little, web(handler) as port:
        little.names.addresses |= {"outside.test": ["127.0.0.1"], "inside.test": ["169.254.169.254"]}
        for host in [*map(bracketed, ELSEWHERE), *names]:
            wanted.append(host)
            answer = await little.ask(f"http://outside.test:{port}/")
            assert answer["http_request"]["status_code"] == -1, host
            assert list(answer["tcp_connect"]) == [f"127.0.0.1:{port}"]
            assert answer["x_blockwatch"]["http_failure"] in (
                "host_unreachable",
                "http_invalid_redirect_location_host",
            )
        assert len(wanted) == len(ELSEWHERE) + len(names)


async def test_nothing_on_this_machine_is_contacted(tmp_path, trap, touched):
    async with little_internet(tmp_path, private=False) as little, web(trap) as port:
        little.names.addresses["inside.test"] = ["127.0.0.1", "::1", "::ffff:127.0.0.1"]
        for host in ("127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "inside.test"):
            assert untouched(await little.ask(f"http://{host}:{port}/", f"127.0.0.1:{port}", f"[::1]:{port}"))
        for host in ("2130706433", "0x7f000001", "127.1", "0177.0.0.1"):
            status, _, _ = await little.post({"http_request": f"http://{host}:{port}/"})
            assert status == 400
    assert touched == []


@pytest.mark.parametrize("to", ["127.0.0.2", "inside.test", "[::ffff:127.0.0.2]"])
async def test_a_redirect_into_this_machine_is_not_followed(tmp_path, trap, touched, to):
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


@pytest.mark.parametrize("turns", [["127.0.0.1", "127.0.0.2"], ["127.0.0.2", "127.0.0.1"]])
async def test_a_name_that_rebinds_is_connected_to_as_it_was_judged(tmp_path, trap, touched, turns):
    """Each look-up has another answer, as rebinding servers give it; TTL 0."""
    outside = []

    async def handler(stream, request):
        outside.append(request)
        await stream.send_all(page())

    async with little_internet(tmp_path, policy=PublicBut()) as little:
        little.names.turning["rebind.test"] = [[address] for address in turns]
        async with trio.open_nursery() as nursery:
            listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
            port = listeners[0].socket.getsockname()[1]
            listeners += await trio.open_tcp_listeners(port, host="127.0.0.2")

            async def serve(stream):
                where = stream.socket.getsockname()[0]
                request = await stream.receive_some(65_536)
                await (handler if where == "127.0.0.1" else trap)(stream, request)

            nursery.start_soon(trio.serve_listeners, serve, listeners)
            answers = [await little.ask(f"http://rebind.test:{port}/") for _ in range(6)]
            nursery.cancel_scope.cancel()
    seen = [answer["dns"]["addrs"] for answer in answers]
    assert seen == [[address] for address in turns] * 3
    assert [a["http_request"]["status_code"] for a in answers] == [
        200 if where == ["127.0.0.1"] else -1 for where in seen
    ]
    assert len(outside) == 3
    assert touched == []


async def test_a_name_that_rebinds_between_two_tries_is_judged_again(tmp_path, trap, touched):
    """The first connection is reset, so that the name is looked up once more."""
    async with (
        little_internet(tmp_path, policy=PublicBut()) as little,
        web(trap, host="127.0.0.2") as inside,
    ):
        little.names.turning["rebind.test"] = [["127.0.0.1"], ["127.0.0.2"]]

        async def handler(stream, request):
            location = f"Location: http://rebind.test:{inside}/\r\n"
            await stream.send_all(page(b"", status="302 Found", headers=location))
            await trio.sleep_forever()

        async def gone(stream, request):
            await trio.aclose_forcefully(stream)

        async with web(handler) as port, web(gone) as closing:
            redirected = await little.ask(f"http://rebind.test:{port}/")
            little.names.turning["rebind.test"] = [["127.0.0.1"], ["127.0.0.2"]]
            again = await little.ask(f"http://rebind.test:{closing}/")
        assert little.names.asked.count("rebind.test") == 8  # A and AAAA, for each of four connections
    assert redirected["x_blockwatch"]["http_failure"] == "host_unreachable"
    assert again["x_blockwatch"]["http_failure"] == "host_unreachable"
    assert touched == []


async def test_of_a_mixed_answer_only_the_public_part_is_contacted(tmp_path, trap, touched):
    async with (
        little_internet(tmp_path, policy=PublicBut()) as little,
        web(says(page())) as port,
    ):
        little.names.addresses["mixed.test"] = ["10.0.0.1", "127.0.0.1", "169.254.169.254", "::1"]
        answer = await little.ask(f"http://mixed.test:{port}/")
    assert list(answer["tcp_connect"]) == [f"127.0.0.1:{port}"]
    assert answer["http_request"]["status_code"] == 200
    assert set(answer["x_blockwatch"]["refused"]) == {"10.0.0.1", "169.254.169.254", "::1"}
