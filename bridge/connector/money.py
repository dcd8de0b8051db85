"""Amounts of money as people read them, with the places that their currency has.

How many those are: ISO 4217, list one, at
https://www.six-group.com/en/products-services/financial-information/market-reference-data/data-standards.html
"""

from __future__ import annotations

from decimal import Context, Decimal

_PLACES = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"), 0),
    **dict.fromkeys(("UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
_USUAL_PLACES = 2
# The usual context gives up beyond 28 digits.
_EXACT = Context(prec=100, rounding="ROUND_HALF_UP")


def in_figures(amount: Decimal, currency: str) -> str:
    """`1,234.50`, without the currency; `1,235` of JPY, `1,234.500` of KWD.

    Rounded half up. What is rounded to nothing has no minus. `amount` is finite and
    has fewer than 90 digits.
    """
    places = _PLACES.get(currency.strip().upper(), _USUAL_PLACES)
    rounded = amount.quantize(Decimal(1).scaleb(-places), context=_EXACT)
    return f"{rounded if rounded else abs(rounded):,f}"
