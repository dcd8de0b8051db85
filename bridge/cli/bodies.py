"""A received body, fit to be shown: without what admits to an event."""

from __future__ import annotations

import re
from typing import Any

from bridge import strict_json
from bridge.errors import Malformed

MASK = "…"
# Whoever reads a barcode can print the ticket; in what is no JSON, the value that follows.
_CREDENTIAL = "barcode"
_IN_TEXT = re.compile(r"""(\w*barcode\w*["']?\s*[:=]\s*)("[^"]*"?|'[^']*'?|[^\s,&}\]]+)""", re.I)


def shown_body(body: bytes) -> Any:
    """JSON data, or the text of what is no JSON, with every barcode masked."""
    try:
        return _masked(strict_json.loads(body))
    except Malformed:
        return _IN_TEXT.sub(rf"\g<1>{MASK}", body.decode("utf-8", "replace"))


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: MASK if _CREDENTIAL in name.casefold() else _masked(member)
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [_masked(member) for member in value]
    return value
