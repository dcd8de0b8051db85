"""Hosts as people write them: a name or an address, of IPv4 or IPv6."""

from __future__ import annotations

import re
import socket
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?", re.ASCII)
_WITH_PORT = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*):[0-9]*", re.ASCII)
_NUMBERS = re.compile(r"[0-9.]+", re.ASCII)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
MAX_NAME = 253


def read_host(text: str, port_is: str) -> str:
    """The host as sockets take it: IPv6 without brackets.

    `port_is` names the place of a port ("the variable PORT"). Raises ValueError
    that says what to write; it repeats nothing of a password in a URL.
    """
    if text != text.strip():
        raise ValueError(f"there is a blank at its beginning or end; {_instead(text.strip())}")
    if text.lower().startswith("unix:") or text.startswith("/"):
        raise ValueError("a socket file cannot be used here; write an address or a name")
    if _SCHEME.match(text) or "/" in text:
        raise ValueError(f"this is a URL, and the host alone is wanted; {_instead(_of_url(text))}")
    if "," in text or len(text.split()) > 1:
        raise ValueError("these are several, and one is wanted; write one address or name")
    if (found := _WITH_PORT.fullmatch(text)) and not _is_address(text):
        raise ValueError(f"the port goes into {port_is}; {_instead(found[1])}")
    return _host(text)


def read_listening(text: str) -> str:
    """The same of the host to listen on."""
    if text.strip() in ("*", "+", ""):
        raise ValueError(
            "it names no address; write 0.0.0.0 to be reached from other machines, or '::' to be "
            "reached by IPv6 too"
        )
    host = read_host(text, "the variable PORT")
    if "%" in host:
        raise ValueError("an address with a zone cannot be listened on; write '::' for all of them")
    return host


def in_url(host: str) -> str:
    """As it stands in a URL."""
    return f"[{host}]" if ":" in host else host


def with_port(host: str, port: int) -> str:
    return f"{in_url(host)}:{port}"


def as_seen_here(host: str) -> str:
    """The address at which this machine itself reaches what listens on a host."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not address.is_unspecified:
        return host
    return "::1" if isinstance(address, IPv6Address) else "127.0.0.1"


def listening_address(host: str) -> str:
    """The address to listen on for a name, IPv4 if it has one; raises OSError if it has none."""
    if _is_address(host):
        return host
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    best = min(found, key=lambda each: each[0] != socket.AF_INET)
    return str(best[4][0])


def _host(text: str) -> str:
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if _is_address(bare) and (bare == text or ":" in bare):
        return bare
    if ":" in text or "[" in text:
        raise ValueError("this is no IPv6 address; one looks like '2001:db8::1'")
    if _NUMBERS.fullmatch(text):
        raise ValueError("this is no whole IPv4 address; one looks like 192.0.2.10")
    if not text.isascii():
        raise ValueError(_in_ascii(text))
    if len(text) > MAX_NAME or not _NAME.fullmatch(text):
        raise ValueError("this is neither an address nor a name; write one like hooks.example.com")
    return text


def _in_ascii(text: str) -> str:
    try:
        return f"names are written in plain letters here; write {text.encode('idna').decode()}"
    except UnicodeError:
        return "names are written in plain letters here; write one like hooks.example.com"


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _of_url(text: str) -> str:
    try:
        return urlsplit(text if "://" in text else f"//{text}").hostname or ""
    except ValueError:
        return ""


def _instead(host: str) -> str:
    try:
        good = read_host(host, "") if host else "127.0.0.1"
    except ValueError:
        return "write an address or a name alone"
    return f"write '{good}'" if ":" in good else f"write {good}"
