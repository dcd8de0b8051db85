"""Which addresses a webhook may go to: the Internet's, and those of its own that the account names.

Special addresses: https://www.iana.org/assignments/iana-ipv4-special-registry/,
https://www.iana.org/assignments/iana-ipv6-special-registry/; how others fooled such checks:
https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host, best first; raises OSError."""

# Networks where nobody on the Internet can be, by what they are for.
_SPECIAL_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # behind a provider's address translation
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, and the metadata of most clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays, given up
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_GLOBAL_V6 = IPv6Network("2000::/3")
_SPECIAL_V6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: leads to any IPv4 address
        "3fff::/20",  # documentation
    )
)
# The last 32 bits are the IPv4 address that is meant: https://www.rfc-editor.org/rfc/rfc6052.
_NAT64 = IPv6Network("64:ff9b::/96")

METADATA: frozenset[Address] = frozenset(
    map(
        ip_address,
        (
            "169.254.169.254",  # AWS, Google Cloud, Azure, DigitalOcean ...
            "169.254.170.2",  # AWS containers
            "169.254.170.23",  # AWS Kubernetes
            "100.100.100.200",  # Alibaba Cloud
            "168.63.129.16",  # Azure's own, although it is a public address
            "192.0.0.192",  # Oracle Cloud
            "fd00:ec2::254",  # AWS
            "fd00:ec2::23",  # AWS Kubernetes
            "fd20:ce::254",  # Google Cloud
        ),
    )
)
"""Where clouds hand out credentials to whoever asks from inside."""

# An address in another spelling: 2130706433, 0x7f000001, 0177.0.0.1, 127.1.
_NUMERIC_LABEL = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*", re.ASCII)


def looked_up(host: str, port: int) -> Sequence[str]:
    """As the system resolves it; its own timeouts hold."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def allowed(addresses: Iterable[str], private: Sequence[Network]) -> list[Address]:
    """Those of the addresses that may be connected to, in their order."""
    return [address for address in map(ip_address, addresses) if may_reach(address, private)]


def may_reach(address: Address, private: Sequence[Network]) -> bool:
    """Whether it is on the Internet, or in a network that the account names."""
    meant = _meant(address)
    if meant in METADATA:
        # A wide network is named for the applications in it, never for these.
        return ip_network(meant) in private
    return is_named(address, private) or _is_public(meant)


def is_named(address: Address, private: Sequence[Network]) -> bool:
    """Whether the account names a network that it is in."""
    return any(_meant(address) in network for network in private)


def is_disguised(host: str) -> bool:
    """Whether the host is an IPv4 address in a spelling that only some programs understand.

    https://url.spec.whatwg.org/#ends-in-a-number-checker
    """
    last = host.rstrip(".").rpartition(".")[2]
    return bool(_NUMERIC_LABEL.fullmatch(last)) and not _is_plain(host)


def _is_plain(host: str) -> bool:
    try:
        IPv4Address(host)
    except ValueError:
        return False
    return True


def _meant(address: Address) -> Address:
    """The IPv4 address inside of an IPv6 one, where there is one that it leads to."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_V4)
    return address in _GLOBAL_V6 and not any(address in network for network in _SPECIAL_V6)
