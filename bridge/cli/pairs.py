"""Labels with what belongs to each, one below the other."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from bridge.cli.screen import indented

INDENT = 2


def pairs(pairs: Sequence[tuple[str, Text]]) -> RenderableType:
    """A label is not repeated on the lines after it."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    shown = ""
    for label, text in pairs:
        table.add_row("" if label == shown else label, text)
        shown = label
    return indented(table, INDENT)
