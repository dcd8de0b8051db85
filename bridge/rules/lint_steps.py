"""What is odd about the options and the steps of a single rule."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from bridge.rules.conditions import glob, tests
from bridge.rules.records import Step
from bridge.rules.templates import is_template
from bridge.rules.written import Written
from bridge.source import Field, Source
from bridge.yaml_text import Path

CONSENT = "contact.consent"

_INSERTED = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_PATH = re.compile(r"[A-Za-z_]\w*(?:\[\d+\])?(?:\.[A-Za-z_]\w*)+")
# Whoever writes one of these has thought of what is missing.
_PROVIDES = re.compile(r"\b(?:or|if|default)\b")


def warn_of_consent(written: Written) -> None:
    """A subscription in a rule that does not ask whether the person agreed."""
    if any(one.path == CONSENT for one in tests(written.rule.conditions)):
        return
    asking = [step for step in written.rule.steps if step.declared.consent_for]
    for step in asking:
        name = f"{step.account}.{step.action}"
        what = f"`{name}` is for people who agreed, and this rule has no condition on `{CONSENT}`"
        advice = "those who did not agree are left out anyway; so that the rule says so, "
        if len(asking) == len(written.rule.steps):
            advice += f"write `{CONSENT}: true` under `where`"
        else:
            advice += f"make it a rule of its own with `{CONSENT}: true` under `where`"
        written.warn(_place(step), what, advice)


def warn_of_options(written: Written) -> None:
    """Options that do nothing here, or less than one thinks."""
    rule = written.rule
    if rule.unless is not None and rule.timing is None:
        what = "`unless` calls off what waits, and nothing of this rule waits"
        written.warn(("unless",), what, "add a line such as `after: 2 days`, or remove `unless`")
    several = _list_of_shows(written.kinds)
    if rule.once is not None and rule.once.of == "event" and several and rule.for_each is None:
        what = "one order may be for several shows, which `once_per: event` counts as one"
        advice = f"to count each show by itself, add a line `for_each: {several}`"
        written.warn(("once_per",), what, advice)


def warn_of_sometimes(written: Written) -> None:
    """A text that inserts what only some of the rule's events have."""
    partial = _partial(written.kinds, written.rule.events)
    if not partial:
        return
    for number, step in enumerate(written.entry["do"]):
        for place, text in _texts(step, ("do", number)):
            for name in dict.fromkeys(_inserted(text)):
                if name in partial:
                    what = f"`{name}` comes with {partial[name]} only, and is empty otherwise"
                    advice = f"say what stands there then: {{{{ {name} or '...' }}}}"
                    written.findings.warn((*written.path, *place), what, advice)


def _place(step: Step) -> Path:
    return ("do", step.number - 1, f"{step.account}.{step.action}")


def _list_of_shows(kinds: Sequence[type[Source]]) -> str:
    """The list whose entries name a show each, where there is one."""
    for kind in kinds:
        above = (kind.show_field or "").rpartition(".")[0]
        if any(one.path == above and one.kind == "list" for one in kind.fields):
            return above
    return ""


@lru_cache(maxsize=256)
def _partial(kinds: Sequence[type[Source]], events: Sequence[str]) -> Mapping[str, str]:
    """Fields that come with some of the event types that the rule names, and with which."""
    named = [
        (kind, name)
        for kind in kinds
        for name in kind.event_types
        if any(glob(name, pattern) for pattern in events if pattern != "*")
    ]
    fields = dict.fromkeys(one.path for kind, _ in named for one in kind.fields)
    carrying = {
        path: [name for kind, name in named if _has(kind.fields, path, name)] for path in fields
    }
    return {
        path: " and ".join(dict.fromkeys(names))
        for path, names in carrying.items()
        if len(names) < len(named)
    }


def _has(fields: Iterable[Field], path: str, event: str) -> bool:
    return any(one.path == path and any(glob(event, p) for p in one.events) for one in fields)


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield from _texts(one, (*path, name))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _texts(one, (*path, number))
    elif isinstance(value, str) and is_template(value):
        yield path, value


def _inserted(text: str) -> Iterator[str]:
    """The fields that stand there by themselves, with nothing in case they are missing."""
    if "{%" in text:
        return
    for found in _INSERTED.findall(text):
        if not _PROVIDES.search(found):
            yield from (re.sub(r"\[\d+\]", "", name) for name in _PATH.findall(found))
