"""Versions of the rules as commands name them, and who makes one live."""

from __future__ import annotations

import getpass
import os

from bridge.errors import OperatorError
from bridge.ledger import rule_versions
from bridge.ledger.database import Connection
from bridge.ledger.rule_versions import Published
from bridge.wording import nearest

_LIST = "`showbridge rules history` lists them"


def version_named(connection: Connection, name: str) -> str:
    """The one that begins so; raises OperatorError."""
    wanted = name.strip().lower()
    found = rule_versions.versions(connection, wanted) if wanted else []
    if len(found) == 1:
        return found[0]
    if found:
        some = ", ".join(found[:5])
        raise OperatorError(f"several versions begin with `{name}`: {some}; give more of it")
    close = nearest(wanted, rule_versions.versions(connection))
    advice = f"did you mean `{close}`?" if close else _LIST
    raise OperatorError(f"there is no version `{name}` of the rules; {advice}")


def live_now(connection: Connection) -> Published:
    """Raises OperatorError where nothing was live yet."""
    live = rule_versions.live(connection)
    if live is None:
        raise OperatorError(
            "no rules are live yet: they are at the first start, or by `showbridge rules publish`"
        )
    return live


def author_named(given: str | None) -> str:
    """Who asks: as given, else whoever is logged in, also behind sudo."""
    if given and given.strip():
        return given.strip()
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
