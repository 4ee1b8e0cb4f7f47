"""The helper's look-ups: failures in both vocabularies, and a bad line to the resolver."""

import pytest

from tests.helper.world import little_internet, page, says, web


@pytest.mark.parametrize(
    ("rcode", "old", "http", "exact"),
    [
        (3, "dns_name_error", "dns_lookup_error", "dns_nxdomain_error"),
        (2, "dns_server_failure", "unknown_error", "dns_servfail_error"),
        (5, "dns_server_failure", "unknown_error", "dns_refused_error"),
        (4, "dns_server_failure", "dns_lookup_error", "dns_server_misbehaving"),
        (0, None, "dns_lookup_error", "dns_no_answer"),
    ],
)
async def test_failures_of_the_look_up(tmp_path, autojump_clock, rcode, old, http, exact):
    async with little_internet(tmp_path) as little:
        little.names.rcodes["gone.test"] = rcode
        answer = await little.ask("http://gone.test/")
    assert answer["dns"] == {"failure": old, "addrs": []}
    assert answer["http_request"]["failure"] == http
    assert answer["x_blockwatch"]["dns_failure"] == exact
    assert answer["tcp_connect"] == {}


async def test_a_silent_resolver_is_a_time_out(tmp_path, autojump_clock):
    async with little_internet(tmp_path) as little:
        little.names.lose = 1_000
        answer = await little.ask("http://silent.test/")
    assert answer["dns"]["failure"] == "unknown_error"
    assert answer["http_request"]["failure"] == "dns_lookup_error"
    assert answer["x_blockwatch"]["dns_failure"] == "generic_timeout_error"


@pytest.mark.parametrize("trouble", ["lose", "forge", "cut"])
async def test_lost_forged_and_cut_answers_are_overcome(tmp_path, autojump_clock, trouble):
    async with little_internet(tmp_path) as little, web(says(page())) as port:
        little.names.addresses["far.test"] = ["127.0.0.1"]
        little.names.lose = 3 * (trouble == "lose")  # of the two types' three tries each
        little.names.forge = trouble == "forge"
        little.names.cut = {"far.test"} if trouble == "cut" else set()
        answer = await little.ask(f"http://far.test:{port}/")
    assert answer["dns"] == {"failure": None, "addrs": ["127.0.0.1"]}
    assert answer["http_request"]["status_code"] == 200
