"""What became of the tests of rules, in lines for a terminal and as objects for `--json`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from bridge.cli.screen import clean, counted, indented
from bridge.engine.expecting import Complaint
from bridge.engine.rule_tests import Result, State

_MARKS: Mapping[State, tuple[str, str]] = {
    "passed": ("✓", "green"),
    "failed": ("✗", "red"),
    "skipped": ("–", "yellow"),
}
_WORDS: Mapping[State, str] = {"passed": "passed", "failed": "failed", "skipped": "not run"}
_LABELS = len("expected")


@dataclass(frozen=True)
class Line:
    """`depth` says how far it is indented; a `label` stands before its text."""

    depth: int
    text: str
    label: str = ""


def print_results(console: Console, results: Sequence[Result]) -> None:
    """Each test with its mark, what differs below those that failed, and how many there were."""
    for result in results:
        mark, style = _MARKS[result.state]
        console.print(Text.assemble((mark, style), " ", clean(result.test.name)))
        for line in lines_of(result):
            _print(console, line)
    counts = Counter(result.state for result in results)
    said = [f"{counts[state]} {word}" for state, word in _WORDS.items() if counts[state]]
    console.print()
    console.print(f"{counted(len(results), 'test')}: {', '.join(said)}", style="bold")


def _print(console: Console, line: Line) -> None:
    if line.depth == 0:
        # Left to the terminal to wrap: a place that is cut in two can be neither read nor clicked.
        console.print(Text(f"  {line.text}", "dim"), soft_wrap=True)
    else:
        console.print(indented(_shown(line), 2 + 2 * line.depth))


def _shown(line: Line) -> RenderableType:
    if not line.label:
        return Text(line.text)
    row = Table.grid(padding=(0, 2, 0, 0))
    row.add_column(no_wrap=True, style="dim", width=_LABELS)
    row.add_column(overflow="fold")
    row.add_row(line.label, line.text)
    return row


def lines_of(result: Result) -> Iterator[Line]:
    """What there is to say of a test beside its name; nothing where it passed."""
    if result.state == "passed":
        return
    yield Line(0, clean(f"{result.test.file}:{result.test.line}"))
    if result.reason:
        yield Line(1, clean(f"not run: {result.reason}"))
    together = any(each.kind == "only" for each in result.complaints)
    unexpected = [each for each in result.complaints if together and each.kind == "unexpected"]
    if unexpected:
        yield Line(1, _of_others(unexpected))
    for complaint in result.complaints:
        if complaint not in unexpected:
            yield Line(1, clean(complaint.what))
            yield from _details(complaint, result.test.file)


def _of_others(unexpected: Sequence[Complaint]) -> str:
    """One line for what other rules do with the same event."""
    many = counted(len(unexpected), "delivery")
    rules = ", ".join(f"“{rule}”" for rule in dict.fromkeys(each.rule for each in unexpected))
    verb = "is done, and is" if len(unexpected) == 1 else "are done, and are"
    return clean(f"{many} {verb} not expected: by {rules}", 1000)


def failure(result: Result) -> str:
    """All of it in plain lines, the test's name first."""
    said = [
        f"{'  ' * (1 + line.depth)}{line.label and line.label.ljust(_LABELS + 2)}{line.text}"
        for line in lines_of(result)
    ]
    return "\n".join([clean(result.test.name), *said])


def as_object(result: Result) -> dict[str, Any]:
    return {
        "name": result.test.name,
        "file": result.test.file,
        "line": result.test.line,
        "state": result.state,
        "reason": result.reason or None,
        "complaints": [asdict(each) for each in result.complaints],
    }


def _details(complaint: Complaint, file: str) -> Iterator[Line]:
    if complaint.expected:
        yield Line(2, clean(complaint.expected), "expected")
    if complaint.came:
        yield Line(2, clean(complaint.came), "came")
    for why in complaint.why:
        if why.rule:
            place = f" ({why.file})" if why.file != file else ""
            yield Line(2, clean(f"“{why.rule}”{place} does not do it:"))
        for reason in why.reasons:
            yield Line(3 if why.rule else 2, clean(reason))
