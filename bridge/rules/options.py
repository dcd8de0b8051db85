"""Reads what a rule says beside `when`, `do` and its times: for whom, and how often."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo

from bridge import days
from bridge.findings import Findings, Model
from bridge.rules.conditions import glob
from bridge.rules.misplaced import tell_of_ends
from bridge.rules.records import Between, ForEach, OncePer, Same, Unless
from bridge.rules.relative import duration
from bridge.rules.schema import BetweenText, OnceText, UnlessText
from bridge.rules.slips import day_meant, days_meant, length_trouble, list_meant
from bridge.rules.template_check import check
from bridge.rules.templates import Text, compile_key, is_template
from bridge.rules.vocabulary import Vocabulary, member_name
from bridge.source import Source
from bridge.wording import as_written, meant, quoted
from bridge.yaml_text import Path

_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,4})?)\s*%?", re.ASCII)
_ONCE = ("contact", "transaction", "event")
_ONCE_ADVICE = (
    "write contact, transaction, event (the show), or a text such as "
    '"{{ contact.email }} {{ event.type }}"'
)
_BETWEEN_ADVICE = "write it like {from: 2027-01-01, to: 2027-02-28}"


_ONCE_ALIASES = {
    **dict.fromkeys(("person", "people", "customer", "buyer", "email", "contact.email"), "contact"),
    **dict.fromkeys(("order", "invoice", "purchase", "order.id", "sale"), "transaction"),
    **dict.fromkeys(("show", "concert", "performance"), "event"),
}
_ONCE_IN = re.compile(r"(\w+)\s*(?:,|in|within|per|every|each)\s*(\d+ [a-z]+)")


def _once_meant(written: str) -> str:
    """`person` -> `contact`, `contact in 30 days` -> `{of: contact, within: 30 days}`."""
    alias = _ONCE_ALIASES.get(written.casefold())
    if alias:
        return f"did you mean `{alias}`?"
    found = _ONCE_IN.fullmatch(written.strip().casefold())
    of = _ONCE_ALIASES.get(found[1], found[1]) if found else ""
    return f"write {{of: {of}, within: {found[2]}}}" if found and of in _ONCE else ""


def _day_after(day: date, zone: tzinfo) -> datetime | None:
    """The first moment of it; None after the last day of the calendar, which is never over."""
    return days.midnight(day + timedelta(days=1), zone) if day < date.max else None


class OptionsReader:
    """Reads the options of one rule; what is wrong is found, and left out.

    `zone` is the files' `time_zone`.
    """

    def __init__(self, findings: Findings, zone: str) -> None:
        self._findings = findings
        self._zone = zone

    def for_each(self, wanted: Any, vocabulary: Vocabulary, path: Path) -> ForEach | None:
        if not isinstance(wanted, str):
            return None
        lists = vocabulary.lists()
        if wanted in lists:
            return ForEach(wanted, member_name(wanted))
        what = f"`for_each` needs a list, and {quoted(wanted)} is not one in {vocabulary.about}"
        self._add((*path, "for_each"), what, meant(wanted, lists) if lists else "leave it out")
        return None

    def between(self, wanted: Any, path: Path) -> Between | None:
        if not isinstance(wanted, dict):
            return None
        place = (*path, "only_between")
        if tell_of_ends(self._findings, wanted, place):
            return None
        meant_days = {
            name: f"write {day}"
            for name, one in wanted.items()
            if (day := day_meant(one) or days_meant(one))
        }
        valid = self._findings.validated(
            BetweenText, wanted, place, advice=meant_days, no_empty=True
        )
        if valid is None:
            return None
        if valid.start is None and valid.end is None:
            self._add(place, "`only_between` names no day", _BETWEEN_ADVICE)
            return None
        if valid.start and valid.end and valid.start > valid.end:
            self._add(place, "`only_between` ends before it begins", "exchange the two days")
            return None
        zone = ZoneInfo(self._zone)
        start, end = valid.start, valid.end
        stands = self._findings.document.mistake(place, "", at_key=True)
        said = " ".join([*([f"from {start}"] if start else []), *([f"to {end}"] if end else [])])
        return Between(
            days.midnight(start, zone) if start else None,
            _day_after(end, zone) if end else None,
            f"{said} in {zone}",
            stands.line,
            stands.column,
        )

    def sample(self, wanted: Any, path: Path) -> float | None:
        if wanted is None:
            return None
        text = "" if isinstance(wanted, bool) else str(wanted).strip()
        found = _PERCENT.fullmatch(text)
        if found and "%" not in text and 0 < float(found[1]) < 1:
            what = f"{quoted(text)} can be read as two shares of people"
            share = f"{float(found[1]) * 100:g}%"
            self._add((*path, "sample"), what, f"write {share}, or {found[1]}% if so few are meant")
            return None
        if found and 0 < float(found[1]) <= 100:
            return float(found[1])
        what = f"{as_written(wanted)} is no share of people: it must be above 0% and at most 100%"
        self._add((*path, "sample"), what, "write it like `sample: 10%`")
        return None

    def once(
        self, wanted: Any, words: Vocabulary, source: str | None, path: Path
    ) -> OncePer | None:
        """`source` names what sources have no shows, where the rule is about any of them."""
        if wanted is None:
            return None
        place = (*path, "once_per")
        if isinstance(wanted, str):
            wanted = {"of": wanted}
            inner = place
        else:
            inner = (*place, "of")
        valid = self._validated(OnceText, wanted, place, "once_per: contact")
        if valid is None:
            return None
        period = self._period(valid.within, (*place, "within"))
        said = valid.of + (f" in {valid.within}" if valid.within else "")
        if valid.of in _ONCE:
            if valid.of == "event" and source:
                what = f"{source} does not say which show it is about, so `once_per: event`"
                self._add(inner, f"{what} is not possible", "write contact or transaction")
            of = cast(Literal["contact", "transaction", "event"], valid.of)
            return OncePer(of, period, said)
        if not is_template(valid.of):
            what = f"`once_per` cannot be {quoted(valid.of)}"
            near = _once_meant(valid.of) or meant(valid.of, _ONCE)
            told = near.endswith("?") or near.startswith("write")
            self._add(inner, what, near if told else _ONCE_ADVICE)
            return None
        text = self._text(valid.of, words, inner)
        return OncePer("text", period, said, text) if text else None

    def unless(self, wanted: Any, sources: Sequence[type[Source]], path: Path) -> Unless | None:
        if wanted is None:
            return None
        place = (*path, "unless")
        short = isinstance(wanted, str | list)
        wanted = {"event": wanted} if short else wanted
        valid = self._validated(UnlessText, wanted, place, "unless: invoice.refund")
        if valid is None:
            return None
        inner = place if short else (*place, "event")
        self._check_types(valid.event, sources, inner)
        if valid.same not in ("transaction", "contact"):
            advice = meant(valid.same, ("transaction", "contact"))
            what = f"{quoted(valid.same)} is neither transaction nor contact"
            self._add((*place, "same"), what, advice)
            return None
        return Unless(tuple(valid.event), cast(Same, valid.same))

    def _validated(self, model: type[Model], wanted: Any, path: Path, example: str) -> Model | None:
        """What may stand there as a single value, or as lines of its own."""
        if not isinstance(wanted, dict):
            self._add(
                path, f"{as_written(wanted)} is not possible here", f"write it like `{example}`"
            )
            return None
        advice = {"event": f"write it like `event: {example.partition(': ')[2]}`"}
        return self._findings.validated(model, wanted, path, advice=advice, no_empty=True)

    def _period(self, wanted: str | None, path: Path) -> float | None:
        seconds = duration(wanted) if wanted is not None else None
        if wanted is not None and not seconds:
            what, advice = length_trouble(wanted)
            what = what or f"{quoted(wanted)} is no length of time"
            self._add(path, what, advice or "write it like `within: 30 days`")
        return seconds

    def _text(self, source: str, words: Vocabulary, path: Path) -> Text | None:
        problems = check(source, words)
        for problem in problems:
            self._findings.add(path, problem.what, problem.advice, line=problem.line)
        return None if problems else compile_key(source, self._zone)

    def _check_types(
        self, types: Sequence[str], sources: Sequence[type[Source]], path: Path
    ) -> None:
        known = [name for source in sources for name in source.event_types]
        for number, pattern in enumerate(types):
            if any(glob(name, pattern) for name in known):
                continue
            if any(source.types_are_open for source in sources):
                continue
            place = (*path, number) if len(types) > 1 else path
            several = list_meant(re.sub(r"\s+(?:or|and)\s+", ", ", pattern))
            advice = f"write {several}" if "," in several else meant(pattern, known)
            self._add(place, f"no event is called {quoted(pattern)}", advice)

    def _add(self, path: Path, what: str, advice: str = "") -> None:
        self._findings.add(path, what, advice)
