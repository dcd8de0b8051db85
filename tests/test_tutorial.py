"""The tutorial of docs/rules.md, gone through as a reader would: what it shows is what comes."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.cli.house import UNSET, House
from tests.test_documents import ROOT

PAGE = ROOT / "docs" / "rules.md"
DRAFT = "draft/rules/large-orders.yaml"
ACCOUNTS = ("hubspot", "slack", "mailchimp")

# What the reader is told to do to the file, by the words that say so.
EDITS: Mapping[str, Callable[[str, str], str]] = {
    "Put the quotes back": lambda now, first: now.replace("#large-orders", '"#large-orders"'),
    "Correct them": lambda now, first: first,
    "Change `500` to `200`": lambda now, first: now.replace("500", "200"),
    "Write `236.25 CAD` there": lambda now, first: now.replace(
        "spent 236.25}", "spent 236.25 CAD}"
    ),
}
_PART = re.compile(
    rf"^```(?P<language>\w+)\n(?P<text>.*?)^```$|(?P<edit>{'|'.join(map(re.escape, EDITS))})",
    re.MULTILINE | re.DOTALL,
)
# What is another one each time.
_VARIES = {
    r"\b[0-9a-f]{12}\b": "VERSION",
    r"(?<![\w:])\d\d:\d\d(:\d\d)?": "TIME",
    r"\d{4}-\d\d-\d\d": "DAY",
    r"\d+ (h|days),": "SO LONG,",
    r"\d+ (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)": "DAY",
    r"\d+ (ms|s)\b": "SO LONG",
    r"by \w+$": "by SOMEBODY",
}


@dataclass
class Reader:
    """Types what the page says, in a folder like a newcomer's."""

    house: House
    shown: list[tuple[str, list[str], str]] = field(default_factory=list)
    first: str = ""

    def read(self, page: str) -> None:
        for part in _PART.finditer(page):
            if part["edit"]:
                self._write(EDITS[part["edit"]](self._file.read_text("utf-8"), self.first))
            elif part["language"] == "console":
                self._type(part["text"])
            elif "slack.post_message" in part["text"] and part["language"] in ("yaml", "text"):
                self._copy(part["text"])

    @property
    def _file(self) -> Path:
        return self.house.folder / DRAFT

    def _copy(self, text: str) -> None:
        """The whole file, or what belongs at its end."""
        self.first = self.first or text
        before = self._file.read_text("utf-8") + "\n" if text.startswith("tests:") else ""
        self._write(before + text)

    def _write(self, text: str) -> None:
        self._file.write_text(text, "utf-8")

    def _type(self, block: str) -> None:
        for command, expected in typed(block):
            words = command.split()
            if words[0] != "showbridge":
                subprocess.run(command, shell=True, check=True, cwd=self.house.folder)
            elif words[1] == "send":
                self._send(words[2])
            else:
                self.shown.append((command, expected, self._run(command)))

    def _run(self, command: str) -> str:
        arguments = [one.strip('"') for one in re.findall(r'"[^"]*"|\S+', command)][1:]
        done = self.house.run(*arguments)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.output

    def _send(self, sample: str) -> None:
        """What the receiver and the workers do with it."""
        ledger = self.house.open()
        ledger.receive(sample)
        ledger.route()
        for account in ACCOUNTS:
            ledger.deliver(account)
        ledger.database.close()


def typed(block: str) -> Iterator[tuple[str, list[str]]]:
    """Each command with the lines that are shown of what it says."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, said = part.partition("\n")
        yield command, said.splitlines()


def same_each_time(line: str) -> str:
    for pattern, instead in _VARIES.items():
        line = re.sub(pattern, instead, line.rstrip())
    return " ".join(line.split())


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    house = House(tmp_path)
    shutil.rmtree(tmp_path / "config")
    shutil.copytree(ROOT / "config", tmp_path / "config")
    monkeypatch.chdir(tmp_path)
    house.environ = {**UNSET, "COLUMNS": "80", "TZ": "UTC", "SHOWBRIDGE_CONFIG": None}
    return Reader(house)


def test_a_reader_sees_what_the_page_shows(reader: Reader) -> None:
    """Line by line, in order; `...` stands for any lines that are left out."""
    reader.read(PAGE.read_text("utf-8"))
    assert len(reader.shown) > 12
    for command, expected, output in reader.shown:
        came = iter([same_each_time(line) for line in output.splitlines()])
        for line in map(same_each_time, expected):
            assert line in ("...", "") or line in came, f"{command}: {line}\n\n{output}"
