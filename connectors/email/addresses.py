"""Addresses that mail can be sent to, and nothing that could be read as more than one address.

What may stand before the @: https://www.rfc-editor.org/rfc/rfc5322#section-3.2.3, with letters
beyond ASCII https://www.rfc-editor.org/rfc/rfc6531#section-3.3; quoted forms are refused, since
mail servers disagree about them and nobody has one.
"""

from __future__ import annotations

import re
import unicodedata
from email.headerregistry import Address

import idna

from bridge.connector import Skipped

LONGEST = 254
_LONGEST_LOCAL = 64
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
# At least two parts, and the last is no number, as an address's would be.
_DOMAIN = re.compile(r".+\.(?=[^.]*[a-z])[a-z0-9-]+")
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")


def deliverable(address: str) -> str:
    """The address as it is; raises Skipped."""
    if not is_deliverable(address):
        raise Skipped("the event's e-mail address is not one that mail can be sent to")
    return address


def is_deliverable(address: str) -> bool:
    """Whether one mailbox is meant, whoever reads it."""
    local, _, domain = address.rpartition("@")
    return (
        _LOCAL.fullmatch(local) is not None
        and len(local.encode(errors="replace")) <= _LONGEST_LOCAL
        # Programs decode such words wherever they find them.
        and "=?" not in local
        and all(unicodedata.category(each)[0] not in "CZ" for each in local)
        and _DOMAIN.fullmatch(name := _domain(domain)) is not None
        and len(local) + len(name) < LONGEST
    )


def on_the_wire(address: str) -> str:
    """The address as mail servers speak it: its domain in ASCII."""
    local, _, domain = address.rpartition("@")
    return f"{local}@{_domain(domain)}"


def in_header(address: str, name: str = "") -> Address:
    local, _, domain = on_the_wire(address).rpartition("@")
    return Address(name, local, domain)


def _domain(domain: str) -> str:
    """In ASCII; empty where it is none."""
    try:
        return idna.encode(domain, uts46=True).decode().rstrip(".")
    except (idna.IDNAError, UnicodeError):
        return ""
