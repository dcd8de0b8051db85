"""Who is really calling: the client's address, through proxies that the operator named. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_FORWARDED_FOR = re.compile(rb"\r\nX-Forwarded-For:([^\r\n]*)", re.IGNORECASE)
_WITH_PORT = re.compile(r"^((?:\d+\.){3}\d+|\[[^\]]*\]):\d{1,5}$")


def client_address(environ: Mapping[str, Any], trusted: Sequence[Network]) -> Address | None:
    """The nearest address that is none of our proxies; None where it cannot be told.

    `X-Forwarded-For` is read from its end, and only as far as trusted proxies
    wrote it: everything further left is the caller's own claim.
    """
    address = _address(str(environ.get("REMOTE_ADDR", "")))
    hops = str(environ.get("HTTP_X_FORWARDED_FOR", "")).split(",")
    while address is not None and within(address, trusted) and hops:
        claimed = hops.pop().strip()
        if not claimed:
            break
        address = _address(claimed)
    return address


def claimed_by(head: bytes) -> str:
    """All that a request's head says in `X-Forwarded-For`, as applications are told it."""
    return ",".join(value.decode("latin-1") for value in _FORWARDED_FOR.findall(head))


@lru_cache(maxsize=4096)
def counted_by(host: str, proxies: tuple[Network, ...]) -> str:
    """What the connections of one client have in common; empty for a proxy, which has many."""
    address = _address(host.partition("%")[0])
    return "" if address is not None and within(address, proxies) else network_of(address)


def network_of(address: Address | None) -> str:
    """One client may have a whole IPv6 network of 64 bits."""
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address) >> 64 << 64, 64)))
    return str(address)


def within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _address(text: str) -> Address | None:
    """Some proxies write the port too: `34.83.8.110:51234`, `[2001:db8::1]:51234`."""
    host = _WITH_PORT.sub(r"\1", text.strip()).strip("[]")
    try:
        address = ip_address(host)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
