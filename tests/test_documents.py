"""The documents tell the truth: their YAML is right, their commands exist, their links lead on."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click
import pytest
import yaml

from bridge import config, rules
from bridge.cli import cli
from bridge.engine.rule_tests import run_tests
from bridge.registry import installed
from bridge.rules.schema import RulesText

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
GROUPS = ("sources", "accounts", "server", "delivery", "alerts", "retention")

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
_EXAMPLE = re.compile(r"^`([\w./-]+)`[^\n]*:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_VARIABLE = re.compile(r"[A-Z_]+=\S*")
# What may stand before a command in its line.
_BEFORE = ("xargs", "-r", "-n", "1")


@dataclass(frozen=True)
class Block:
    """One fenced block; `line` is where its text begins."""

    file: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line}"


def blocks(file: Path) -> Iterator[Block]:
    text = file.read_text("utf-8")
    for found in _FENCE.finditer(text):
        line = text.count("\n", 0, found.start()) + 2
        yield Block(file, line, found[1], found[2])


BLOCKS = [block for file in DOCUMENTS for block in blocks(file)]
YAML = [block for block in BLOCKS if block.language == "yaml"]
SETTINGS = [
    block
    for block in YAML
    if block.text.startswith((*(f"{group}:" for group in GROUPS), "rules:\n  publish:"))
]
RULES = [
    block
    for block in YAML
    if block.text.partition(":")[0] in RulesText.model_fields and block not in SETTINGS
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> rules.World:
    data = tmp_path_factory.mktemp("data")
    shipped = config.world(config.load({"SHOWBRIDGE_DATA": str(data)}, ROOT / "config"))
    # Some connectors ship without an account.
    return replace(shipped, accounts={**installed().connectors, **shipped.accounts})


def test_every_yaml_block_can_be_checked() -> None:
    unchecked = [str(block) for block in YAML if block not in RULES and block not in SETTINGS]
    assert not unchecked, "begin them with `rules:` or a group of bridge.yaml"


@pytest.mark.parametrize("block", RULES, ids=str)
def test_rules_have_no_mistake_and_no_warning(block: Block, world: rules.World) -> None:
    compiled = rules.compile_rules(whole(block), str(block), world)
    assert compiled.rules
    # A source whose types are open may be asked for any; all else deserves no second look.
    assert not [one for one in compiled.warnings if "is not known to send" not in one.what]


def whole(block: Block) -> str:
    """With the rules before it, where tests stand apart from them."""
    if not block.text.startswith("tests:"):
        return block.text
    before = [one for one in RULES if one.file == block.file and one.line < block.line]
    return before[-1].text + block.text


@pytest.mark.parametrize("block", SETTINGS, ids=str)
def test_settings_can_be_loaded(block: Block, tmp_path: Path) -> None:
    """Its groups take the place of those in the shipped file."""
    whole = yaml.safe_load((ROOT / "config" / config.FILE).read_text("utf-8"))
    (tmp_path / config.FILE).write_text(yaml.safe_dump(whole | yaml.safe_load(block.text)))
    # Long enough for a path secret; what is a credential elsewhere may look like anything.
    environ = dict.fromkeys(re.findall(r"env: (\w+)", block.text), "xoxb-0123456789-us6")
    environ |= {name: "https://hooks.slack.com/services/T/B/X" for name in environ if "URL" in name}
    loaded = config.load({**environ, "SHOWBRIDGE_DATA": str(tmp_path)}, tmp_path)
    assert loaded.sources


SOURCES = [block for block in SETTINGS if block.text.startswith("sources:")]


@pytest.mark.parametrize("block", SOURCES, ids=str)
def test_sources_of_a_document_fit_the_rules_that_ship_and_the_recipes(
    block: Block, tmp_path: Path
) -> None:
    """Beside the sources that ship, as somebody adds them who has the others already."""
    whole = yaml.safe_load((ROOT / "config" / config.FILE).read_text("utf-8"))
    added = yaml.safe_load(block.text)["sources"]
    whole["sources"] |= added
    whole["accounts"] |= {"email": {}, "webhook": {}}
    (tmp_path / config.FILE).write_text(yaml.safe_dump(whole))
    environ = dict.fromkeys(re.findall(r"env: (\w+)", block.text), "0123456789-0123456789")
    loaded = config.load({**environ, "SHOWBRIDGE_DATA": str(tmp_path)}, tmp_path)
    shipped = (ROOT / "config" / "rules.yaml").read_text("utf-8")
    two = next(each for each in RULES if "Sales of the festival" in each.text)
    files = {"rules.yaml": shipped, "rules/recipe.yaml": two.text}
    compiled = rules.compile_files(files, config.world(loaded))
    results = run_tests(compiled, loaded)
    assert len(results) > 2
    assert [each.test.name for each in results if each.state != "passed"] == []


def commands(file: Path) -> Iterator[list[str]]:
    """The words after `showbridge` wherever a document tells to run it."""
    text = file.read_text("utf-8")
    prose = _FENCE.sub("", text)
    lines = [line for block in blocks(file) for line in _typed(block)]
    quoted = [span for line in lines for span in _INLINE.findall(line)]
    for told in (*lines, *_INLINE.findall(prose), *quoted):
        for part in told.split(" | "):
            words = part.split()
            while words and (words[0] in _BEFORE or _VARIABLE.fullmatch(words[0])):
                words.pop(0)
            if words and words[0].rpartition("=")[2].rpartition("/")[2] == "showbridge":
                yield words[1:]


def _typed(block: Block) -> Iterator[str]:
    """The lines that somebody types or that a machine runs."""
    if block.language in ("console", "shell", "ini", "text"):
        for line in block.text.splitlines():
            if block.language != "console" or line.startswith("$ "):
                yield line.removeprefix("$ ")


TOLD = [(file, words) for file in DOCUMENTS for words in commands(file)]


@pytest.mark.parametrize(
    ("file", "words"), TOLD, ids=[f"{file.name} {' '.join(words)}" for file, words in TOLD]
)
def test_commands_exist_with_their_options(file: Path, words: list[str]) -> None:
    if not words or words[0].startswith(("%", "-")):
        return
    context = click.Context(cli)
    assert words[0] in cli.list_commands(context), f"{file.name}: showbridge {' '.join(words)}"
    command = cli.get_command(context, words[0])
    if isinstance(command, click.Group) and len(words) > 1:
        command = command.get_command(context, words[1])
    assert command is not None
    known = {name for parameter in command.params for name in parameter.opts}
    named = {word.partition("=")[0] for word in words[1:] if word.startswith("-")}
    assert named <= known | {"--help", "-h"}, f"{file.name}: showbridge {' '.join(words)}"


def test_the_documents_do_tell_commands() -> None:
    told = {" ".join(words[:length]) for _, words in TOLD for length in (1, 2)}
    missing = set(every_command()) - told
    assert not missing, "no document says how these are used"


def every_command() -> Iterator[str]:
    """Those of groups too: `rules try`."""
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        yield name
        if isinstance(command, click.Group):
            yield from (f"{name} {inner}" for inner in command.list_commands(context))


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_relative_links_lead_somewhere(file: Path) -> None:
    text = _FENCE.sub("", file.read_text("utf-8"))
    for link in _LINK.findall(text):
        if "://" in link:
            continue
        path, _, heading = link.partition("#")
        target = (file.parent / path).resolve() if path else file
        assert target.exists(), f"{file.name} links to {link}"
        assert target.is_relative_to(ROOT), f"{file.name} links out of the project: {link}"
        if heading:
            assert heading in _anchors(target), f"{file.name} links to {link}"


def _anchors(file: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = _HEADING.findall(_FENCE.sub("", file.read_text("utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_example_in_the_document_is_the_package() -> None:
    package = ROOT / "examples" / "showbridge-acme"
    shown = dict(_EXAMPLE.findall((ROOT / "docs" / "writing-a-connector.md").read_text("utf-8")))
    files = [each for each in package.rglob("*.*") if each.suffix in (".py", ".toml")]
    texts = {str(each.relative_to(package)): each.read_text("utf-8") for each in files}
    assert {name: text for name, text in texts.items() if text} == shown


def test_the_examples_pass_their_conformance_suites(tmp_path: Path) -> None:
    """The files that both pages on writing show, put together as they say."""
    for name in ("writing-a-connector.md", "writing-a-source.md"):
        for path, text in _EXAMPLE.findall((ROOT / "docs" / name).read_text("utf-8")):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert len(list(tmp_path.rglob("*.*"))) >= 6
