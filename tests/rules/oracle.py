"""Conditions decided the slow way, from the documents alone: none of the bridge's own code.

It reads `where` as it stands in YAML and an event's fields, and answers with a
tree of what holds. See "Conditions" in docs/rules-reference.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from bridge.event import Event

COMBINED = ("any", "all", "not")
OF_ALL = ("is_not", "present")
_LENGTHS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}


@dataclass(frozen=True)
class Line:
    """One condition: what it is (`test`, `any`, `all`, `not`), and whether it holds.

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
            plain = {key: value for key, value in wanted.items() if key not in COMBINED}
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
    of_all = [_of_all(name, wanted, values) for name, wanted in operators.items() if name in OF_ALL]
    of_one = {name: wanted for name, wanted in operators.items() if name not in OF_ALL}
    same_entry = any(
        all(_of_one(name, value, wanted, known) for name, wanted in of_one.items())
        for value in values
    )
    return Line("test", all(of_all) and (not of_one or same_entry), {path: dict(operators)})


def _of_all(operator: str, wanted: Any, values: Sequence[Any]) -> bool:
    if operator == "is_not":
        return all(not _is(value, wanted) for value in values)
    there = [value for value in values if value != "" and value != {}]
    return bool(there) == _yes(wanted)


def _of_one(operator: str, value: Any, wanted: Any, known: Known) -> bool:
    if operator == "is":
        return _is(value, wanted)
    if operator == "exactly":
        return value == wanted if isinstance(value, str) else _is(value, wanted)
    if operator == "one_of":
        several = known.lists[wanted] if isinstance(wanted, str) else wanted
        return any(_is(value, one) for one in several)
    if operator in ("at_least", "at_most"):
        one, other = _number(value), _number(wanted)
        if one is None or other is None:
            return False
        return one >= other if operator == "at_least" else one <= other
    if operator in ("before", "after"):
        return _is_before_or_after(operator, value, wanted, known)
    if operator == "within":
        return _is_within(value, wanted, known)
    return isinstance(value, str) and _is_spelled(operator, value.lower(), str(wanted).lower())


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
        return value.lower() == wanted.lower()
    if isinstance(value, datetime):
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
