"""What a replay of many means, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bridge.cli.accounts import Account
from bridge.cli.replay_plan import Line, Plan
from bridge.cli.replaying import OBSTACLES, Replaying
from bridge.cli.screen import clean, counted, duration, indented
from bridge.ledger.selection import WEBHOOK_STATES


def print_plan(
    console: Console, plan: Plan, replaying: Replaying, resting: Sequence[Account]
) -> None:
    """`resting`: accounts that will not take it now."""
    console.print(_heading(plan, replaying))
    if plan.lines:
        console.print()
        console.print(indented(_table(plan), 2))
    if plan.kept_back:
        _print_kept_back(console, plan)
    if plan.count:
        console.print()
        for sentence in (*_sentences(plan, replaying), *map(_resting, resting)):
            console.print(sentence)


def _heading(plan: Plan, replaying: Replaying) -> Text:
    state = replaying.chosen.state
    if not plan.found:
        return Text(f"Nothing that is {state} matches: there is nothing to replay.")
    if replaying.by_event:
        found = _events(plan, state)
        return Text(f"{found}; {plan.count:,} to be routed again by the rules of now.")
    found = counted(plan.found, f"{state} delivery")
    return Text(f"{found}; {plan.count:,} to be sent again as filled in.")


def _events(plan: Plan, state: str) -> str:
    if state in WEBHOOK_STATES:
        return counted(plan.found, f"{state} event")
    return f"{counted(plan.found, 'event')} with {state} deliveries"


def _table(plan: Plan) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(overflow="fold")
    for _ in range(2):
        table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold", style="dim")
    about = "about " if plan.guessed else ""
    for line in plan.lines:
        table.add_row(
            Text(clean(f"{line.account}.{line.action}"), style="bold"),
            f"{about}{counted(line.deliveries, 'delivery')}",
            f"{about}{_calls(line)}",
            _time(line),
        )
    return table


def _calls(line: Line) -> str:
    if line.at_most == line.calls:
        return counted(line.calls, "call")
    return f"{line.calls:,} to {line.at_most:,} calls"


def _time(line: Line) -> str:
    if line.preview:
        return "in preview: nothing leaves"
    return duration(line.seconds) if line.seconds else "no limit per time"


def _print_kept_back(console: Console, plan: Plan) -> None:
    console.print()
    console.print("Left as they are:", style="bold")
    for name, obstacle in OBSTACLES.items():
        count = plan.kept_back.get(name)
        if count:
            console.print(indented(Text(f"{count:,}: {obstacle.about}"), 2))
            console.print(indented(Text(obstacle.advice, style="dim"), 4))


def _sentences(plan: Plan, replaying: Replaying) -> Iterator[Text]:
    alone = f"the vendors' limits alone ask for {duration(plan.limits)}"
    if plan.speed is None:
        yield Text(f"All at once: it goes before what comes in; {alone}.")
    else:
        pace = _pace(plan.speed)
        yield Text(f"At {pace} it takes {duration(plan.seconds)}; {alone}.")
    if replaying.chosen.state == "quarantined":
        yield Text(
            "They were kept aside for a reason: replay only what you know to be genuine.", "yellow"
        )


def _resting(account: Account) -> Text:
    name = clean(account.name)
    advice = f"; then `showbridge resume {name}`" if account.state == "halted" else ""
    return Text(f"{name} is {account.state}: it waits for that to end{advice}.", "yellow")


def _pace(speed: float) -> str:
    """Per second, or per minute where it is slow."""
    return f"{speed:.2g}/s" if speed >= 1 else f"{speed * 60:.2g}/min"
