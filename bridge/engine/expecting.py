"""Compares what a test of rules expects with what would be done: says what differs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from bridge.engine.missing import Why, why_missing
from bridge.engine.rehearse import RehearsedDelivery, RehearsedEvent
from bridge.rules import RuleSet
from bridge.rules.conditions import holds, identical
from bridge.rules.expected import Expectation, Expected, Wanted
from bridge.rules.seen import Seen
from bridge.rules.sentences import sentence
from bridge.rules.values import say
from bridge.wording import flow

Kind = Literal[
    "given",
    "missing",
    "unexpected",
    "differs",
    "order",
    "not suppressed",
    "cannot be filled in",
    "only",
]

_MOST_SHOWN = 3
_SECOND = 1.0


@dataclass(frozen=True)
class Complaint:
    """One thing that is not as a test says; `what` in words.

    `only` is none itself, but how to leave the other rules out, whose deliveries are unexpected.
    `step` is `account.action`, `rule` the one that does it, `field` the one that differs, with
    both values in words. `line` is that of the entry in the file, 0: none.
    """

    kind: Kind
    what: str
    step: str = ""
    rule: str = ""
    field: str = ""
    expected: str = ""
    came: str = ""
    line: int = 0
    why: tuple[Why, ...] = ()


@dataclass(frozen=True)
class Trial:
    """A test, and the events that it is about."""

    test: Expectation
    events: Sequence[RehearsedEvent]
    rules: RuleSet

    @property
    def deliveries(self) -> list[RehearsedDelivery]:
        return [
            delivery
            for event in self.events
            for delivery in event.deliveries
            if self.test.only in ("", delivery.planned.rule)
        ]


def complaints(trial: Trial) -> Iterator[Complaint]:
    """Everything that differs; nothing where the test holds."""
    deliveries = trial.deliveries
    for each in deliveries:
        if each.planned.state == "rejected":
            what = f"{_of(each)} cannot be filled in: {each.planned.reason}"
            yield Complaint("cannot be filled in", what, _step(each), each.planned.rule)
    for wanted in trial.test.expect:
        if wanted.suppressed is not None:
            yield from _suppressed(trial, wanted, deliveries)
    sent = [each for each in deliveries if each.is_sent]
    expected = [each for each in trial.test.expect if each.suppressed is None]
    if not _all_fit(trial, expected, sent):
        yield from _different(trial, expected, sent)


def _all_fit(trial: Trial, expected: Sequence[Expected], sent: Sequence[RehearsedDelivery]) -> bool:
    return len(expected) == len(sent) and all(
        _fits(trial, wanted, delivery) for wanted, delivery in zip(expected, sent, strict=True)
    )


def _fits(trial: Trial, wanted: Expected, delivery: RehearsedDelivery) -> bool:
    return wanted.step == _step(delivery) and not list(_differences(trial, wanted, delivery))


def _different(
    trial: Trial, expected: Sequence[Expected], sent: Sequence[RehearsedDelivery]
) -> Iterator[Complaint]:
    """What fits is put together, whatever its order; then what is of the same action."""
    free, left, of_rules = list(sent), [], set()
    # What says more is harder to please.
    for wanted in sorted(expected, key=lambda one: -len(one.fields)):
        fitting = next((one for one in free if _fits(trial, wanted, one)), None)
        if fitting is None:
            left.append(wanted)
        else:
            free.remove(fitting)
            of_rules.add(fitting.planned.rule)
    if not left and not free:
        yield _order(expected, sent)
    for wanted in sorted(left, key=lambda one: one.line):
        yield from _nearest(trial, wanted, free)
    for delivery in free:
        yield _unexpected(delivery)
    yield from _hint(trial, free, of_rules)


def _hint(
    trial: Trial, free: Sequence[RehearsedDelivery], of_rules: set[str]
) -> Iterator[Complaint]:
    """Most tests are about one rule, and whoever writes them thinks of no other."""
    others = {each.planned.rule for each in free} - of_rules
    if trial.test.only or not others or len(of_rules) > 1:
        return
    rule = next(iter(of_rules), "")
    if rule or len(others) > 1:
        named = flow(rule) if rule else "NAME OF THE RULE"
        what = f"if this test is about one rule, write `only: {named}` below its name"
        yield Complaint("only", what, rule=rule)


def _order(expected: Sequence[Expected], sent: Sequence[RehearsedDelivery]) -> Complaint:
    return Complaint(
        "order",
        "it is done in another order",
        expected=", ".join(each.step for each in expected),
        came=", ".join(map(_of, sent)),
    )


def _nearest(trial: Trial, wanted: Expected, free: list[RehearsedDelivery]) -> Iterator[Complaint]:
    """Takes the delivery that it looks at out of those that are `free`."""
    alike = [one for one in free if _step(one) == wanted.step]
    if not alike:
        why = why_missing(wanted.step, trial.test.only, trial.events)
        what = f"{wanted.step} is expected, and is not done"
        yield Complaint("missing", what, wanted.step, line=wanted.line, why=why)
        return
    nearest = min(alike, key=lambda one: len(list(_differences(trial, wanted, one))))
    free.remove(nearest)
    yield from _differences(trial, wanted, nearest)


def _unexpected(delivery: RehearsedDelivery) -> Complaint:
    what = f"{_of(delivery)} is done, and is not expected"
    return Complaint(
        "unexpected", what, _step(delivery), delivery.planned.rule, came=_brief(delivery)
    )


def _differences(
    trial: Trial, wanted: Expected, delivery: RehearsedDelivery
) -> Iterator[Complaint]:
    received = delivery.rehearsal.now
    for field in wanted.fields:
        found = _found(delivery.planned.item, field.path)
        if not _is_as(field, found, received):
            yield _differs(wanted, delivery, ".".join(field.path), _says(field), _value(found))
    due = max(received, delivery.planned.due_at)
    at = wanted.at.timestamp() if wanted.at else None
    if wanted.after is not None:
        at = received + wanted.after
    if at is not None and abs(due - at) > _SECOND:
        times = (_time(one, trial.rules.time_zone) for one in (at, due))
        yield _differs(wanted, delivery, "its time", *times)


def _differs(
    wanted: Expected, delivery: RehearsedDelivery, field: str, expected: str, came: str
) -> Complaint:
    named = field if " " in field else f"`{field}`"
    return Complaint(
        kind="differs",
        what=f"{_of(delivery)}: {named} is another one",
        step=wanted.step,
        rule=delivery.planned.rule,
        field=field,
        expected=expected,
        came=came,
        line=wanted.line,
    )


def _suppressed(
    trial: Trial, wanted: Expected, deliveries: Sequence[RehearsedDelivery]
) -> Iterator[Complaint]:
    alike = [each for each in deliveries if _step(each) == wanted.step]
    left_out = [each for each in alike if each.planned.state == "suppressed"]
    reason = (wanted.suppressed or "").casefold()
    if any(reason in str(each.planned.reason).casefold() for each in left_out):
        return
    if left_out:
        came = str(left_out[0].planned.reason)
        yield _differs(wanted, left_out[0], "the reason", str(wanted.suppressed), came)
    elif not alike:
        why = why_missing(wanted.step, trial.test.only, trial.events)
        what = f"{wanted.step} is expected to be suppressed, and is not planned at all"
        yield Complaint("missing", what, wanted.step, line=wanted.line, why=why)
    elif alike[0].is_sent:
        what = f"{_of(alike[0])} is sent, and is expected to be suppressed"
        rule = alike[0].planned.rule
        yield Complaint("not suppressed", what, wanted.step, rule, line=wanted.line)


def _found(item: Any, path: Sequence[str]) -> Any:
    for name in path:
        item = item.get(name) if isinstance(item, Mapping) else None
    return item


def _is_as(wanted: Wanted, found: Any, received: float) -> bool:
    if not wanted.conditions:
        return _alike(found, wanted.value)
    moment = datetime.fromtimestamp(received, UTC)
    seen = Seen({"event": {"time": moment}, wanted.name: found})
    return all(holds(condition, seen) for condition in wanted.conditions)


def _alike(found: Any, wanted: Any) -> bool:
    """Groups may hold more than is wanted; lists may not."""
    if wanted is None or wanted == "":
        return found in (None, "", [], {})
    if isinstance(wanted, list):
        return (
            isinstance(found, list)
            and len(found) == len(wanted)
            and all(map(_alike, found, wanted))
        )
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(
            _alike(found.get(name), value) for name, value in wanted.items()
        )
    return identical(found, wanted)


def _says(wanted: Wanted) -> str:
    if wanted.conditions:
        return " and ".join(map(sentence, wanted.conditions))
    return _value(wanted.value)


def _value(value: Any) -> str:
    if value is None or value == "":
        return "nothing"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name}: {_value(one)}' for name, one in value.items())}}}"
    return value if isinstance(value, str) else say(value)


def _time(at: float, zone: str) -> str:
    moment = datetime.fromtimestamp(at, ZoneInfo(zone))
    clock = "%H:%M:%S" if moment.second else "%H:%M"
    return moment.strftime(f"%Y-%m-%d {clock} %Z")


def _brief(delivery: RehearsedDelivery) -> str:
    """The first of its fields that say something."""
    said = [f"{name}: {_value(one)}" for name, one in delivery.planned.item.items() if one]
    more = ["..."] if len(said) > _MOST_SHOWN else []
    return ", ".join([*said[:_MOST_SHOWN], *more])


def _step(delivery: RehearsedDelivery) -> str:
    return f"{delivery.planned.account}.{delivery.planned.action}"


def _of(delivery: RehearsedDelivery) -> str:
    return f"{_step(delivery)} of “{delivery.planned.rule}”"
