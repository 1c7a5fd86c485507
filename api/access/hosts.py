"""Whether a request came under a name of this machine.

A page from anywhere can have its own name lead to 127.0.0.1 (DNS rebinding), and then speaks to an open
service on this machine as if it were its own. The browser still says by which name it came.
"""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from urllib.parse import urlsplit

from starlette.requests import Request


def is_rebound(request: Request) -> bool:
    """Whether a foreign name led to this machine's own address."""
    server = request.scope.get("server")
    if not server or not _is_loopback(str(server[0])):
        return False
    given = request.headers.get("host", "")
    with suppress(ValueError):
        name = urlsplit(f"//{given}").hostname or ""
        return bool(given) and not (name == "localhost" or _is_loopback(name))
    return True  # no name that can be read


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False
