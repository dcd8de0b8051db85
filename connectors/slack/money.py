"""Amounts of money in sentences: `CAD 4,120.00`."""

from __future__ import annotations

from decimal import Decimal

from bridge.connector import in_figures

_LARGEST = 15
"""More digits before the point are no amount of money."""


def is_money(amount: Decimal) -> bool:
    return amount.is_finite() and amount.adjusted() < _LARGEST


def money(amount: Decimal, currency: str) -> str:
    """The currency first, as it was sent, three letters at most; not escaped."""
    code = currency.strip().upper()[:3]
    return f"{code} {in_figures(amount, code)}".strip()
