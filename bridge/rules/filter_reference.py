"""Every filter as documents describe it: in one line, with an example that tests run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class FilterReference:
    """`arguments` as they are written in brackets, those in [ ] may be left out.

    `example` filled in with EXAMPLE_FACTS `gives` that text.
    """

    name: str
    arguments: str
    about: str
    example: str
    gives: str

    @property
    def usage(self) -> str:
        """As one writes it: `money([currency])`, or `upper`."""
        return f"{self.name}({self.arguments})" if self.arguments else self.name


EXAMPLE_FACTS: Mapping[str, Any] = {
    "contact": {
        "email": "priya@example.com",
        "name": "PRIYA  RAMAN",
        "first_name": "Priya",
        "last_name": None,
        "phone": "(403) 266-1234",
    },
    "order": {"total": Decimal("1234.5"), "currency": "CAD"},
    "tickets": [
        {
            "type": "VIP",
            "price": Decimal(90),
            "event_name": "Winter Gala",
            "starts_on": datetime(2027, 7, 3, 1, 30, tzinfo=UTC),
        },
        {"type": "Standing", "price": Decimal("45.50"), "event_name": "Winter Gala"},
        {"type": "Standing", "price": Decimal("45.50"), "event_name": "Winter Gala"},
    ],
}
"""What the examples are about: an order of three tickets. Its buyer's last name is not known."""

_TYPES = "tickets | map(attribute='type')"

FILTER_REFERENCE: tuple[FilterReference, ...] = (
    FilterReference(
        "money",
        "[currency]",
        "an amount with the places that its currency has",
        "{{ order.total | money(order.currency) }}",
        "1,234.50 CAD",
    ),
    FilterReference(
        "date",
        "[zone], [format]",
        "a date in the time zone of the rules or in another one; the format is made of"
        " %A %a %B %b %d %e %H %I %j %m %M %p %S %y %Y %z %Z, with - after the % for no zero",
        "{{ tickets[0].starts_on | date('America/Edmonton', '%A, %-d %B, %H:%M') }}",
        "Friday, 2 July, 19:30",
    ),
    FilterReference(
        "name",
        "[instead]",
        "a person's name, tidied; “No Name” and empty names are nobody, and become what is in"
        " brackets, else nothing",
        "{{ contact.name | name('Someone') }}",
        "Priya Raman",
    ),
    FilterReference(
        "phone",
        "[country]",
        "a telephone number as +14032661234; what is no valid number becomes nothing, and without"
        " a country that is every number without +",
        "{{ contact.phone | phone('CA') }}",
        "+14032661234",
    ),
    FilterReference(
        "plural",
        "one, many",
        "a number, or the length of a list, with the word for one or for many",
        "{{ tickets | plural('ticket', 'tickets') }}",
        "3 tickets",
    ),
    FilterReference(
        "default",
        "instead",
        "something else for what is not known or empty; `or` does the same, and takes 0 for empty",
        "{{ contact.last_name | default('Friend') }}",
        "Friend",
    ),
    FilterReference("d", "instead", "the same as default", "{{ contact.last_name | d('-') }}", "-"),
    FilterReference(
        "join",
        "[between], [attribute='...']",
        "the entries of a list in a row",
        "{{ tickets | join(', ', attribute='type') }}",
        "VIP, Standing, Standing",
    ),
    FilterReference(
        "join_and",
        "[word], [attribute='...']",
        "the entries of a list in a row, with `and` or another word before the last one",
        f"{{{{ {_TYPES} | unique | join_and }}}}",
        "VIP and Standing",
    ),
    FilterReference(
        "map",
        "attribute='...'",
        "one field of each entry of a list; or, with a filter's name in quotes, each entry"
        " after that filter",
        f"{{{{ {_TYPES} | map('upper') | join(', ') }}}}",
        "VIP, STANDING, STANDING",
    ),
    FilterReference(
        "unique",
        "",
        "a list without what is in it twice",
        f"{{{{ {_TYPES} | unique }}}}",
        "VIP, Standing",
    ),
    FilterReference(
        "sort",
        "[reverse], [attribute='...']",
        "a list in order; with `true` the other way round",
        f"{{{{ {_TYPES} | sort }}}}",
        "Standing, Standing, VIP",
    ),
    FilterReference(
        "reverse",
        "",
        "a list from its end",
        f"{{{{ {_TYPES} | reverse }}}}",
        "Standing, Standing, VIP",
    ),
    FilterReference(
        "first", "", "the first entry of a list", "{{ (tickets | first).type }}", "VIP"
    ),
    FilterReference(
        "last", "", "the last entry of a list", "{{ (tickets | last).type }}", "Standing"
    ),
    FilterReference("length", "", "how many entries a list has", "{{ tickets | length }}", "3"),
    FilterReference("count", "", "the same as length", "{{ tickets | count }}", "3"),
    FilterReference(
        "sum",
        "[attribute='...']",
        "all the numbers of a list together",
        "{{ tickets | sum(attribute='price') | money('CAD') }}",
        "181.00 CAD",
    ),
    FilterReference(
        "min",
        "[attribute='...']",
        "the smallest entry of a list",
        "{{ tickets | map(attribute='price') | min }}",
        "45.50",
    ),
    FilterReference(
        "max",
        "[attribute='...']",
        "the largest entry of a list",
        "{{ tickets | map(attribute='price') | max }}",
        "90",
    ),
    FilterReference(
        "selectattr",
        "field, test, value",
        "the entries of a list of which a field passes a test",
        "{{ tickets | selectattr('type', '==', 'VIP') | length }}",
        "1",
    ),
    FilterReference(
        "rejectattr",
        "field, test, value",
        "the entries of a list of which a field does not pass a test",
        "{{ tickets | rejectattr('type', '==', 'VIP') | length }}",
        "2",
    ),
    FilterReference(
        "select",
        "test, value",
        "the entries of a list that pass a test",
        f"{{{{ {_TYPES} | select('!=', 'VIP') | unique }}}}",
        "Standing",
    ),
    FilterReference(
        "reject",
        "test, value",
        "the entries of a list that do not pass a test",
        f"{{{{ {_TYPES} | reject('==', 'Standing') }}}}",
        "VIP",
    ),
    FilterReference(
        "list",
        "",
        "the letters of a text one by one; a list stays one",
        "{{ order.currency | list }}",
        "C, A, D",
    ),
    FilterReference(
        "round",
        "[places]",
        "a number without its fraction, or with so many places",
        "{{ order.total | round }}",
        "1235",
    ),
    FilterReference(
        "int", "", "a whole number; what is no number is 0", "{{ order.total | int }}", "1234"
    ),
    FilterReference(
        "abs", "", "a number without its minus", "{{ (0 - order.total) | abs }}", "1234.5"
    ),
    FilterReference("upper", "", "all in capitals", "{{ contact.first_name | upper }}", "PRIYA"),
    FilterReference(
        "lower", "", "all in small letters", "{{ contact.first_name | lower }}", "priya"
    ),
    FilterReference(
        "capitalize",
        "",
        "the first letter a capital, the others small",
        "{{ 'WINTER GALA' | capitalize }}",
        "Winter gala",
    ),
    FilterReference(
        "title",
        "",
        "the first letter of each word a capital; for people's names `name` is better",
        "{{ 'winter gala' | title }}",
        "Winter Gala",
    ),
    FilterReference("trim", "", "without blanks at its ends", "[{{ '  VIP ' | trim }}]", "[VIP]"),
    FilterReference(
        "truncate",
        "[length]",
        "the beginning of a long text, with ... behind it",
        "{{ 'Everybody is welcome at the Winter Gala' | truncate(24) }}",
        "Everybody is welcome...",
    ),
    FilterReference(
        "replace",
        "old, new",
        "one text for another, wherever it stands",
        "{{ tickets[0].event_name | replace('Winter', 'Summer') }}",
        "Summer Gala",
    ),
)

BY_NAME: Mapping[str, FilterReference] = {one.name: one for one in FILTER_REFERENCE}
