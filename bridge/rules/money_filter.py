"""Amounts with their currency."""

from __future__ import annotations

from typing import Any

from bridge.connector import in_figures
from bridge.rules import values

_MOST_DIGITS = 40


def money(value: Any, currency: Any = None) -> str:
    """An amount with its currency after it, like 1,234.50 CAD; no amount is no text.

    Rounded half up to the places that the currency has: 1,235 JPY, 1,234.500 KWD.
    A reimbursement keeps its minus: -20.00 CAD.
    """
    amount = values.number(value)
    if amount is None or amount.adjusted() > _MOST_DIGITS:
        return ""
    code = _code(currency)
    return f"{in_figures(amount, code)} {code}".strip()


def _code(currency: Any) -> str:
    text = currency.strip() if isinstance(currency, str) else ""
    return text.upper() if len(text) == 3 else text
