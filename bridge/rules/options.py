"""Reads what a rule says beside `when` and `do`: for whom, how often, and at what time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta, tzinfo
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo

from bridge.findings import Findings
from bridge.rules import date_filter
from bridge.rules.conditions import glob
from bridge.rules.records import Between, ForEach, OncePer, Same, Unless
from bridge.rules.relative import RECEIVED, Relative, duration, relative
from bridge.rules.schema import BetweenText, OnceText, QuietText, UnlessText
from bridge.rules.template_check import check
from bridge.rules.templates import Text, compile_text, is_template
from bridge.rules.timing import QuietHours, TimeOfDay, Timing
from bridge.rules.vocabulary import Vocabulary
from bridge.source import Source
from bridge.wording import meant, quoted
from bridge.yaml_text import Path

_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,4})?)\s*%?", re.ASCII)
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3])[:.h]([0-5][0-9])(?:\s+(.+))?", re.ASCII)
_EVENT_LOCAL = "event local"
_ONCE = ("contact", "transaction", "event")
_DURATION_ADVICE = "write 2 days, 3 hours, 1 day after tickets.ends_on, ..."


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
        what = f"`for_each` needs a list, and {quoted(wanted)} is none in {vocabulary.about}"
        self._add((*path, "for_each"), what, meant(wanted, lists) if lists else "leave it out")
        return None

    def between(self, wanted: Any, path: Path) -> Between | None:
        place = (*path, "only_between")
        valid = self._findings.validated(BetweenText, wanted, place) if wanted is not None else None
        if valid is None:
            return None
        if valid.start is None and valid.end is None:
            self._add(place, "`only_between` names no day", "write {from: 2027-01-01}")
            return None
        if valid.start and valid.end and valid.start > valid.end:
            self._add(place, "`only_between` ends before it begins", "exchange the two days")
            return None
        zone = ZoneInfo(self._zone)
        start, end = valid.start, valid.end
        stands = self._findings.document.mistake(place, "", at_key=True)
        said = " ".join([*([f"from {start}"] if start else []), *([f"to {end}"] if end else [])])
        return Between(
            datetime.combine(start, time(), zone) if start else None,
            datetime.combine(end + timedelta(days=1), time(), zone) if end else None,
            said,
            stands.line,
            stands.column,
        )

    def sample(self, wanted: Any, path: Path) -> float | None:
        if wanted is None:
            return None
        text = "" if isinstance(wanted, bool) else str(wanted).strip()
        found = _PERCENT.fullmatch(text)
        if found and 0 < float(found[1]) <= 100:
            return float(found[1])
        self._add((*path, "sample"), "`sample` must be a share of 100", "write 10%")
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
        valid = self._findings.validated(OnceText, wanted, place)
        if valid is None:
            return None
        period = self._period(valid.within, (*place, "within"))
        said = valid.of + (f" in {valid.within}" if valid.within else "")
        if valid.of in _ONCE:
            if valid.of == "event" and source:
                what = f"{source} does not say which show it is about, so `once_per: event`"
                self._add(inner, f"{what} cannot be told", "use contact or transaction")
            of = cast(Literal["contact", "transaction", "event"], valid.of)
            return OncePer(of, period, said)
        if not is_template(valid.of):
            what = f"`once_per` cannot be {quoted(valid.of)}"
            advice = f'{meant(valid.of, _ONCE)}; or write a text like "{{{{ order.currency }}}}"'
            self._add(inner, what, advice)
            return None
        text = self._text(valid.of, words, inner)
        return OncePer("text", period, said, text) if text else None

    def unless(self, wanted: Any, sources: Sequence[type[Source]], path: Path) -> Unless | None:
        if wanted is None:
            return None
        place = (*path, "unless")
        short = isinstance(wanted, str | list)
        valid = self._findings.validated(UnlessText, {"event": wanted} if short else wanted, place)
        if valid is None:
            return None
        inner = place if short else (*place, "event")
        self._check_types(valid.event, sources, inner)
        if valid.same not in ("transaction", "contact"):
            advice = meant(valid.same, ("transaction", "contact"))
            self._add((*place, "same"), "`same` must be transaction or contact", advice)
            return None
        return Unless(tuple(valid.event), cast(Same, valid.same))

    def timing(self, rule: Mapping[str, Any], words: Vocabulary, path: Path) -> Timing | None:
        delay = self._delay(rule.get("after"), words, (*path, "after"))
        at = self._time_of_day(rule.get("at"), (*path, "at"))
        quiet = self._quiet(rule.get("quiet_hours"), (*path, "quiet_hours"))
        if not (delay or at or quiet):
            return None
        said = []
        if delay:
            said.append(delay.said if delay.field != RECEIVED else f"{delay.said} later")
        if at:
            said.append(f"at {at.clock:%H:%M} in {at.zone}")
        return Timing(delay, at, quiet, " ".join(said))

    def _period(self, wanted: str | None, path: Path) -> float | None:
        seconds = duration(wanted) if wanted is not None else None
        if wanted is not None and not seconds:
            self._add(path, "`within` must be a length of time", "write 30 days")
        return seconds

    def _delay(self, wanted: Any, words: Vocabulary, path: Path) -> Relative | None:
        if not isinstance(wanted, str):
            return None
        seconds = duration(wanted)
        if seconds is not None:
            return Relative(seconds, RECEIVED, " ".join(wanted.split()))
        told = relative(wanted)
        if told is None or told.said.lower() == "now" or told.said.lower().endswith(" ago"):
            self._add(path, f"{quoted(wanted)} is no time to wait", _DURATION_ADVICE)
            return None
        shape = words.find(told.field)
        if shape is None:
            self._findings.add(path, *words.unknown(told.field))
        elif shape.kind not in ("date", "anything"):
            known = [name for name in words.paths() if _is_date(words, name)]
            self._add(path, f"`{told.field}` is no date", meant(told.field, known))
        return told

    def _time_of_day(self, wanted: Any, path: Path) -> TimeOfDay | None:
        if not isinstance(wanted, str):
            return None
        found = _CLOCK.fullmatch(wanted.strip())
        if found is None:
            self._add(
                path, "`at` must be a time of day", 'write "09:00", or "09:00 America/Halifax"'
            )
            return None
        named = (found[3] or "").strip()
        local = not named or " ".join(named.lower().split()) == _EVENT_LOCAL
        zone = self.zone(self._zone if local else named, path)
        return TimeOfDay(time(int(found[1]), int(found[2])), zone) if zone else None

    def _quiet(self, wanted: Any, path: Path) -> QuietHours | None:
        valid = self._findings.validated(QuietText, wanted, path) if wanted is not None else None
        if valid is None:
            return None
        times = []
        for name, text in (("from", valid.start), ("to", valid.end)):
            found = _CLOCK.fullmatch(text.strip())
            if found is None or found[3]:
                self._add((*path, name), f"`{name}` must be a time of day", 'write "22:00"')
            else:
                times.append(time(int(found[1]), int(found[2])))
        zone = self.zone(valid.time_zone or self._zone, (*path, "time_zone"))
        if len(times) < 2 or zone is None:
            return None
        if times[0] == times[1]:
            self._add(path, "`quiet_hours` begin and end at the same time", "write two times")
            return None
        return QuietHours(times[0], times[1], zone)

    def zone(self, name: str, path: Path) -> tzinfo | None:
        """A time zone by its name."""
        try:
            return date_filter.zone(name)
        except ValueError as error:
            self._add(path, f"the time zone is {quoted(name)}, but {error}")
            return None

    def _text(self, source: str, words: Vocabulary, path: Path) -> Text | None:
        problems = check(source, words)
        for problem in problems:
            self._findings.add(path, problem.what, problem.advice, line=problem.line)
        return None if problems else compile_text(source, None, self._zone)

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
            self._add(place, f"no event is called {quoted(pattern)}", meant(pattern, known))

    def _add(self, path: Path, what: str, advice: str = "") -> None:
        self._findings.add(path, what, advice)


def member_name(path: str) -> str:
    """`tickets` -> `ticket`, `order.items` -> `item`."""
    name = path.rpartition(".")[2]
    return name[:-1] if name.endswith("s") and len(name) > 2 else f"each_{name}"


def _is_date(words: Vocabulary, name: str) -> bool:
    shape = words.find(name)
    return shape is not None and shape.kind == "date"
