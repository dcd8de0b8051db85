"""Why one event was handled as it was, at a terminal and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from bridge.cli import examined
from bridge.cli.delivery_words import as_object as delivery_object
from bridge.cli.delivery_words import became
from bridge.cli.event_lines import counted_states
from bridge.cli.handled import Handled
from bridge.cli.json_lines import iso
from bridge.cli.pairs import pairs
from bridge.cli.screen import clean, full_time, indented, stated, style_of
from bridge.cli.story import print_more, print_without_events
from bridge.cli.tried import nearest_first, stopped_by
from bridge.cli.why_now import now_lines, now_object
from bridge.errors import OperatorError
from bridge.ledger.stories import DeliveryRecord, Story
from bridge.rules import Examination
from bridge.wording import meant

_LONGEST = 2000


def require_rule(handled: Handled, name: str | None) -> None:
    """Raises OperatorError where the version that handled the event had no such rule."""
    if name is None:
        return
    known = _names(handled)
    if name.strip().casefold() in {each.casefold() for each in known}:
        return
    version = handled.record.rules_version
    what = f"version {version}, which handled event {handled.record.id}, had no rule"
    advice = meant(name, known)
    if handled.now and name.strip().casefold() in _folded(handled.now.rehearsal.stage.rules.rules):
        advice = f"it is in the live rules: `showbridge rules try live {handled.record.id}` asks it"
    raise OperatorError(f"{what} `{clean(name, 100)}`; {advice}")


def _folded(rules: Sequence[Any]) -> set[str]:
    return {rule.name.casefold() for rule in rules}


def _names(handled: Handled) -> list[str]:
    if handled.then is not None:
        return [rule.name for rule in handled.then.rehearsal.stage.rules.rules]
    verdicts = [str(each.get("rule")) for each in handled.record.verdicts]
    return [*verdicts, *(each.rule for each in handled.record.deliveries)]


def print_why(
    console: Console, story: Story, found: Sequence[Handled], only: str | None, now: float
) -> None:
    if not found:
        kind = f"{clean(story.type)} from {clean(story.source)}"
        head = (f"Event {story.number}", "bold")
        console.print(Text.assemble(head, "  ", kind, "  ", stated(story.state)))
        if story.reason:
            console.print(pairs([("reason", stated(story.state, story.reason))]))
        print_without_events(console, story)
    for number, each in enumerate(found):
        console.print() if number else None
        _print(console, each, only, now)


def _print(console: Console, each: Handled, only: str | None, now: float) -> None:
    _print_heading(console, each)
    deliveries = [one for one in each.record.deliveries if _is(one.rule, only)]
    console.print()
    console.print(_title(each, only, bool(deliveries)))
    for delivery in deliveries:
        for line in _delivery(delivery, now):
            console.print(line)
    if each.record.more:
        print_more(console, each.record.more, "delivery", each.record.id)
    console.print()
    console.print(Text("Why, and why not more", style="bold"))
    if each.then is None:
        _print_verdicts(console, each, only)
    else:
        _print_examinations(console, each, only)
    for line in now_lines(each, only):
        console.print(line)


def _title(each: Handled, only: str | None, did: bool) -> Text:
    """What one rule did, if that is asked for: others may have done more."""
    if did or only is None:
        return Text("What happened" if did else "Nothing happened", style="bold")
    title = Text("Nothing by this rule", style="bold")
    others = Counter(one.state for one in each.record.deliveries if not _is(one.rule, only))
    if not others or each.record.more:
        return title
    return Text.assemble(title, ("; by others: ", "dim"), counted_states(others))


def _print_heading(console: Console, each: Handled) -> None:
    story, record = each.story, each.record
    states = record.states
    head = (f"Event {record.id}", "bold")
    kind = f"{clean(record.type)} from {clean(story.source)}"
    console.print(Text.assemble(head, "  ", kind, "  ", counted_states(states)))
    about = [("received", Text(full_time(story.received_at)))]
    if record.who:
        about.append(("who", Text(clean(record.who))))
    version = clean(record.rules_version, 12)
    since = each.published
    by = f", {since.how} {full_time(since.published_at)} by {clean(since.author)}" if since else ""
    about.append(("rules", Text(f"version {version}{by}")))
    console.print(pairs(about))


def _delivery(delivery: DeliveryRecord, now: float) -> Iterator[Any]:
    action = clean(f"{delivery.account}.{delivery.action}")
    said = Text.assemble((action, "bold"), " ", (clean(became(delivery, now), _LONGEST), ""))
    said.stylize(style_of(delivery.state), len(action) + 1)
    yield indented(said, 2)
    yield indented(Text(f"rule “{clean(delivery.rule)}”, step {delivery.step}", style="dim"), 4)
    if delivery.link:
        yield indented(Text(clean(delivery.link)), 4)


def _print_examinations(console: Console, each: Handled, only: str | None) -> None:
    assert each.then is not None  # noqa: S101  # the caller looked
    stopped = stopped_by(each.then)
    chosen = [one for one in each.then.examinations if _is(one.rule.name, only)]
    shown = [one for one in nearest_first(chosen, stopped) if only or not one.elsewhere]
    for number, one in enumerate(shown):
        console.print() if number else None
        stopping = stopped.get(one.rule.name, "")
        examined.print_examination(console, one, stopped_by=stopping)
        for words in _to_match(one, stopping):
            console.print(indented(Text(words, style="cyan"), 4))
    away = [one.rule.name for one in chosen if one.elsewhere and one not in shown]
    if away:
        console.print()
        console.print(indented(examined.about_others(away), 2))
    if _decided_otherwise(each):
        text = "By these conditions it would be decided otherwise today: what the source says of"
        text += " such events was read differently then. The story has the verdicts of then."
        console.print(indented(Text(text, style="red"), 2))


def _to_match(one: Examination, stopped: str) -> Iterator[str]:
    """Which lines of the file would have to hold."""
    lines = sorted({each.line for each in one.failed if each.line})
    if one.elsewhere or not lines:
        return
    which = f"line {lines[0]}" if len(lines) == 1 else f"lines {_listed(lines)}"
    file = clean(one.rule.file)
    if one.kept_from or stopped:
        yield f"Beside that, {which} of {file} would have to hold."
    else:
        yield f"It would match if {which} of {file} held."


def _listed(lines: Sequence[int]) -> str:
    return f"{', '.join(map(str, lines[:-1]))} and {lines[-1]}"


def _decided_otherwise(each: Handled) -> bool:
    if each.then is None:
        return False
    before = {str(one.get("rule")): bool(one.get("matched")) for one in each.record.verdicts}
    after = {one.rule: one.matched for one in each.then.verdicts}
    return before != after


def _print_verdicts(console: Console, each: Handled, only: str | None) -> None:
    """What was written down then."""
    text = f"Only what was written down then can be told: {each.trouble}."
    console.print(indented(Text(text, style="yellow"), 2))
    for verdict in each.record.verdicts:
        rule = str(verdict.get("rule", ""))
        if not _is(rule, only):
            continue
        matched = bool(verdict.get("matched"))
        mark, style = ("✓", "green") if matched else ("✗", "yellow")
        console.print(indented(Text.assemble((f"{mark} ", style), (clean(rule), "bold")), 2))
        why = "matched" if matched else clean(verdict.get("why_not", ""), _LONGEST)
        console.print(indented(Text(why, style=style), 4))


def _is(name: str, only: str | None) -> bool:
    return only is None or name.casefold() == only.strip().casefold()


def as_object(each: Handled, only: str | None, now: float) -> dict[str, Any]:
    """For `--json`; times in ISO 8601 and UTC."""
    record, then = each.record, each.then
    stopped = stopped_by(then) if then else {}
    return {
        "event": record.id,
        "source": each.story.source,
        "type": record.type,
        "who": record.who,
        "received_at": iso(each.story.received_at),
        "rules_version": record.rules_version,
        "deliveries": [
            delivery_object(one, now) for one in record.deliveries if _is(one.rule, only)
        ],
        "verdicts": [dict(one) for one in record.verdicts if _is(str(one.get("rule", "")), only)],
        "rules": [
            examined.as_object(one, stopped.get(one.rule.name, ""))
            for one in (then.examinations if then else ())
            if _is(one.rule.name, only)
        ],
        "not_examined_because": each.trouble or None,
        "live": now_object(each, only),
    }
