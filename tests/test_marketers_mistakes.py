"""What marketers write by mistake, what they are told, and whether that leads to what they want.

The files in `marketers_mistakes/` are phrase books, each about one kind of mistake. A file has a
`frame`, the text around each of its mistakes, which stand in it instead of `HERE`, and

    - wish:  what the person wants
      wrong: what the person writes
      told:  what the person reads: line and column within `wrong`, what is wrong, what to write
      right: what stands there after the person did what the message says
      matches: what is different in the sample that comes in, and the rule acts
      misses: the same, and the rule does nothing
      sends: what is sent for the sample, as `expect` of a rule test

`warned` stands instead of `told` where the file is taken and the person warned.
An entry can have a `frame` or a `sample` of its own; the sample is else a purchase.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from bridge import config, rules
from bridge.engine.rule_tests import run_tests
from bridge.errors import ConfigurationError
from tests.rules.test_mistakes import JARGON, QUOTED

BOOKS = sorted((Path(__file__).parent / "marketers_mistakes").glob("*.yaml"))
SHIPPED = Path(__file__).parent.parent / "config" / config.FILE
MINIMUM = 300

# What follows these words is to be copied into the file; what is like something is an example.
COPIED = re.compile(
    r"(?:\bwrite(?: [a-z ,]+:|:)?|did you mean|put quotes around [a-z ]*:) "
    r"(?!it |one |a |the |digits |each |numbers )([^;]+)"
)
OPTIONS = re.compile(
    r", or |, and below it | or (?=[`\"{\[\w])| if | for | instead| where | in quotes"
)


@dataclass(frozen=True)
class Sample:
    """One mistake of a book; `line` and `indent` are where it begins in its frame."""

    book: str
    entry: Mapping[str, Any]
    frame: str

    @property
    def line(self) -> int:
        return self.frame.partition("HERE")[0].count("\n")

    @property
    def indent(self) -> int:
        return len(self.frame.partition("HERE")[0].rpartition("\n")[2])

    def framed(self, text: str) -> str:
        first, *rest = text.rstrip("\n").split("\n")
        lines = [first, *(" " * self.indent + line if line else line for line in rest)]
        return self.frame.replace("HERE", "\n".join(lines))

    @property
    def told(self) -> list[str]:
        said = self.entry.get("told") or self.entry["warned"]
        return [said] if isinstance(said, str) else said


def of_book(file: Path) -> Iterator[Sample]:
    book = yaml.safe_load(file.read_text("utf-8"))
    for entry in book["mistakes"]:
        yield Sample(file.stem, entry, entry.get("frame", book.get("frame")))


SAMPLES = [sample for file in BOOKS for sample in of_book(file)]


def named(sample: Sample) -> str:
    return f"{sample.book}: {sample.entry['wrong'].strip().splitlines()[0]}"


each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=named)


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> config.Config:
    """With an account of every connector."""
    folder = tmp_path_factory.mktemp("config")
    whole = yaml.safe_load(SHIPPED.read_text("utf-8"))
    whole["accounts"] |= {"email": {}, "webhook": {}}
    (folder / config.FILE).write_text(yaml.safe_dump(whole))
    return config.load({"SHOWBRIDGE_DATA": str(folder / "data")}, folder)


def found_in(sample: Sample, shipped: config.Config) -> tuple[str, list[str]]:
    """How it is told, as `told` or `warned`, and what is told, with places within it."""
    text, how = sample.framed(sample.entry["wrong"]), "warned"
    try:
        found = rules.compile_rules(text, "rules.yaml", config.world(shipped)).warnings
    except ConfigurationError as error:
        found, how = tuple(error.mistakes), "told"
    return how, [
        f"{one.line - sample.line}:{one.column - sample.indent} {str(one).partition(': ')[2]}"
        for one in found
    ]


@each_sample
def test_what_is_wrong_is_told(sample: Sample, shipped: config.Config) -> None:
    how, told = found_in(sample, shipped)
    assert told == sample.told
    assert how in sample.entry


@each_sample
def test_the_place_is_where_something_has_to_be_changed(sample: Sample) -> None:
    changed = set(_changed(sample.entry["wrong"].splitlines(), sample.entry["right"].splitlines()))
    for told in sample.told:
        line = int(told.partition(":")[0])
        # What is missing is told where it belongs to.
        assert line in changed or ("is missing;" in told and line + 1 in changed), told


def _changed(wrong: list[str], right: list[str]) -> Iterator[int]:
    """The lines that differ, from 1; where something was put in, those before and after it."""
    for kind, start, end, _, _ in difflib.SequenceMatcher(None, wrong, right).get_opcodes():
        if kind == "insert":
            yield from (start, start + 1)
        elif kind != "equal":
            yield from range(start + 1, end + 1)


@each_sample
def test_what_to_write_instead_stands_in_the_right_text(sample: Sample) -> None:
    right = plain(sample.entry["right"])
    for told in sample.told:
        assert "; " in told or "must be '" in told, f"it says nothing of what to do: {told}"
        options = options_of(told)
        assert not options or any(one in right for one in options), f"not in it: {options}"


def options_of(told: str) -> list[str]:
    """What a message gives to copy, of which one must be right."""
    _, _, advice = told.partition("; ")
    copied = (one for part in COPIED.findall(advice) for one in _options(part))
    return [one for one in map(plain, copied) if one.strip(".")]


def _options(copied: str) -> list[str]:
    """What can be copied: what stands in backticks, or the whole if nothing does."""
    quoted = re.findall(r"`([^`]+)`", copied)
    return [one.partition("...")[0] for one in quoted] or OPTIONS.split(copied)


def plain(text: str) -> str:
    return re.sub(r"[`\"'?{}\s]", "", text)


@each_sample
def test_no_word_is_for_programmers_only(sample: Sample) -> None:
    for told in sample.told:
        assert JARGON.search(QUOTED.sub("", told)) is None, told


@each_sample
def test_who_does_what_the_message_says_gets_what_they_want(
    sample: Sample, shipped: config.Config
) -> None:
    text, world = sample.framed(sample.entry["right"]), config.world(shipped)
    alone = rules.compile_rules(text, "rules.yaml", world)
    assert not alone.warnings
    files = {"rules.yaml": text}
    if {"matches", "misses", "sends"} & set(sample.entry):
        files["rules/proof.yaml"] = _proof(sample, alone.rules[0])
    results = run_tests(rules.compile_files(files, world), shipped)
    assert results, "nothing proves that it is what was wanted"
    failed = [(each.test.name, each.complaints) for each in results if each.state != "passed"]
    assert not failed


def _proof(sample: Sample, rule: rules.Rule) -> str:
    """Rule tests of what the rule must do then, and must not."""
    entry = sample.entry
    action = f"{rule.steps[0].account}.{rule.steps[0].action}"
    wanted: list[tuple[Any, Any]] = [*((one, [action]) for one in _listed(entry.get("matches")))]
    wanted += [(one, "nothing") for one in _listed(entry.get("misses"))]
    wanted += [({}, entry["sends"])] if "sends" in entry else []
    name = entry.get("sample", "invoice.purchase")
    tests = [
        {
            "name": f"{sample.book} {number}",
            "given": {"sample": name, "with": changes},
            "only": rule.name,
            "expect": expected,
        }
        for number, (changes, expected) in enumerate(wanted)
    ]
    return yaml.safe_dump({"tests": tests}, sort_keys=False)


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def test_there_are_enough_of_them() -> None:
    assert len(SAMPLES) >= MINIMUM
