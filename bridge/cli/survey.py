"""`showbridge check --online`: ask each vendor whether what the rules name is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from bridge.cli.screen import clean, counted, indented
from bridge.cli.uses import uses_of
from bridge.config import AccountConfig, Config
from bridge.connector import Checked, Halted
from bridge.rules import RuleSet

_STYLES = {"right": "green", "wrong": "red", "unknown": "yellow"}
_MARKS = {"right": "✓", "wrong": "✗", "unknown": "?"}


@dataclass(frozen=True)
class Survey:
    """What one account's vendor said; `preview`: it was not asked."""

    account: str
    preview: bool
    found: Sequence[Checked] = ()

    @property
    def is_right(self) -> bool:
        return all(each.state != "wrong" for each in self.found)


def survey(config: Config, rules: RuleSet) -> Iterator[Survey]:
    """One account after the other, in the order of the file."""
    for account in config.accounts.values():
        if account.preview:
            yield Survey(account.name, preview=True)
        else:
            yield Survey(account.name, preview=False, found=_asked(account, rules))


def _asked(account: AccountConfig, rules: RuleSet) -> Sequence[Checked]:
    connector = account.connector(account.settings)
    try:
        return connector.survey(uses_of(rules, account.name))
    except Halted as refused:
        return [Checked("the credentials", "wrong", str(refused))]


def show(console: Console, each: Survey) -> None:
    console.print()
    console.print(clean(each.account), style="bold")
    if each.preview:
        console.print(indented(Text("in preview: there is nobody to ask", style="dim"), 2))
    elif not each.found:
        console.print(indented(Text("nothing to ask this vendor about", style="dim"), 2))
    for checked in each.found:
        mark = Text(_MARKS[checked.state], style=_STYLES[checked.state])
        console.print(indented(Text.assemble(mark, f" {clean(checked.what)}"), 2))
        if checked.advice:
            console.print(indented(Text(clean(checked.advice, 1000)), 4))


def show_end(console: Console, surveys: Sequence[Survey]) -> None:
    wrong = sum(one.state == "wrong" for each in surveys for one in each.found)
    unasked = sum(one.state == "unknown" for each in surveys for one in each.found)
    console.print()
    if wrong:
        console.print(f"{counted(wrong, 'thing')} to put right.", style="red")
    elif unasked:
        console.print(f"{counted(unasked, 'thing')} could not be asked about.", style="yellow")
    elif any(each.found for each in surveys):
        console.print("All that the rules name is there.", style="green")


def as_object(each: Survey) -> dict[str, object]:
    return {
        "account": each.account,
        "mode": "preview" if each.preview else "live",
        "checked": [vars(one) for one in each.found],
    }
