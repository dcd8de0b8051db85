"""From the texts of rules files to a rule set, or to everything that is wrong with them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.errors import ConfigurationError, Mistake
from bridge.findings import Findings
from bridge.rules.expectations import ExpectationReader
from bridge.rules.expected import Expectation
from bridge.rules.lint import lint
from bridge.rules.misplaced import advice_for_file
from bridge.rules.named import Named, NamedReader
from bridge.rules.records import RuleSet, World
from bridge.rules.rule_reader import RuleReader
from bridge.rules.schema import MOST_RULES, MOST_TESTS, RulesText
from bridge.rules.template_check import together
from bridge.rules.written import Written
from bridge.yaml_text import Path, understood

MOST_TOLD = 200
"""Mistakes, and warnings, of which a person is told at once."""


def compile_rules(text: str, file: str, world: World) -> RuleSet:
    """The rules of one file; raises ConfigurationError with every mistake.

    `file` is the name that they carry.
    """
    return compile_files({file: text}, world)


def compile_files(
    files: Mapping[str, str], world: World, folder: str = "", *, with_tests: bool = True
) -> RuleSet:
    """The rules of all files in their order; raises ConfigurationError with every mistake.

    `files` maps names, as seen from the folder, to texts. Without tests no mistake in
    one of them counts: what was good when it went live need not run for want of a sample.
    """
    read_files, mistakes = _read(files, folder)
    compiler = _Compiler(read_files, world)
    written = compiler.rules() if read_files else ()
    rules = tuple(one.rule for one in written)
    tests = compiler.tests([rule.name for rule in rules]) if with_tests else ()
    # What stands in the line of a slip is most often its consequence.
    slips = {(each.file, each.line) for each in mistakes}
    mistakes += [
        each
        for one in read_files
        for each in one.findings.mistakes
        if (each.file, each.line) not in slips
    ]
    if mistakes:
        raise ConfigurationError(_first(mistakes))
    lint([(one.findings, one.value) for one in read_files], written, compiler.named)
    warnings = [
        each for one in read_files for each in (*one.findings.doubts, *one.findings.warnings)
    ]
    named = compiler.named
    return RuleSet(
        rules=rules,
        version=version_of(files),
        warnings=tuple(sorted(set(warnings))[:MOST_TOLD]),
        files=dict(files),
        time_zone=named.time_zone,
        names_zone=named.names_zone,
        lists=named.lists,
        texts=named.texts,
        tests=tests,
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
    """One file that YAML could read; `entries` are its rules, `tests` its tests."""

    name: str
    findings: Findings
    value: Mapping[str, Any]

    @property
    def entries(self) -> list[tuple[Path, Mapping[str, Any]]]:
        return self._groups("rules")[:MOST_RULES]

    @property
    def tests(self) -> list[tuple[Path, Mapping[str, Any]]]:
        return self._groups("tests")[:MOST_TESTS]

    def _groups(self, name: str) -> list[tuple[Path, Mapping[str, Any]]]:
        listed = self.value.get(name)
        numbered = enumerate(listed if isinstance(listed, list) else [])
        return [((name, at), entry) for at, entry in numbered if isinstance(entry, dict)]


def _read(files: Mapping[str, str], folder: str) -> tuple[list[_File], list[Mistake]]:
    """Those that can be read, and what is wrong with the others."""
    found: list[_File] = []
    mistakes: list[Mistake] = []
    for name, text in files.items():
        shown = f"{folder}/{name}" if folder else name
        document, slips = understood(text, shown)
        mistakes += slips
        if document is None:
            continue
        findings = Findings(document)
        value = findings.document.value
        if not isinstance(value, dict):
            findings.add((), *_no_rules(value))
        elif (
            findings.validated(RulesText, value, (), advice=advice_for_file(value), no_empty=True)
            and "rules" not in value
            and len(files) == 1
        ):
            findings.add((), "there are no rules", _RULES_ADVICE)
        found.append(_File(shown, findings, value if isinstance(value, dict) else {}))
    return found, mistakes


_RULES_ADVICE = "write `rules:` and below it the rules, each with `- name: ...`"


def _no_rules(value: Any) -> tuple[str, str]:
    if value is None:
        return "the file is empty", _RULES_ADVICE
    if isinstance(value, list):
        return "the file begins with a list", "write a line `rules:` above it"
    return "this is no rule", _RULES_ADVICE


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
        self.named: Named = reader.named(world.settings)

    def rules(self) -> tuple[Written, ...]:
        names: dict[str, tuple[str, int]] = {}
        written: list[Written] = []
        for file in self._files:
            reader = RuleReader(file.findings, self._world, self.named, names)
            with together():
                written += (reader.read(entry, path) for path, entry in file.entries)
        return tuple(written)

    def tests(self, rules: Sequence[str]) -> tuple[Expectation, ...]:
        """`rules` are the names that they may look at alone."""
        names: dict[str, tuple[str, int]] = {}
        readers = [
            (file, ExpectationReader(file.findings, self._world, self.named, rules, names))
            for file in self._files
            if file.tests
        ]
        return tuple(
            reader.read(entry, path) for file, reader in readers for path, entry in file.tests
        )
