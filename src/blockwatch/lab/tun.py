"""TUN devices: a file that the kernel's IP packets come out of and go into.

Rules: the device belongs to the network namespace the process is in when it opens the file and
lives as long as the file. Packets are bare IP (no Ethernet, no offload: the kernel has computed all
checksums and checks ours).
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct

from blockwatch.errors import LabError

PATH = "/dev/net/tun"
_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_REMEDY = (
    f"as root: modprobe tun; mkdir -p /dev/net; [ -c {PATH} ] || mknod {PATH} c 10 200; chmod 666 {PATH}"
)


def open_tun(name: str, path: str = PATH) -> int:
    """Make the device and return its non-blocking file descriptor."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        says = {errno.ENOENT: "is missing", errno.EACCES: "may not be opened by this user"}
        what = says.get(error.errno or 0, f"cannot be opened ({error.strerror})")
        raise LabError(f"the TUN device {what}", where=path, remedy=_REMEDY) from error
    try:
        fcntl.ioctl(fd, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
    except OSError as error:
        os.close(fd)
        what = f"the kernel gives no TUN device ({error.strerror})"
        raise LabError(what, where=path, remedy=_REMEDY) from error
    return fd
