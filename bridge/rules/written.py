"""A rule together with the place where somebody wrote it, for what is said about it later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.errors import Mistake
from bridge.findings import Findings
from bridge.rules.records import Rule
from bridge.source import Source
from bridge.yaml_text import Path


@dataclass(frozen=True)
class Written:
    """`entry` stands at `path` of its file; `single` are the paths in its conditions that
    have one value at most, `single_in_entry` those that one entry of their list has one
    value at. `lists` are those whose entries have fields. `kinds` are the sources that can
    send what it is about.
    """

    rule: Rule
    entry: Mapping[str, Any]
    path: Path
    single: frozenset[str]
    kinds: tuple[type[Source], ...]
    lists: frozenset[str]
    single_in_entry: frozenset[str]
    findings: Findings = field(repr=False)

    def warn(self, below: Path, what: str, advice: str = "") -> None:
        """Something that deserves a look, at the name of what stands `below` the rule."""
        self.findings.warn((*self.path, *below), what, advice, at_key=True)

    def warn_at(self, line: int, column: int, what: str, advice: str) -> None:
        """The same, where the place is known."""
        mistake = Mistake(self.findings.document.file, line, column, what, advice)
        self.findings.warnings.append(mistake)

    def seen_from(self, other: Written) -> str:
        """Where the rule stands, for a reader of another one."""
        if self.rule.file == other.rule.file:
            return f"line {self.rule.line}"
        return f"{self.rule.file}, line {self.rule.line}"
