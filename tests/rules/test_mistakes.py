"""Each file in `mistakes/` has beside it, in a .txt, what a person is told about it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bridge import rules
from bridge.errors import ConfigurationError

FILES = sorted((Path(__file__).parent / "mistakes").glob("*.yaml"))
TOLD = sorted(Path(__file__).parent.glob("*/*.txt"))

# Words of those who write programs, which no marketer has to know.
JARGON = re.compile(
    r"\b(mapping|scalar|sequence|schema|valid|validation|invalid|parse|parser|parsed|token|tag|"
    r"nonetype|none|null|dict|str|int|float|bool|boolean|string|integer|array|object|key|"
    r"exception|error|traceback|jinja|pydantic|python|regex|type_error|attribute|argument)\b",
    re.IGNORECASE,
)
QUOTED = re.compile(r"`[^`]*`|\"[^\"]*\"|\{\{.*?\}\}|\{%.*?%\}")
"""What a message repeats of the file, or gives to copy."""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_mistake_says_where_what_and_what_would_be_right(
    file: Path, world: rules.World
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        rules.compile_rules(file.read_text("utf-8"), file.name, world)
    assert str(raised.value) == file.with_suffix(".txt").read_text("utf-8").strip()


def test_there_are_enough_of_them() -> None:
    assert len(FILES) >= 60


@pytest.mark.parametrize("told", TOLD, ids=lambda told: f"{told.parent.name}-{told.stem}")
def test_no_word_is_for_programmers_only(told: Path) -> None:
    for line in told.read_text("utf-8").splitlines():
        where, _, said = line.partition(" ")
        assert JARGON.search(QUOTED.sub("", said)) is None, f"{where} {said}"


@pytest.mark.parametrize("told", TOLD, ids=lambda told: f"{told.parent.name}-{told.stem}")
def test_every_message_says_what_to_do(told: Path) -> None:
    for line in told.read_text("utf-8").splitlines():
        assert "; " in line or "must be '" in line, line


@pytest.mark.parametrize("told", TOLD, ids=lambda told: f"{told.parent.name}-{told.stem}")
def test_the_caret_stands_where_something_begins(told: Path) -> None:
    """A name, a value, the end of a line where one is missing, or a line's beginning."""
    lines = told.with_suffix(".yaml").read_text("utf-8").splitlines()
    for place in re.findall(r"^[\w.-]+:(\d+):(\d+): ", told.read_text("utf-8"), re.MULTILINE):
        text, column = lines[int(place[0]) - 1], int(place[1])
        before, here = text[column - 2 : column - 1], text[column - 1 : column]
        at_end = column == len(text) + 1
        assert (
            column == 1
            or not before.isprintable()
            or (before in " [{:" and (at_end or here.strip() or before == " "))
        ), text


A_RULE = (
    "  - name: {name}\n    when: {{event: order.paid}}\n    do: [{{chat.post_message: {what}}}]\n"
)


def rules_of(*names: str) -> str:
    what = "{channel: here, text: hello}"
    return "rules:\n" + "".join(A_RULE.format(name=name, what=what) for name in names)


def told_of(files: dict[str, str], world: rules.World) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        rules.compile_files(files, world, "config")
    return [str(mistake) for mistake in raised.value.mistakes]


def test_a_name_is_unique_over_all_files(world: rules.World) -> None:
    files = {"rules.yaml": rules_of("Buyers"), "rules/vip.yaml": rules_of("VIP", "buyers")}
    assert told_of(files, world) == [
        (
            "config/rules/vip.yaml:5:11: two rules are called `buyers`: this one and the one in "
            "config/rules.yaml, line 2; give each rule a name of its own"
        )
    ]


def test_there_is_one_time_zone_for_all_files(world: rules.World) -> None:
    files = {
        "rules.yaml": "time_zone: America/Edmonton\n" + rules_of("Buyers"),
        "rules/vip.yaml": "time_zone: America/Halifax\n" + rules_of("VIP"),
    }
    assert told_of(files, world) == [
        (
            "config/rules/vip.yaml:1:12: config/rules.yaml says America/Edmonton, and there is one "
            "`time_zone` for all files; leave one of the two out"
        )
    ]


@pytest.mark.parametrize("kind", ["lists", "texts"])
def test_lists_and_texts_are_unique_over_all_files(kind: str, world: rules.World) -> None:
    value = "[a, b]" if kind == "lists" else "hello"
    shared = f"{kind}:\n  mine: {value}\n"
    files = {"rules.yaml": shared + rules_of("A"), "rules/b.yaml": shared + rules_of("B")}
    [told] = told_of(files, world)
    assert told == (
        f"config/rules/b.yaml:2:3: two {kind} are called `mine`: this one and the one in "
        "config/rules.yaml, line 2; give each a name of its own"
    )


def test_mistakes_of_several_files_are_told_at_once(world: rules.World) -> None:
    files = {"rules.yaml": "rules:\n\t- x\n", "rules/vip.yaml": "rule: []\n"}
    assert [told.partition(": ")[0] for told in told_of(files, world)] == [
        "config/rules.yaml:2:1",
        "config/rules/vip.yaml:1:1",
    ]
