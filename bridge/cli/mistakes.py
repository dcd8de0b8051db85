"""Mistakes and warnings at a terminal: the place, what is wrong, the line with a caret, advice."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from bridge import regular_files
from bridge.cli.screen import clean, counted, whole_words
from bridge.config import FILE, MAX_BYTES
from bridge.errors import Mistake

# A line of bridge.yaml into which somebody may have written a secret.
_SECRET_NAME = re.compile(r"secret|token|key|password|url", re.IGNORECASE)
_ENTRY = re.compile(r"(\s*(?:-\s+)?(?:[^:#]*:\s*)?)(.*)")
_REFERENCE = re.compile(r"\{\s*(env|file)\s*:")

NO_TEXTS: Mapping[str, str] = {}


def print_mistakes(
    console: Console,
    mistakes: Sequence[Mistake],
    complaints: Sequence[str] = (),
    texts: Mapping[str, str] = NO_TEXTS,
) -> None:
    """All of them and how many; `complaints` are about no line. `texts`: see `print_mistake`."""
    for complaint in complaints:
        console.print(Text(whole_words(clean(complaint), console.width), "red"), soft_wrap=True)
        console.print()
    for mistake in mistakes:
        print_mistake(console, mistake, "red", texts)
    console.print(counted(len(complaints) + len(mistakes), "mistake"), style="bold")


def print_warnings(
    console: Console, warnings: Sequence[Mistake], texts: Mapping[str, str] = NO_TEXTS
) -> None:
    """Nothing where there are none."""
    if warnings:
        console.print()
        console.print("No mistakes, but worth a look", style="bold")
    for warning in warnings:
        print_mistake(console, warning, "yellow", texts)


def print_mistake(
    console: Console, mistake: Mistake, style: str, texts: Mapping[str, str] = NO_TEXTS
) -> None:
    """`texts` are those of the files by the names that mistakes carry; others lie on the disk."""
    place = f"{mistake.file}:{mistake.line}:{mistake.column}"
    said = Text.assemble((f"{clean(place)}: ", "bold"), (clean(mistake.what), style))
    # Left to the terminal to wrap: a place that is cut in two can be neither read nor clicked.
    console.print(said, soft_wrap=True)
    line = _line(mistake, texts)
    if line:
        room = console.width - 8
        start = max(0, mistake.column - room + 10)
        console.print(Text(f"    {line[start : start + room]}", style="dim", no_wrap=True))
        before = cell_len(line[start : mistake.column - 1])
        console.print(Text(" " * (4 + before) + "^", style=style))
    if mistake.advice:
        console.print(Text(f"    {clean(mistake.advice)}"))
    console.print()


def mistake_object(mistake: Mistake) -> dict[str, object]:
    """For `--json`."""
    return {
        "file": mistake.file,
        "line": mistake.line,
        "column": mistake.column,
        "what": mistake.what,
        "advice": mistake.advice,
    }


def _line(mistake: Mistake, texts: Mapping[str, str]) -> str:
    """The line of the file; without what might be a secret."""
    text = texts.get(mistake.file)
    try:
        if text is None:
            found = regular_files.read(Path(mistake.file), MAX_BYTES)
            text = found.decode("utf-8-sig", "replace")
    except OSError:
        return ""
    lines = text.splitlines()
    if not 1 <= mistake.line <= len(lines):
        return ""
    line = lines[mistake.line - 1]
    if Path(mistake.file).name == FILE:
        line = _without_secret(line, lines[: mistake.line - 1])
    return clean(line, 10_000)


def _without_secret(line: str, before: Sequence[str]) -> str:
    """A list's entries belong to the last line before them that is none."""
    entry = _ENTRY.fullmatch(line)
    names = [each for each in before if not each.lstrip().startswith(("-", "#"))]
    owner = names[-1] if names and line.lstrip().startswith("-") else line
    if entry is None or not _SECRET_NAME.search(owner) or _REFERENCE.match(entry[2]):
        return line
    return f"{entry[1]}…"
