"""From the texts of rules files to a rule set, or to everything that is wrong with them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.errors import ConfigurationError, Mistake
from bridge.findings import Findings
from bridge.rules.named import Named, NamedReader
from bridge.rules.records import Expectation, RuleSet, World
from bridge.rules.rule_reader import RuleReader
from bridge.rules.schema import RulesText
from bridge.yaml_text import Path, read

MOST_TOLD = 200
"""Mistakes, and warnings, of which a person is told at once."""


def compile_rules(text: str, file: str, world: World) -> RuleSet:
    """The rules of one file; raises ConfigurationError with every mistake.

    `file` is the name that they carry.
    """
    return compile_files({file: text}, world)


def compile_files(files: Mapping[str, str], world: World, folder: str = "") -> RuleSet:
    """The rules of all files in their order; raises ConfigurationError with every mistake.

    `files` maps names, as seen from the folder, to texts.
    """
    read_files, mistakes = _read(files, folder)
    compiler = _Compiler(read_files, world)
    rules = compiler.rules() if read_files else ()
    mistakes += [each for one in read_files for each in one.findings.mistakes]
    if mistakes:
        raise ConfigurationError(_first(mistakes))
    warnings = [
        each
        for one in read_files
        for each in (*one.findings.document.warnings, *one.findings.warnings)
    ]
    named = compiler.named
    return RuleSet(
        rules=rules,
        version=version_of(files),
        warnings=tuple(sorted(set(warnings))[:MOST_TOLD]),
        files=dict(files),
        time_zone=named.time_zone,
        lists=named.lists,
        texts=named.texts,
        tests=compiler.tests(),
    )


def version_of(files: Mapping[str, str]) -> str:
    """Twelve hexadecimal digits: the same for the same names and texts, wherever they lie."""
    digest = hashlib.sha256()
    for name, text in files.items():
        for part in (name, text):
            encoded = part.encode("utf-8", "surrogatepass")
            digest.update(len(encoded).to_bytes(8, "big") + encoded)
    return digest.hexdigest()[:12]


@dataclass(frozen=True)
class _File:
    """One file that YAML could read; `entries` are its rules."""

    name: str
    findings: Findings
    value: Mapping[str, Any]

    @property
    def entries(self) -> list[tuple[Path, Mapping[str, Any]]]:
        listed = self.value.get("rules")
        numbered = enumerate(listed if isinstance(listed, list) else [])
        return [(("rules", at), entry) for at, entry in numbered if isinstance(entry, dict)]


def _read(files: Mapping[str, str], folder: str) -> tuple[list[_File], list[Mistake]]:
    """Those that can be read, and what is wrong with the others."""
    found: list[_File] = []
    mistakes: list[Mistake] = []
    for name, text in files.items():
        shown = f"{folder}/{name}" if folder else name
        try:
            findings = Findings(read(text, shown))
        except ConfigurationError as error:
            mistakes += error.mistakes
            continue
        value = findings.document.value
        if value is None:
            findings.add((), "the file is empty", "write `rules:` and rules below it")
        elif findings.validated(RulesText, value, ()) and "rules" not in value and len(files) == 1:
            findings.add((), "there are no rules", "write `rules:` and rules below it")
        found.append(_File(shown, findings, value if isinstance(value, dict) else {}))
    return found, mistakes


def _first(mistakes: Sequence[Mistake]) -> list[Mistake]:
    """The first of very many: nobody reads more of them at once."""
    told = sorted(set(mistakes))
    more = len(told) - MOST_TOLD
    if more <= 0:
        return told
    last = told[MOST_TOLD - 1]
    rest = Mistake(last.file, last.line, last.column, f"and {more:,} more mistakes after this one")
    return [*told[:MOST_TOLD], rest]


class _Compiler:
    """Goes through the files; goes on after mistakes, with what can still be understood."""

    def __init__(self, files: Sequence[_File], world: World) -> None:
        self._files = files
        self._world = world
        reader = NamedReader()
        for file in files:
            reader.read(file.findings, file.value)
        self.named: Named = reader.named()

    def rules(self) -> Any:
        names: dict[str, tuple[str, int]] = {}
        return tuple(
            RuleReader(file.findings, self._world, self.named, names).read(entry, path)
            for file in self._files
            for path, entry in file.entries
        )

    def tests(self) -> tuple[Expectation, ...]:
        return tuple(
            _expectation(file, number, entry)
            for file in self._files
            for number, entry in enumerate(file.value.get("tests", ()))
        )


def _expectation(file: _File, number: int, entry: Mapping[str, Any]) -> Expectation:
    line = file.findings.document.mistake(("tests", number), "").line
    name = entry.get("name")
    named = name if isinstance(name, str) and name.strip() else f"test {number + 1}"
    return Expectation(named, entry, file.name, line)
