"""The reference part of a connector's page: settings and actions, from their models."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from bridge.connector import Connector
from bridge.reference import ActionReference, FieldReference, actions_of, settings_of
from bridge.registry import installed

BEGIN, END = "<!-- reference: begin -->", "<!-- reference: end -->"
_SHOWPADS = re.compile(r"\b(space|inviter|invitee|course)\.")
_BLOCK = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)


def page(connector: type[Connector]) -> str:
    """Markdown, without the heading above it."""
    return "\n".join(_lines(connector)) + "\n"


def with_reference(text: str, connector: type[Connector]) -> str:
    """The page with its reference as it should be; the same where it has no place for one."""
    return _BLOCK.sub(lambda _: f"{BEGIN}\n{page(connector)}{END}", text)


def write(folder: Path, connector: type[Connector]) -> bool:
    """Whether the connector's page changed; a connector without a page has none to change."""
    file = folder / f"{connector.name}.md"
    if not file.is_file():
        return False
    before = file.read_text("utf-8")
    after = with_reference(before, connector)
    if after != before:
        file.write_text(after, "utf-8")
    return after != before


def example_rule(action: ActionReference) -> str:
    """A whole rule, as YAML."""
    rule = {
        "name": f"Example of {action.name}",
        "when": _when(action),
        "do": [{action.name: dict(action.example)}],
    }
    return as_yaml({"rules": [rule]})


def as_yaml(value: Any) -> str:
    """As a person would write it: templates in double quotes, nothing broken in two."""
    return yaml.dump(value, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=10_000)


class _Writer(yaml.SafeDumper):
    """Of its own, so that nobody else's YAML changes."""


def _quoted(writer: _Writer, text: str) -> yaml.ScalarNode:
    style = '"' if "{{" in text or text.startswith("#") else None
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Writer.add_representer(str, _quoted)


def _lines(connector: type[Connector]) -> Iterator[str]:
    yield "Settings of an account:"
    yield ""
    yield from _table(settings_of(connector), "setting")
    for action in actions_of(connector):
        yield ""
        yield from _action(action)


def _action(action: ActionReference) -> Iterator[str]:
    yield f"### {action.name}"
    yield ""
    yield " ".join([action.about, *action.notes])
    yield ""
    yield from _table(action.fields, "field")
    yield ""
    yield "```yaml"
    yield from example_rule(action).splitlines()
    yield "```"


def _table(fields: Sequence[FieldReference], what: str) -> Iterator[str]:
    yield f"| {what} | is | without it | what it does |"
    yield "|---|---|---|---|"
    for field in fields:
        absent = "**required**" if field.required else field.default and f"`{field.default}`"
        yield f"| `{field.path}` | {_cell(field.kind)} | {absent} | {_cell(field.about)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _when(action: ActionReference) -> dict[str, Any]:
    """Where what the example fills in comes from, and for whom it is done."""
    if _SHOWPADS.search(str(action.example)):
        return {"source": "showpad"}
    purchases = {"source": "showpass", "event": "invoice.purchase"}
    agreed = {"where": {"contact.consent": True}} if action.needs_consent else {}
    return purchases | agreed


if __name__ == "__main__":
    for known in installed().connectors.values():
        write(Path(sys.argv[1]), known)
