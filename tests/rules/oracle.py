"""Conditions decided the slow way, from the documents alone: none of the bridge's own code.

It reads `where` as it stands in YAML and an event's fields, and answers with a
tree of what holds. See "Conditions" in docs/rules-reference.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from bridge.event import Event

COMBINED = ("any", "all", "not")
OF_ENTRIES = ("where", "count", "sum")
OF_ALL = ("is_not", "present")
_LENGTHS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}


@dataclass(frozen=True)
class Line:
    """One condition: what it is (`test`, `entries`, `any`, `all`, `not`), and whether it holds.

    `where` is the condition by itself, as it could stand below `where`.
    """

    kind: str
    holds: bool
    where: Mapping[str, Any]
    parts: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Known:
    """The fields of an event, with one entry of a list under its own name, if any."""

    fields: Mapping[str, Any]
    lists: Mapping[str, Sequence[Any]]

    @classmethod
    def of(cls, event: Event, lists: Mapping[str, Sequence[Any]], **member: Any) -> Known:
        about = event.contact
        fields = {
            **event.facts,
            "contact": {name: getattr(about, name) for name in about.__dataclass_fields__},
            "event": {
                "id": event.id,
                "type": event.type,
                "source": event.source,
                "time": datetime.fromtimestamp(event.received_at or 0, UTC),
            },
            "raw": event.raw,
            **member,
        }
        return cls(fields, lists)

    def at(self, path: str) -> list[Any]:
        """What is known there: through a list, of each of its entries."""
        return list(_below(self.fields, path.split(".")))

    def entries(self, path: str) -> list[Known] | None:
        """What is known if one entry of the list is the only one; None: there is no list."""
        groups = [self.fields]
        *above, last = path.split(".")
        for name in above:
            groups = [group[name] for group in groups if isinstance(group.get(name), dict)]
        if not groups or groups[0].get(last) is None:
            return None
        return [self._with(path, entry) for entry in groups[0][last] if entry is not None]

    def _with(self, path: str, entry: Any) -> Known:
        fields = deepcopy(dict(self.fields))
        group = fields
        *above, last = path.split(".")
        for name in above:
            group = group[name]
        group[last] = [entry]
        return Known(fields, self.lists)


def _below(value: Any, names: Sequence[str]) -> Any:
    if isinstance(value, list | tuple):
        for entry in value:
            yield from _below(entry, names)
    elif names:
        if isinstance(value, dict) and names[0] in value:
            yield from _below(value[names[0]], names[1:])
    elif value is not None:
        yield value


def lines(where: Mapping[str, Any], known: Known) -> list[Line]:
    """One for each condition, in the order in which they stand."""
    found: list[Line] = []
    for name, wanted in where.items():
        if name in COMBINED:
            found.append(_combined(name, wanted, known, None))
        elif not isinstance(wanted, dict):
            operator = "one_of" if isinstance(wanted, list) else "is"
            found.append(_test(name, {operator: wanted}, known))
        else:
            asked = {key: value for key, value in wanted.items() if key in OF_ENTRIES}
            found += [_entries(name, asked, known)] if asked else []
            left = (*COMBINED, *OF_ENTRIES)
            plain = {key: value for key, value in wanted.items() if key not in left}
            plain = {"is": plain} if plain.keys() == {"field"} else plain
            found += [_test(name, plain, known)] if plain else []
            found += [_combined(key, wanted[key], known, name) for key in COMBINED if key in wanted]
    return found


def _combined(kind: str, wanted: Any, known: Known, field: str | None) -> Line:
    where = {kind: wanted} if field is None else {field: {kind: wanted}}
    several = [wanted] if kind == "not" else wanted
    parts = tuple(_together(each, known, field) for each in several)
    holds = {
        "any": any(part.holds for part in parts),
        "all": all(part.holds for part in parts),
        "not": not parts[0].holds,
    }[kind]
    return Line(kind, holds, where, parts)


def _together(wanted: Any, known: Known, field: str | None) -> Line:
    """An entry of a combination: all that it says must hold."""
    where = wanted if field is None else {field: wanted}
    found = lines(where, known)
    if len(found) == 1:
        return found[0]
    return Line("all", all(one.holds for one in found), where, tuple(found))


def _test(path: str, operators: Mapping[str, Any], known: Known) -> Line:
    values = known.at(path)
    of_all = [
        _of_all(name, wanted, values, known) for name, wanted in operators.items() if name in OF_ALL
    ]
    of_one = {name: wanted for name, wanted in operators.items() if name not in OF_ALL}
    same_entry = any(
        all(_of_one(name, value, wanted, known) for name, wanted in of_one.items())
        for value in values
    )
    return Line("test", all(of_all) and (not of_one or same_entry), {path: dict(operators)})


def _entries(path: str, asked: Mapping[str, Any], known: Known) -> Line:
    """How many entries there are that fulfil `where`, and what their fields come to."""
    where = _in_full(asked.get("where", {}), path)
    entries = known.entries(path)
    fitting = [one for one in entries or () if all(each.holds for each in lines(where, one))]
    count = [] if entries is None else [len(fitting)]
    holds = _is_number(asked.get("count", {"at_least": 1}), count, known)
    for name, wanted in asked.get("sum", {}).items():
        values = [one.at(f"{path}.{name}") for one in fitting]
        sums = [sum(_fractions(some)) for some in values if some]
        is_whole = entries is not None and len(sums) == len(values)
        rising = entries is not None and all(one >= 0 for one in sums)
        holds = holds and _is_sum(wanted, sum(sums), is_whole, rising, known)
    return Line("entries", holds, {path: dict(asked)})


def _fractions(values: Sequence[Any]) -> list[Fraction]:
    return [number for value in values if (number := _number(value)) is not None]


def _is_sum(wanted: Any, known_sum: Any, is_whole: bool, rising: bool, known: Known) -> bool:
    operators = wanted if isinstance(wanted, dict) else {"is": wanted}
    for name, each in operators.items():
        reached = rising and name in ("at_least", "more_than")
        values = [known_sum] if is_whole or reached else []
        if not _is_number({name: each}, values, known):
            return False
    return True


def _is_number(wanted: Any, values: Sequence[Any], known: Known) -> bool:
    operators = wanted if isinstance(wanted, dict) else {"is": wanted}
    return _test("number", operators, Known({"number": values}, known.lists)).holds


def _in_full(where: Any, path: str) -> Any:
    """The conditions of an entry with the list before the name of each field."""
    if isinstance(where, list):
        return [_in_full(one, path) for one in where]
    return {
        name if name in COMBINED else f"{path}.{name}": (
            _in_full(wanted, path) if name in COMBINED else wanted
        )
        for name, wanted in where.items()
    }


def _of_all(operator: str, wanted: Any, values: Sequence[Any], known: Known) -> bool:
    if isinstance(wanted, dict):
        others = known.at(wanted["field"])
        return bool(values and others) and not any(
            _is(value, other) for value in values for other in others
        )
    if operator == "is_not":
        return all(not _is(value, wanted) for value in values)
    there = [value for value in values if value != "" and value != {}]
    return bool(there) == _yes(wanted)


def _of_one(operator: str, value: Any, wanted: Any, known: Known) -> bool:
    if isinstance(wanted, dict):
        others = known.at(wanted["field"])
        return any(_of_one(operator, value, other, known) for other in others)
    if operator == "one_of":
        several = known.lists[wanted] if isinstance(wanted, str) else wanted
        return any(_is(value, one) for one in several)
    if operator in ("before", "after"):
        return _is_before_or_after(operator, value, wanted, known)
    if operator == "within":
        return _is_within(value, wanted, known)
    if operator in _SIMPLE:
        return _SIMPLE[operator](value, wanted)
    if operator in _ORDERED:
        one, other = _number(value), _number(wanted)
        return one is not None and other is not None and _ORDERED[operator](one, other)
    return isinstance(value, str) and _is_spelled(operator, _seen(value), _seen(str(wanted)))


def _exactly(value: Any, wanted: Any) -> bool:
    both = isinstance(value, str) and isinstance(wanted, str)
    return _blanks(value) == _blanks(wanted) if both else _is(value, wanted)


def _is_of(value: Any, wanted: Any) -> bool:
    several = wanted if isinstance(wanted, list) else [wanted]
    return COUNTRIES.get(value) in [_LETTERS.get(one, one) for one in several]


_ORDERED = {
    "at_least": lambda one, other: one >= other,
    "at_most": lambda one, other: one <= other,
    "more_than": lambda one, other: one > other,
    "less_than": lambda one, other: one < other,
}
COUNTRIES = {
    "+1 403 555 0142": "CA",
    "(403) 555-0142": "CA",
    "+1 212 555 0142": "US",
    "+44 20 7946 0958": "GB",
    "+1 800 555 0142": None,
    "none": None,
}
"""The countries of some numbers, as their numbering plans say, at home in Canada."""
_LETTERS = {"Canada": "CA", "uk": "GB"}


def _is_between(value: Any, wanted: Any) -> bool:
    low, high = wanted
    if isinstance(value, datetime):
        return _day(low)[0] <= value <= _day(high)[1]
    number, first, last = _number(value), _number(low), _number(high)
    return (
        number is not None and first is not None and last is not None and (first <= number <= last)
    )


_SIMPLE = {
    "is": lambda value, wanted: _is(value, wanted),
    "exactly": _exactly,
    "country": _is_of,
    "between": _is_between,
}


def _blanks(text: str) -> str:
    """Each run of white space is one blank; those at the ends are none."""
    return re.sub(r"\s+", " ", text.replace("\u200b", "")).strip()


def _seen(text: str) -> str:
    return _blanks(text).lower()


def _is_spelled(operator: str, text: str, wanted: str) -> bool:
    if operator == "contains":
        return text.find(wanted) >= 0
    if operator == "starts_with":
        return text[: len(wanted)] == wanted
    if operator == "ends_with":
        return text[len(text) - len(wanted) :] == wanted if len(text) >= len(wanted) else False
    return _fits(text, wanted)


def _fits(text: str, pattern: str) -> bool:
    """`*` is any text, `?` any one character, and everything else itself."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(_fits(text[at:], pattern[1:]) for at in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and _fits(text[1:], pattern[1:])


def _is(value: Any, wanted: Any) -> bool:
    if isinstance(value, bool) or isinstance(wanted, bool):
        return _yes(value) is not None and _yes(value) == _yes(wanted)
    if isinstance(value, str) and isinstance(wanted, str):
        return _seen(value) == _seen(wanted)
    if isinstance(value, datetime):
        if isinstance(wanted, datetime):
            return value == wanted
        begin, end = _day(wanted)
        return begin <= value <= end
    one, other = _number(value), _number(wanted)
    return one is not None and one == other


def _yes(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    words = {"yes": True, "true": True, "no": False, "false": False}
    return words.get(value.lower()) if isinstance(value, str) else None


def _number(value: Any) -> Fraction | None:
    if isinstance(value, bool | datetime):
        return None
    if isinstance(value, Fraction):
        return value
    try:
        return Fraction(str(value))
    except ValueError:
        return None


def _day(wanted: str) -> tuple[datetime, datetime]:
    """The first and the last moment that is meant: of a day in UTC, or one and the same."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", wanted):
        begin = datetime.strptime(wanted, "%Y-%m-%d").replace(tzinfo=UTC)
        return begin, begin + timedelta(days=1) - timedelta(microseconds=1)
    moment = datetime.fromisoformat(wanted)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment, moment


def _is_before_or_after(operator: str, value: Any, wanted: str, known: Known) -> bool:
    if not isinstance(value, datetime):
        return False
    if isinstance(wanted, datetime):
        return value < wanted if operator == "before" else value > wanted
    several = _relative(wanted, known)
    if several is None:
        begin, end = _day(wanted)
        return value < begin if operator == "before" else value > end
    return any(value < one if operator == "before" else value > one for one in several)


def _relative(wanted: str, known: Known) -> list[datetime] | None:
    """The moments that are meant by a time that counts from another; None: it is none."""
    received = known.at("event.time")
    words = wanted.split()
    if wanted == "now":
        return received
    if words[0] == "in":
        return [one + _length(words[1], words[2]) for one in received]
    if words[-1] == "ago":
        return [one - _length(words[0], words[1]) for one in received]
    if len(words) == 4:
        sign = -1 if words[2] == "before" else 1
        bases = [one for one in known.at(words[3]) if isinstance(one, datetime)]
        return [one + sign * _length(words[0], words[1]) for one in bases]
    return None


def _length(count: str, unit: str) -> timedelta:
    return timedelta(seconds=float(count) * _LENGTHS[unit.rstrip("s")])


def _is_within(value: Any, wanted: str, known: Known) -> bool:
    """`7 days`, `7 days of FIELD`, `7 days before FIELD`, `7 days after FIELD`."""
    if not isinstance(value, datetime):
        return False
    count, unit, *rest = wanted.split()
    side, field = rest if rest else ("of", "event.time")
    length = _length(count, unit)
    for base in known.at(field):
        if not isinstance(base, datetime):
            continue
        early, late = base - length, base + length
        if side == "before":
            late = base
        if side == "after":
            early = base
        if early <= value <= late:
            return True
    return False
