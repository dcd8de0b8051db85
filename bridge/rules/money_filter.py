"""Amounts with their currency.

How many places a currency has: ISO 4217, list one, at
https://www.six-group.com/en/products-services/financial-information/market-reference-data/data-standards.html
"""

from __future__ import annotations

from decimal import MAX_PREC, Context, Decimal
from typing import Any

from bridge.rules import values

_PLACES = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"), 0),
    **dict.fromkeys(("UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
_USUAL_PLACES = 2
_MOST_DIGITS = 40
# The usual context gives up beyond 28 digits.
_EXACT = Context(prec=min(100, MAX_PREC), rounding="ROUND_HALF_UP")


def money(value: Any, currency: Any = None) -> str:
    """An amount with its currency after it, like 1,234.50 CAD; no amount is no text.

    Rounded half up to the places that the currency has: 1,235 JPY, 1,234.500 KWD.
    A reimbursement keeps its minus: -20.00 CAD.
    """
    amount = values.number(value)
    if amount is None or amount.adjusted() > _MOST_DIGITS:
        return ""
    code = _code(currency)
    places = _PLACES.get(code, _USUAL_PLACES)
    rounded = amount.quantize(Decimal(1).scaleb(-places), context=_EXACT)
    # What is rounded to nothing has no minus.
    return f"{rounded if rounded else abs(rounded):,f} {code}".strip()


def _code(currency: Any) -> str:
    text = currency.strip() if isinstance(currency, str) else ""
    return text.upper() if len(text) == 3 else text
