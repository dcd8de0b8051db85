"""Reads `tests:`: what must be done when something comes in, and everything wrong about that."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from bridge.connector import Action
from bridge.findings import Findings
from bridge.rules.expected import Expectation, Expected, Given
from bridge.rules.given_reader import GivenReader, moment_in
from bridge.rules.misplaced import advice_for_test
from bridge.rules.named import Named
from bridge.rules.records import World
from bridge.rules.relative import duration
from bridge.rules.schema import ExpectedText, TestText
from bridge.rules.wanted_reader import BESIDE, WantedReader
from bridge.wording import meant, quoted
from bridge.yaml_text import Path

NOTHING = "nothing"

_ENTRY = "write `- slack.post_message: {channel: ...}`, or `expect: nothing`"


class ExpectationReader:
    """Reads the tests of one file. `rules` are the names of all; `names` those of all tests."""

    def __init__(
        self,
        findings: Findings,
        world: World,
        named: Named,
        rules: Sequence[str],
        names: dict[str, tuple[str, int]],
    ) -> None:
        self._findings = findings
        self._accounts = world.accounts
        self._rules = rules
        self._names = names
        self._given = GivenReader(findings, world, named.time_zone)
        self._zone = ZoneInfo(named.time_zone)
        self._wanted = WantedReader(findings, named.lists, self._zone)

    def read(self, entry: Mapping[str, Any], path: Path) -> Expectation:
        """What can be understood of it; what is wrong is found."""
        given = entry.get("given")
        inside = given if isinstance(given, dict) else {}
        odd = {"given": "did you mean `with`?"} if "changes" in inside else {}
        valid = self._findings.validated(
            TestText, entry, path, advice={**advice_for_test(entry), **odd}
        )
        place = self._findings.document.mistake(path, "")
        comes = None
        if valid is not None:
            self._unique(valid.name, path)
            self._check_rule(valid.only, (*path, "only"))
            comes = self._given.read(valid.given, (*path, "given"))
        return Expectation(
            name=valid.name if valid else "",
            given=comes or Given(),
            expect=tuple(self._expected(entry.get("expect", NOTHING), (*path, "expect"))),
            only=(valid.only or "") if valid else "",
            file=place.file,
            line=place.line,
        )

    def _unique(self, name: str, path: Path) -> None:
        here = self._findings.document.mistake((*path, "name"), "")
        first = self._names.setdefault(name.casefold(), (here.file, here.line))
        if first != (here.file, here.line):
            other = f"line {first[1]}" if first[0] == here.file else f"{first[0]}, line {first[1]}"
            what = f"two tests are called {quoted(name)}: this one and the one in {other}"
            self._add((*path, "name"), what, "give each test a name of its own")

    def _check_rule(self, only: str | None, path: Path) -> None:
        if only is not None and only not in self._rules:
            self._add(path, f"there is no rule {quoted(only)}", meant(only, self._rules))

    def _expected(self, expect: Any, path: Path) -> Iterator[Expected]:
        if expect == NOTHING:
            return
        if not isinstance(expect, list) or not expect:
            one = isinstance(expect, str) and re.fullmatch(r"\w+\.\w+", expect)
            advice = f"write [{expect}]" if one else _ENTRY
            self._add(path, "`expect` must be a list of what is done, or nothing", advice)
            return
        for number, entry in enumerate(expect):
            place = (*path, number)
            if entry == NOTHING:
                self._add(place, "`nothing` stands alone", "write `expect: nothing`")
            elif isinstance(entry, str):
                yield from self._delivery(entry, {}, {}, place, place)
            elif isinstance(entry, dict):
                yield from self._entry(entry, place)
            else:
                self._add(place, "this must be an action, such as slack.post_message", _ENTRY)

    def _entry(self, entry: Mapping[str, Any], path: Path) -> Iterator[Expected]:
        beside = {name: value for name, value in entry.items() if name in BESIDE}
        named = [name for name in entry if name not in BESIDE and "." in name]
        for name in entry:
            if name not in BESIDE and "." not in name:
                what = f"{quoted(name)} is not known here"
                advice = "fields of the action are indented further than it"
                near = meant(name, BESIDE)
                self._add((*path, name), what, near if near.endswith("?") else advice, at_key=True)
        if len(named) != 1:
            what = "an entry of `expect` names one action"
            self._add(path, what, "begin each action with `- `")
            return
        place = (*path, named[0])
        yield from self._delivery(named[0], entry[named[0]] or {}, beside, place, path)

    def _delivery(
        self, step: str, fields: Any, beside: Mapping[str, Any], place: Path, path: Path
    ) -> Iterator[Expected]:
        """`place` is the action's, `path` that of the whole entry."""
        account, _, action = step.partition(".")
        declared = self._declared(account, action, place)
        valid = self._findings.validated(ExpectedText, beside, path)
        if declared is None or valid is None:
            return
        if not isinstance(fields, dict):
            self._add(place, f"the fields of {step} must be `name: value` lines")
            return
        at = moment_in(valid.at, self._zone) if valid.at is not None else None
        after = duration(valid.after) if valid.after is not None else None
        if valid.at is not None and at is None:
            advice = "write 2027-07-03T09:00, or 2027-07-03T09:00:00-06:00"
            self._add((*path, "at"), f"{quoted(valid.at)} is no time", advice)
        if valid.after is not None and after is None:
            self._add((*path, "after"), f"{quoted(valid.after)} is no time to wait", "write 2 days")
        suppressed = self._suppressed(valid, fields, path)
        yield Expected(
            account=account,
            action=action,
            fields=tuple(self._wanted.read(step, declared.item, fields, place)),
            at=at,
            after=after,
            suppressed=suppressed,
            line=self._findings.document.mistake(path, "").line,
        )

    def _suppressed(self, valid: ExpectedText, fields: Mapping[str, Any], path: Path) -> str | None:
        if valid.suppressed is None:
            return None
        if valid.suppressed is False:
            what = "`suppressed` is true, or a part of the reason"
            self._add((*path, "suppressed"), what, "leave it out for what is sent")
        elif fields or valid.at or valid.after:
            what = "what is suppressed is not filled in: it has neither fields nor a time"
            self._add((*path, "suppressed"), what, "leave one of the two out", at_key=True)
        return valid.suppressed if isinstance(valid.suppressed, str) else ""

    def _declared(self, account: str, action: str, path: Path) -> Action | None:
        connector = self._accounts.get(account)
        if connector is None:
            what = f"there is no account {quoted(account)}"
            self._add(path, what, meant(account, self._accounts), at_key=True)
            return None
        actions = connector.actions()
        if action not in actions:
            what = f"{quoted(account)} has no action {quoted(action)}"
            known = [f"{account}.{name}" for name in actions]
            self._add(path, what, meant(f"{account}.{action}", known), at_key=True)
        return actions.get(action)

    def _add(self, path: Path, what: str, advice: str = "", *, at_key: bool = False) -> None:
        self._findings.add(path, what, advice, at_key=at_key)
