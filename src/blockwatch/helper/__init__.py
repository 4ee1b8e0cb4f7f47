"""The control server: sees a URL from where nobody interferes, and says what it saw.

It speaks the protocol of OONI's Web Connectivity test helper, so their probe can use ours and ours
can use theirs. ``protocol`` is what goes over the wire, ``destinations`` what may never be
contacted, ``names``, ``dial`` and ``fetch`` the three things done for a request, ``control`` their
order, ``server``, ``listening`` and ``clients`` the HTTP side, ``pulse`` whether we were at fault.

It keeps nothing and logs nothing: neither addresses nor URLs.
"""

from blockwatch.helper.destinations import Destinations
from blockwatch.helper.server import serve

__all__ = ["Destinations", "serve"]
