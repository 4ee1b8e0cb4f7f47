"""What no network can have caused never gets the name of a network's failure."""

import errno
import os

import pytest

from blockwatch.net.failures import name_failure
from blockwatch.net.proxied import _blame
from blockwatch.net.socks import ProxyDown


def test_an_errno_that_a_network_causes_has_a_name():
    assert name_failure(ConnectionResetError(errno.ECONNRESET, "x")) == ("connection_reset", "ECONNRESET")


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOMEM, errno.EBADF, errno.EINVAL])
def test_an_errno_of_our_own_machine_is_raised_again(number):
    ours = OSError(number, os.strerror(number))
    with pytest.raises(OSError, match=os.strerror(number)) as caught:
        name_failure(ours)
    assert caught.value is ours


def test_a_fault_of_ours_beside_one_of_the_proxy_is_raised_again():
    down = ProxyDown("connection_refused", "ECONNREFUSED")
    assert _blame(ExceptionGroup("", [down, down])) == ("connection_refused", "ECONNREFUSED")
    with pytest.raises(KeyError):
        _blame(ExceptionGroup("", [down, ExceptionGroup("", [KeyError("ours")])]))
