"""What other rules would have done differently, for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bridge.cli.compared import Compared
from bridge.cli.difference_examples import print_examples
from bridge.cli.screen import clean, counted, duration, full_time, indented
from bridge.engine.course import Fate
from bridge.engine.rule_pairs import Pair
from bridge.engine.tally import ActionCounts, Counts, RuleCounts, Waits

_UNDONE: dict[Fate, str] = {
    "consent": "refused for want of consent",
    "once": "held back: done already",
    "cancelled": "called off before their time",
    "idle": "left out: no address, or too late",
    "rejected": "rejected: cannot be filled in",
}
_STANDING = {"added": "new", "removed": "gone"}


def print_compared(console: Console, found: Compared, only: str | None) -> None:
    """`only` names one rule."""
    for line in _heading(found):
        console.print(line, soft_wrap=line.plain.startswith("Compared"))
    if found.is_same:
        return
    rules = found.rules(only)
    _print_rules(console, found, rules)
    console.print()
    if not found.comparison.different:
        what = counted(found.comparison.events, "event")
        console.print(f"Nothing would have been different for {what}.", style="green")
        return
    actions = {} if only else found.comparison.actions
    _print_group(console, "What is done", _lines_of_actions(actions))
    named = [(pair.name, counts) for pair, counts in rules]
    _print_group(console, "What is not done, before → after", _undone(named))
    _print_group(console, "What is done later, before → after", _later(named))
    if not only:
        _print_costs(console, found)
    print_examples(console, found, rules)
    console.print()
    console.print("Nothing was sent and nothing was changed.", style="dim")


def _heading(found: Compared) -> Iterator[Text]:
    before, after = clean(found.before.named), clean(found.after.named)
    if found.is_same:
        version = found.after.rules.version
        yield Text(f"{after} and {before} are the same (version {version}):")
        yield Text("nothing would be different.", "green")
        return
    yield Text(f"Compared: {before} → {after}", "bold")
    looked = found.looked
    events = counted(found.comparison.events, "event")
    if looked.since is None:
        yield Text(f"With {events} of the shipped samples, as if they came in now.")
    else:
        yield Text(f"With {events} since {full_time(looked.since)}, each as if it came in then.")
    for count, why in (
        (looked.pruned, "left out, since their bodies were deleted for their age"),
        (looked.quarantined, "left out, since they are kept aside and no rule is asked"),
        (found.comparison.unreadable, "left out, since they cannot be read"),
    ):
        if count:
            yield Text(f"{counted(count, 'webhook')} {why}.", "yellow")


def _print_rules(
    console: Console, found: Compared, rules: Sequence[tuple[Pair, RuleCounts]]
) -> None:
    shown = [each for each in rules if each[0].standing != "same" or each[1].kinds]
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold", max_width=34)
    for _ in range(4):
        table.add_column(justify="right", no_wrap=True)
    head = [Text(word, "dim") for word in ("matched", "added", "removed", "changed")]
    table.add_row("", "", *head)
    for pair, counts in shown:
        kinds = [counts.kinds[kind] for kind in ("added", "removed", "changed")]
        matched = f"{counts.matched_before:,} → {counts.matched_after:,}"
        numbers = [f"{count:,}" if count else "-" for count in kinds]
        standing = _STANDING.get(pair.standing, pair.standing)
        table.add_row(standing, _named(pair), matched, *numbers)
    console.print()
    different = found.comparison.different
    console.print(
        f"Rules: {different:,} of {counted(found.comparison.events, 'event')} would be handled "
        "differently",
        style="bold",
    )
    if shown:
        console.print(indented(table, 2))
    same = len(rules) - len(shown)
    if same:
        console.print(indented(Text(f"the same: {counted(same, 'rule')}", "dim"), 2))
    if found.comparison.pairing.is_reordered:
        console.print(indented(Text("the order of the rules is another one", "dim"), 2))


def _named(pair: Pair) -> Text:
    name = Text(clean(pair.name, 100), "cyan")
    if pair.standing == "renamed" and pair.before:
        name.append(f" (was {clean(pair.before.name, 100)})", "dim")
    return name


def _print_group(console: Console, title: str, lines: Iterator[tuple[str, Text]]) -> None:
    """A heading with a table below it; nothing where there are no lines."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(overflow="fold", max_width=34)
    table.add_column(overflow="fold")
    for name, said in lines:
        table.add_row(Text(clean(name, 100)), said)
    if table.row_count:
        console.print(title, style="bold")
        console.print(indented(table, 2))
        console.print()


def _lines_of_actions(
    actions: Mapping[tuple[str, str], ActionCounts],
) -> Iterator[tuple[str, Text]]:
    for (account, action), counts in sorted(actions.items()):
        told = [
            f"{counts.kinds[kind]:,} {kind}"
            for kind in ("added", "removed", "changed")
            if counts.kinds[kind]
        ]
        if not told:
            continue
        said = Text(", ".join(told))
        people = [
            f"{counted(count, 'person')} {word}".replace("persons", "people")
            for count, word in ((counts.more, "more"), (counts.fewer, "fewer"))
            if count
        ]
        if people:
            said.append(f"; {', '.join(people)}", "dim")
        yield f"{account}.{action}", said
        if counts.lawful:
            yield "", Text(f"{counts.lawful:,} lawful only now: there was no consent", "green")
        if counts.refused:
            yield "", Text(f"{counts.refused:,} refused only now: there is no consent", "yellow")


def _undone(rules: Sequence[tuple[str, Counts]]) -> Iterator[tuple[str, Text]]:
    for name, counts in rules:
        for fate, words in _UNDONE.items():
            before, after = counts.before.fates[fate], counts.after.fates[fate]
            if before != after:
                style = "red" if fate == "rejected" and after > before else ""
                yield name, Text(f"{before:,} → {after:,} {words}", style)
                name = ""


def _later(rules: Sequence[tuple[str, Counts]]) -> Iterator[tuple[str, Text]]:
    for name, counts in rules:
        before, after = counts.before.waits, counts.after.waits
        if before != after:
            yield name, Text(f"{_waits(before)} → {_waits(after)}")


def _waits(waits: Waits) -> str:
    if not waits.count:
        return "none"
    shortest, longest = duration(waits.shortest), duration(waits.longest)
    span = shortest if shortest == longest else f"{shortest} to {longest}"
    return f"{waits.count:,} after {span}"


def _print_costs(console: Console, found: Compared) -> None:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold", style="dim")
    for name, (before, after) in sorted(found.comparison.costs.items()):
        calls = [each.calls if each else 0 for each in (before, after)]
        seconds = [each.seconds if each else 0.0 for each in (before, after)]
        limits = " → ".join(duration(each) if each else "none" for each in seconds)
        said = f"{calls[0]:,} → {calls[1]:,} calls"
        table.add_row(clean(name), said, f"at its limits {limits}" if any(seconds) else "")
    if table.row_count:
        about = " (estimated)" if found.comparison.is_estimated else ""
        console.print(f"Calls to vendors, each delivery by itself{about}", style="bold")
        console.print(indented(table, 2))
        console.print()
