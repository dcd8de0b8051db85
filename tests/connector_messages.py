"""The texts of outcomes, read from the source of a connector: what a reader may come upon."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OUTCOMES = ("Retry", "Rejected", "Suppressed", "Unknown", "Halted", "Skipped")
VARIES = "…"


@dataclass(frozen=True)
class Message:
    """`text` has VARIES for what is filled in; None where it cannot be read from the source."""

    file: Path
    line: int
    text: str | None

    def __str__(self) -> str:
        return f"{self.file.name}:{self.line}"


def messages(file: Path) -> Iterator[Message]:
    """What the file's outcomes say, one for each way to say it."""
    tree = ast.parse(file.read_text("utf-8"))
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and _name(call.func) in OUTCOMES:
            said = _said(call)
            if said is not None:
                for text in _texts(said, tree):
                    yield Message(file, call.lineno, text)


def plain(text: str) -> str:
    """Without what pages and programs write differently."""
    text = re.sub(r"\s+", " ", text.replace("`", "").replace("\\|", "|"))
    return re.sub(f"{VARIES}+", VARIES, text).strip()


def _name(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else ""


def _said(call: ast.Call) -> ast.expr | None:
    named = [each.value for each in call.keywords if each.arg == "reason"]
    return call.args[0] if call.args else named[0] if named else None


def _texts(said: ast.expr, tree: ast.Module) -> Iterator[str | None]:
    if isinstance(said, ast.Constant):
        yield str(said.value)
    elif isinstance(said, ast.JoinedStr):
        yield "".join(
            str(part.value) if isinstance(part, ast.Constant) else VARIES for part in said.values
        )
    elif isinstance(said, ast.IfExp):
        yield from _texts(said.body, tree)
        yield from _texts(said.orelse, tree)
    elif isinstance(said, ast.Name):
        yield from _assigned(said.id, tree)
    elif not _is_passed_on(said):
        yield None


def _is_passed_on(said: ast.expr) -> bool:
    """Another outcome's reason, or what an exception says of itself."""
    if isinstance(said, ast.Attribute):
        return said.attr == "reason"
    return isinstance(said, ast.Call) and _name(said.func) == "str"


def _assigned(name: str, tree: ast.Module) -> Iterator[str | None]:
    """Every text that the file gives to a variable of that name."""
    found = False
    for each in ast.walk(tree):
        if not isinstance(each, ast.Assign):
            continue
        for target in each.targets:
            for bound, value in _pairs(target, each.value):
                if isinstance(bound, ast.Name) and bound.id == name:
                    found = True
                    yield from _texts(value, tree)
    if not found:
        yield None


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        yield from zip(target.elts, value.elts, strict=True)
    else:
        yield target, value
