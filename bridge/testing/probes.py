"""What the connectors' conformance suite works with: driving, throwing, and looking for leaks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from pydantic import BaseModel, SecretStr, ValidationError

from bridge.connector import Action, Connector, Halted, Item, Outcome

HOSTILE = (
    "<!channel> <https://evil.example|click> & \"quotes\" 'too' </script>",
    "{{ 7 * 7 }} {% raw %} %s %(x)s {0} \\u0000 $HOME",
    "line\r\nX-Injected: yes\r\n\r\n\0\x1b[31m",
    "../../../etc/passwd?x=1#y",
    "\ud800 \U0001f600 \u202e \u0130",
    "x" * 100_000,
)
"""Texts as an event may hold them: markup, templates, control characters, paths, sheer length."""


def call(connector: Connector, action: Action, items: Sequence[Item]) -> list[Outcome]:
    """Call an action as the engine does."""
    outcomes: list[Outcome] = getattr(connector, action.name)(items)
    return outcomes


def run(connector: Connector, action: Action, item: Item) -> Outcome:
    """The outcome of a single item."""
    outcomes = call(connector, action, [item])
    assert len(outcomes) == 1, "one outcome for each item"
    return outcomes[0]


def told(connector: Connector, action: Action, item: Item) -> str:
    """All that an action says of an item, as an outcome or as the reason why it halted."""
    try:
        return repr(run(connector, action, item))
    except Halted as halted:
        return f"{halted!r} {halted.__cause__!r} {halted.__context__!r}"


def secrets(settings: BaseModel) -> list[str]:
    """The values of all `SecretStr` that are set."""
    values = (getattr(settings, name) for name in type(settings).model_fields)
    return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]


def addresses(item: BaseModel) -> list[str]:
    """The e-mail addresses among an item's fields."""
    texts = [value for value in item.model_dump().values() if isinstance(value, str)]
    return [text for text in texts if re.fullmatch(r"\S+@\S+", text)]


def holds_none(told: str, private: Sequence[str]) -> None:
    """Fail where a text tells something private, plainly or percent-encoded."""
    for value in private:
        assert value not in told, f"{value} can be seen"
        assert value not in unquote(told), f"{value} can be seen"


def same_path(told: str, sent: str) -> bool:
    """`***` in a preview stands for what is secret."""
    pattern = re.escape(unquote(told)).replace(re.escape("***"), ".+")
    return re.fullmatch(pattern, unquote(sent)) is not None


def same_body(told: Any, sent: Any) -> bool:
    """`***` in a preview stands for what is secret, or what the vendor tells only then."""
    if isinstance(told, Mapping) and isinstance(sent, Mapping):
        return told.keys() == sent.keys() and all(same_body(told[key], sent[key]) for key in told)
    if isinstance(told, list) and isinstance(sent, list):
        pairs = zip(told, sent, strict=False)
        return len(told) == len(sent) and all(same_body(one, other) for one, other in pairs)
    return bool(told == sent) or (told == "***" and bool(sent))


def hostile_items(model: type[Item], fields: Mapping[str, Any]) -> Iterator[Item]:
    """Items with a hostile text in one field each, but for those that the model itself refuses."""
    for name, value in fields.items():
        for hostile in HOSTILE:
            try:
                yield model.model_validate({**fields, name: _poisoned(value, hostile)})
            except ValidationError:
                continue


def _poisoned(value: Any, hostile: str) -> Any:
    if isinstance(value, str):
        return value.replace("@", f"{hostile}@", 1) if "@" in value else hostile
    if isinstance(value, Mapping):
        return dict.fromkeys(value, hostile)
    if isinstance(value, list):
        return [hostile for _ in value]
    return value
