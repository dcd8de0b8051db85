"""Reads `where`: paths and operators to conditions, with everything that is wrong about them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from datetime import tzinfo
from itertools import count
from typing import Any

from bridge.findings import Findings
from bridge.rules import slips, taken_literally, values
from bridge.rules.conditions import (
    OPERATORS,
    All,
    AnyOf,
    Comparison,
    Condition,
    Not,
    Other,
    Test,
)
from bridge.rules.countries import Country, country_named, is_telephone
from bridge.rules.entries_reader import ASKED_OF_ENTRIES, EntriesReader
from bridge.rules.objections import COMBINERS as COMBINERS  # for those who read conditions too
from bridge.rules.objections import (
    COMPARES_FIELDS,
    KIND_WORDS,
    NO_CONDITION,
    first_wrong,
    objection,
    wrong_for_fields,
    wrong_pair,
)
from bridge.rules.objections import kinds_of as kinds_of
from bridge.rules.operators_meant import combiner_meant, value_meant
from bridge.rules.relative import RECEIVED, relative, within
from bridge.rules.values import When
from bridge.rules.vocabulary import Shape, Vocabulary
from bridge.wording import as_written, flow, meant, nearest, quoted
from bridge.yaml_text import Path

MOST_CONDITIONS = 500
_DEEPEST = 24
_DATED = re.compile(r"\s*[0-9]{4}-", re.ASCII)
_TIMED = ("before", "after", "within")
_COUNTS = ("count", "length", "size", "number", "len")
_EVERYWHERE = ("contact", "event", "raw")
_Read = Callable[[Any, Path], tuple[Condition, ...]]


Lists = Mapping[str, tuple[Any, ...]]


class WhereReader:
    """Reads the conditions of one rule; `lists` are those that `one_of` may name.

    Days are days in `zone`, and times that name no zone are in it. `member` is what the rule
    calls an entry of its `for_each`, `home` the country of telephone numbers that do not say it.
    `is_sent`: it is compared with what is sent, not with an event.
    """

    def __init__(
        self,
        findings: Findings,
        vocabulary: Vocabulary,
        lists: Lists,
        zone: tzinfo,
        member: str = "",
        home: str | None = None,
        *,
        is_sent: bool = False,
    ) -> None:
        self._is_sent = is_sent
        self._zone = zone
        self._findings = findings
        self._vocabulary = vocabulary
        self._member = member
        self._home = home
        self._lists = lists
        self._whole = vocabulary
        self._inside = ""
        self._counted = count(1)

    def of_entry(self, path: str) -> WhereReader:
        """One that reads what an entry of the list must be like, by the names of its fields."""
        reader = copy(self)
        reader._vocabulary = self._vocabulary.of_entry(path.removeprefix(self._inside))
        reader._inside = f"{path}."
        return reader

    def read(self, where: Any, path: Path) -> tuple[Condition, ...]:
        """The conditions of a mapping of paths; what is wrong is left out and found."""
        if not isinstance(where, dict):
            self._add(path, *self._no_conditions(where))
            return ()
        return tuple(self._conditions(where, path))

    def _no_conditions(self, where: Any) -> tuple[str, str]:
        example = self._example()
        if isinstance(where, list):
            advice = f"write each on a line of its own, without `- `, such as {example}"
            return "conditions stand here as a list", advice
        if where is None:
            return "there is no condition here", f"write one, such as {example}"
        return f"{as_written(where)} is no condition", f"write `field: value`, such as {example}"

    def _example(self) -> str:
        """A condition that is possible here."""
        own = [one for one in self._vocabulary.paths() if one.partition(".")[0] not in _EVERYWHERE]
        for path in own:
            shape = self._vocabulary.find(path)
            if shape and shape.kind in ("money", "number"):
                return f"{path}: {{at_least: 100}}"
        return "contact.email: {present: true}"

    def _conditions(self, where: dict[str, Any], path: Path) -> Iterator[Condition]:
        above = ""
        for name, wanted in where.items():
            place = (*path, name)
            if above and name in OPERATORS:
                what = f"`{name}` belongs to `{above}`, and is not indented further than it"
                self._findings.add(place, what, "indent this line further", at_key=True)
                continue
            above = name if wanted is None else ""
            if above and _next(where, name) in OPERATORS:
                continue
            number = next(self._counted)
            if number > MOST_CONDITIONS:
                self._too_many(number, place)
                return
            if name in COMBINERS:
                yield from self._combined(name, wanted, place, self.read)
                continue
            shape = self._shape(name, place)
            if shape is not None:
                yield from self._of_field(name, shape, wanted, place)

    def _too_many(self, number: int, path: Path) -> None:
        if number == MOST_CONDITIONS + 1:
            what = f"a rule has at most {MOST_CONDITIONS} conditions"
            self._findings.add(path, what, "leave some out, or name a list of `lists` in one")

    def _shape(self, field: str, path: Path) -> Shape | None:
        shape = self._vocabulary.find(field)
        if shape is None:
            self._findings.add(path, *self._no_field(field), at_key=True)
        return shape

    def _no_field(self, field: str) -> tuple[str, str]:
        combined, combiner = combiner_meant(field), nearest(field, COMBINERS)
        if combined or (combiner and "." not in field):
            advice = combined or f"did you mean `{combiner}`?"
            return f"there is no field {quoted(field)}", advice
        if field in OPERATORS:
            what = f"`{field}` belongs to a field, which is missing here"
            return what, f"write it like {self._example()}"
        what, advice = self._vocabulary.unknown(field)
        above, _, name = field.rpartition(".")
        if name.casefold() in _COUNTS and above in self._vocabulary.lists():
            advice = f"for the number of entries write `{above}: {{count: ...}}`"
        return what, advice

    def _of_field(self, field: str, shape: Shape, wanted: Any, path: Path) -> Iterator[Condition]:
        if wanted is None or wanted == {}:
            self._add(path, f"`{field}` has no condition", NO_CONDITION)
        elif not isinstance(wanted, dict) or _is_other(wanted):
            operator = "one_of" if isinstance(wanted, list) else "is"
            yield from self._test(field, shape, {operator: wanted}, path, bare=True)
        else:
            yield from self._asked_of(field, shape, wanted, path)

    def _asked_of(
        self, field: str, shape: Shape, wanted: dict[str, Any], path: Path
    ) -> Iterator[Condition]:
        is_list = shape.kind in ("list", "anything")
        of_entries = wanted.keys() & set(ASKED_OF_ENTRIES) if is_list else frozenset()
        if of_entries:
            yield from self._entries.read(f"{self._inside}{field}", shape, wanted, path)
        left_out = {*COMBINERS, *of_entries}
        plain = {name: value for name, value in wanted.items() if name not in left_out}
        if not self._without_where(field, shape, plain, path):
            yield from self._test(field, shape, plain, path) if plain else ()

        def read(part: Any, place: Path) -> tuple[Condition, ...]:
            return tuple(self._of_field(field, shape, part, place))

        for name in COMBINERS:
            if name in wanted:
                yield from self._combined(name, wanted[name], (*path, name), read)

    def _without_where(self, field: str, shape: Shape, wanted: dict[str, Any], path: Path) -> bool:
        """Fields of the entries are told of, which stand where operators do."""
        own = {name: wanted[name] for name in wanted if name in shape.parts}
        if shape.kind != "list" or not own or set(own) & set(OPERATORS):
            return False
        listed = " and ".join(f"`{name}`" for name in own)
        is_or_are = "is a field" if len(own) == 1 else "are fields"
        what = f"{listed} {is_or_are} of the entries of `{self._inside}{field}`"
        advice = f"write `{field}: {flow({'where': own})}`"
        self._findings.add((*path, next(iter(own))), what, advice, at_key=True)
        return True

    def _combined(self, name: str, wanted: Any, path: Path, read: _Read) -> Iterator[Condition]:
        """`read` reads one part, of the whole event or of one field."""
        if len(path) > _DEEPEST:
            self._add(path, "conditions are nested too deeply here", "make two rules of it")
        elif name == "not" and _are_conditions(wanted):
            what = "`not` takes no list of conditions"
            self._add(
                path,
                what,
                "to leave out all of them write `any:` above them, and indent them further",
            )
        elif name == "not":
            parts = read(wanted, path)
            yield from [Not(_together(parts))] if parts else []
        elif not isinstance(wanted, list) or not wanted:
            what = f"`{name}` must be a list of conditions"
            self._add(path, what, f"begin each with `- `, such as `- {self._example()}`")
        else:
            several = [read(part, (*path, number)) for number, part in enumerate(wanted)]
            parts = tuple(_together(part) for part in several if part)
            yield from [AnyOf(parts) if name == "any" else All(parts)] if parts else []

    @property
    def _entries(self) -> EntriesReader:
        return EntriesReader(self._findings, self.of_entry, self._comparisons)

    def _is_member_of_another(self, named: str) -> bool:
        """Whether it is the entry of `for_each`, which is nothing among those of a list."""
        first = named.partition(".")[0]
        return bool(self._inside) and first == self._member != self._inside.partition(".")[0]

    def _of_another(self, named: str) -> tuple[str, str]:
        what = f"`{named}` cannot be named in conditions on the entries of another list"
        return what, "name a field of the event, or one of the same entry"

    def _test(
        self, field: str, shape: Shape, wanted: dict[str, Any], path: Path, *, bare: bool = False
    ) -> Iterator[Test]:
        comparisons = self._comparisons(field, shape, wanted, path, bare=bare)
        if comparisons:
            stands = self._findings.document.mistake(path, "", at_key=True)
            yield Test(f"{self._inside}{field}", comparisons, stands.line, stands.column)

    def _comparisons(
        self, field: str, shape: Shape, wanted: dict[str, Any], path: Path, *, bare: bool = False
    ) -> tuple[Comparison, ...]:
        """`bare`: the value stands at the path without an operator."""
        comparisons = []
        for operator, expected in wanted.items():
            place = path if bare else (*path, operator)
            named = self._named(operator, expected, place)
            if named is not None:
                comparisons.append(Comparison(operator, self._listed(shape, named), named))
                self._warn(shape, operator, self._lists[named], place)
            elif _is_other(expected) and operator in OPERATORS:
                other = self._other(field, shape, operator, expected["field"], place)
                comparisons += [Comparison(operator, other)] if other else []
            elif self._is_template(operator, expected, place):
                continue
            elif self._fits(field, shape, operator, expected, place):
                self._warn(shape, operator, expected, place)
                comparisons.append(Comparison(operator, self._expected(shape, operator, expected)))
                self._doubt(shape, operator, expected, place)
                self._doubt_telephone(field, shape, operator, place)
                if operator in ("present", "country") or shape.kind == "yes/no":
                    # Norway is NO.
                    self._taken(expected, place)
        return tuple(comparisons)

    def _taken(self, expected: Any, path: Path) -> None:
        several = range(len(expected)) if isinstance(expected, list) else ()
        for place in (path, *((*path, number) for number in several)):
            self._findings.taken(place)

    def _is_template(self, operator: str, expected: Any, path: Path) -> bool:
        what, advice = taken_literally.template(operator, expected)
        if what:
            self._add(path, what, advice)
        return bool(what)

    def _warn(self, shape: Shape, operator: str, expected: Any, path: Path) -> None:
        """Of what is compared with an event; what is sent may hold any sign."""

        def is_field(name: str) -> bool:
            found = self._whole.find(name)
            return found is not None and not found.free

        if not self._is_sent:
            for what, advice in taken_literally.warnings(shape, operator, expected, is_field):
                self._findings.warn(path, what, advice)

    def _doubt(self, shape: Shape, operator: str, expected: Any, path: Path) -> None:
        """A text to compare with that reads like a condition."""
        if operator != "is" or shape.kind != "text" or not isinstance(expected, str):
            return
        meaning = f"{{one_of: {expected}}}" if expected in self._lists else value_meant(expected)
        if meaning:
            what = f"this compares with the text {quoted(expected)}, word for word"
            self._findings.warn(path, what, f"write {meaning} if that is meant")

    def _doubt_telephone(self, field: str, shape: Shape, operator: str, path: Path) -> None:
        """A country is that of a telephone number; below what is free anything may be one."""
        if operator == "country" and shape.kind != "anything" and not is_telephone(field):
            what = (
                f"`{self._inside}{field}` is no telephone number by its name, so it has no country"
            )
            phones = [one for one in self._vocabulary.paths() if is_telephone(one)]
            phones.sort(key=lambda one: not one.startswith("contact."))
            advice = f"name {' or '.join(f'`{one}`' for one in phones[:4])}" if phones else ""
            self._findings.warn(path, what, advice or "name a field of telephone numbers")

    def _other(
        self, field: str, shape: Shape, operator: str, named: Any, path: Path
    ) -> Other | None:
        """The field that one is compared with, if it can be."""
        what, advice = self._wrong_other(field, shape, operator, named)
        if what:
            self._add(path, what, advice)
        return None if what else Other(named, self._zone)

    def _wrong_other(self, field: str, shape: Shape, operator: str, named: Any) -> tuple[str, str]:
        what, advice = wrong_for_fields(field, shape, operator, named)
        if what:
            return what, advice
        own = f"{self._inside}{field}"
        other = self._whole.find(named)
        if other is None:
            if self._inside and self._vocabulary.find(named):
                return "`field` names fields in full", f"write {{field: {self._inside}{named}}}"
            return self._whole.unknown(named)
        if self._is_member_of_another(named):
            return self._of_another(named)
        if named == own:
            return f"`{own}` is compared with itself", "name another field"
        return wrong_pair(own, shape, operator, named, other)

    def _listed(self, shape: Shape, name: str) -> tuple[Any, ...]:
        entries = self._lists[name]
        made = tuple(self._dated(shape, one) for one in entries)
        return made if any(isinstance(one, When) for one in made) else entries

    def _expected(self, shape: Shape, operator: str, expected: Any) -> Any:
        """What an event is compared with."""
        if operator == "country":
            several = expected if isinstance(expected, list) else [expected]
            codes = (country_named(one) for one in several)
            return Country(tuple(one for one in codes if one), self._home)
        if operator in ("one_of", "between"):
            return tuple(self._dated(shape, one) for one in expected)
        if operator == "present":
            return values.truth(expected)
        if operator == "within":
            return within(expected, self._zone)
        if operator in ("before", "after"):
            told = relative(expected, self._zone)
            return told or values.when(expected, self._zone) or expected
        return self._dated(shape, expected) if operator in ("is", "is_not") else expected

    def _dated(self, shape: Shape, expected: Any) -> Any:
        """A day or a time, of a field that may hold one; digits alone may be an id."""
        may_be = shape.kind == "date" or (
            shape.kind == "anything" and isinstance(expected, str) and _DATED.match(expected)
        )
        return (values.when(expected, self._zone) if may_be else None) or expected

    def _named(self, operator: str, expected: Any, path: Path) -> str | None:
        """The list that `one_of` names, if it does and there is one."""
        if operator != "one_of" or not isinstance(expected, str):
            return None
        if expected in self._lists:
            return expected
        return None

    def _fits(self, field: str, shape: Shape, operator: str, expected: Any, path: Path) -> bool:
        what, advice = self._objection(field, shape, operator, expected)
        if what:
            unknown = operator not in OPERATORS
            at = first_wrong(field, shape, expected) if operator == "one_of" else ()
            self._findings.add((*path, *at), what, advice, at_key=unknown)
        return not what

    def _objection(self, field: str, shape: Shape, operator: str, expected: Any) -> tuple[str, str]:
        if operator not in OPERATORS and self._vocabulary.find(operator):
            what = f"`{operator}` is a field, and stands too far to the right"
            return what, f"begin it where `{field}` begins"
        if operator in ASKED_OF_ENTRIES:
            what = f"`{field}` is {KIND_WORDS[shape.kind]}, and `{operator}` is asked of a list"
            lists = self._vocabulary.lists()
            above, _, name = field.rpartition(".")
            if operator == "sum" and above in lists:
                return what, f"write `{above}: {{sum: {{{name}: {flow(expected)}}}}}`"
            return what, meant(operator, lists) if lists else f"leave `{operator}` out"
        if operator == "one_of" and isinstance(expected, str) and shape.kind != "group":
            return self._no_list(expected)
        what, advice = objection(field, shape, operator, expected)
        if what and self._is_comparable(shape, operator, expected):
            advice = f"write {flow({operator: {'field': expected}})} if the field is meant"
        return (what, advice) if what else self._wrong_base(operator, expected)

    def _is_comparable(self, shape: Shape, operator: str, expected: Any) -> bool:
        """Whether it is the name of a field with which this one could be compared."""
        other = (
            self._whole.find(expected) if isinstance(expected, str) and "." in expected else None
        )
        if other is None or other.free or operator not in COMPARES_FIELDS:
            return False
        return not wrong_pair("", shape, operator, expected, other)[0]

    def _no_list(self, name: str) -> tuple[str, str]:
        several = slips.list_meant(name)
        if "," in several:
            return "`one_of` needs a list", f"write {several}"
        near = meant(name, self._lists)
        listed = f"write {{one_of: [one, two]}}, or `{quoted(name)[1:-1]}: [one, two]` in `lists:`"
        return f"there is no list {quoted(name)} in `lists:`", (
            near if near.endswith("?") else listed
        )

    def _wrong_base(self, operator: str, expected: Any) -> tuple[str, str]:
        """The field that a time counts from must be there, and be a date."""
        told = within(expected) if operator == "within" else relative(expected)
        if operator not in _TIMED or told is None or told.field == RECEIVED:
            return "", ""
        if self._is_member_of_another(told.field):
            return self._of_another(told.field)
        shape = self._whole.find(told.field)
        if shape is None:
            return self._whole.unknown(told.field)
        if shape.kind not in ("date", "anything"):
            what = f"`{told.field}` is {KIND_WORDS[shape.kind]}, not a date"
            return what, meant(told.field, self._whole.dates())
        return "", ""

    def _add(self, path: Path, what: str, advice: str = "") -> None:
        self._findings.add(path, what, advice)


def _is_other(wanted: Any) -> bool:
    """`{field: contact.email}`."""
    return isinstance(wanted, dict) and wanted.keys() == {"field"}


def _next(where: dict[str, Any], name: str) -> str:
    names = [*where, ""]
    return names[names.index(name) + 1]


def _are_conditions(wanted: Any) -> bool:
    return isinstance(wanted, list) and any(isinstance(one, dict) for one in wanted)


def _together(parts: tuple[Condition, ...]) -> Condition:
    return parts[0] if len(parts) == 1 else All(parts)
