"""Reads `do`: which account, which action, and what to fill its fields with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from jinja2 import TemplateError
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from bridge.connector import Action, Item, Skipped
from bridge.findings import Findings
from bridge.rules.named import Named
from bridge.rules.named_texts import CannotInsert, with_texts
from bridge.rules.records import Step, World
from bridge.rules.slips import list_meant
from bridge.rules.template_check import check, slips
from bridge.rules.template_walk import Problem
from bridge.rules.templates import Escape, Filling, compile_text, is_template
from bridge.rules.vocabulary import Vocabulary
from bridge.wording import as_written, complaint, meant, nearest, quoted
from bridge.yaml_text import Path

_STAND_IN = "x"
# Where an action takes names and values of one's own.
_GROUPS = ("properties", "merge_fields", "values")
# What fields are called in other tools.
_FIELDS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("message", "body", "content", "msg"), ("text", "body")),
    **dict.fromkeys(("list", "list_id", "audience_id", "audience_name"), ("audience", "list")),
    **dict.fromkeys(("recipient", "recipients", "send_to", "email_to"), ("to", "person", "email")),
    **dict.fromkeys(("mail", "address", "email_address", "e-mail"), ("email", "to")),
    **dict.fromkeys(("title", "headline", "heading"), ("subject", "title")),
    **dict.fromkeys(("room", "channel_id", "channel_name"), ("channel",)),
    **dict.fromkeys(("user", "member", "to"), ("person", "email")),
    **dict.fromkeys(("fields", "custom_fields", "attributes"), ("properties", "merge_fields")),
}
# A filled-in text is never one of these, whatever it becomes.
_NEVER_TEXT = ("list_type", "dict_type", "tuple_type", "set_type", "model_type")


class StepReader:
    """Reads the steps of one rule."""

    def __init__(
        self,
        findings: Findings,
        vocabulary: Vocabulary,
        world: World,
        named: Named,
    ) -> None:
        self._findings = findings
        self._vocabulary = vocabulary.with_texts(named.texts) if named.texts else vocabulary
        self._named = named
        self._accounts = world.accounts
        self._settings = world.settings

    def read(self, rule: str, steps: list[Any], path: Path) -> tuple[Step, ...]:
        """The steps in order; what is wrong is left out and found."""
        return tuple(
            step
            for number, entry in enumerate(steps)
            for step in self._step(rule, number, entry, (*path, number))
        )

    def _step(self, rule: str, number: int, entry: Any, path: Path) -> Iterator[Step]:
        if not isinstance(entry, dict):
            what = "this is no step" if entry is None else f"{as_written(entry)} is no step"
            self._findings.add(path, what, f"write `- {self._example()}:` and its fields below it")
            return
        if len(entry) != 1:
            self._not_one(entry, path)
            return
        ((name, fields),) = entry.items()
        place = (*path, name)
        account, _, action = name.partition(".")
        declared = self._declared(account, action, place)
        if declared is None:
            return
        filling = self._filling(f"{account}.{action}", declared.item, fields or {}, place)
        if isinstance(fields, dict):
            self._ask(account, action, fields, place)
        yield Step(rule, number + 1, account, action, declared, filling)

    def _not_one(self, entry: Mapping[str, Any], path: Path) -> None:
        """Several names where one action should stand alone."""
        first, *others = list(entry) or [""]
        action = f"{first}.{entry.get(first)}"
        if action in self._known():
            what = "an action is written in one: account, dot, action"
            advice = f"write `{action}:`, and its fields below it, indented further"
            self._findings.add((*path, first), what, advice, at_key=True)
        elif not others:
            self._findings.add(path, "this is no step", f"write `- {self._example()}:`")
        elif "." in others[0]:
            what = "a step has one action"
            self._findings.add((*path, others[0]), what, "begin each action with `- `", at_key=True)
        else:
            what = f"{quoted(others[0])} is not indented further than its action {quoted(first)}"
            self._findings.add((*path, others[0]), what, "indent this line further", at_key=True)

    def _example(self) -> str:
        """An action that there is."""
        known = self._known()
        return next((name for name in known if "post" in name), known[0] if known else "a.b")

    def _known(self) -> list[str]:
        return [
            f"{account}.{name}"
            for account, connector in self._accounts.items()
            for name in connector.actions()
        ]

    def _declared(self, account: str, action: str, path: Path) -> Action | None:
        connector = self._accounts.get(account)
        if connector is None:
            what = f"there is no account {quoted(account)}"
            whole = [name for name in self._known() if not action and name.endswith(f".{account}")]
            joined = re.sub(r"[^\w]+", ".", f"{account}.{action}".strip(".").casefold())
            whole += [name for name in self._known() if name == joined]
            advice = f"did you mean `{whole[0]}`?" if whole else meant(account, self._accounts)
            if not advice.endswith("?"):
                advice += ", or ask the person who runs the bridge to add it in bridge.yaml"
            self._findings.add(path, what, advice, at_key=True)
            return None
        actions = connector.actions()
        if action not in actions:
            what = f"{quoted(account)} has no action {quoted(action)}"
            if not action:
                what = f"an action is missing after {quoted(account)}"
            known = [f"{account}.{name}" for name in actions]
            self._findings.add(path, what, meant(f"{account}.{action}", known), at_key=True)
            return None
        return actions[action]

    def _ask(self, account: str, action: str, fields: Mapping[str, Any], path: Path) -> None:
        """What the account itself cannot do, by its kind or its settings."""
        connector, settings = self._accounts[account], self._settings.get(account)
        try:
            refused = list(connector.refuses(settings, action, fields))
        except Exception:  # noqa: BLE001  # a connector's bug must not hide the other mistakes
            return
        for one in refused:
            tell = self._findings.warn if one.only_warns else self._findings.add
            tell((*path, *one.field), one.what, one.advice)

    def _filling(
        self, step: str, item: type[Item], fields: Any, path: Path
    ) -> Mapping[str, Filling]:
        if not isinstance(fields, dict):
            what = f"the fields of {step} must be `name: value` lines"
            advice = "write each on a line of its own below it, indented further, without `- `"
            self._findings.add(path, what, advice)
            return {}
        required = {
            _key(name, info): info.is_required() for name, info in item.model_fields.items()
        }
        odd = [name for name in fields if name not in required]
        others = {name: self._by_another_name(name, required, fields) for name in odd}
        for name in (name for name in required if required[name] and name not in fields):
            if nearest(name, odd) or name in others.values():
                continue
            what = f"{step} needs `{name}`"
            self._findings.add(path, what, f"add a line `{name}: ...`", at_key=True)
        for name in odd:
            what = f"{step} has no field {quoted(name)}"
            alias, group = others[name], next((one for one in _GROUPS if one in required), "")
            advice = f"did you mean `{alias}`?" if alias else meant(name, required)
            if group and not advice.endswith("?"):
                advice = f"if it is one of the `{group}`, indent it further, below `{group}:`"
            self._findings.add((*path, name), what, advice, at_key=True)
        self._validate(
            item, {key: fields[key] for key in fields if fields[key] is not None or not odd}, path
        )
        self._warn_of_one_text(item, fields, path)
        zone = self._named.zone_of(step.partition(".")[0])
        filling = {
            name: self._compiled(value, item, zone, (*path, name)) for name, value in fields.items()
        }
        if "time_zone" in item.model_fields and self._named.names_zone:
            # The one of the rules, so that all that a rule does is by the same clocks.
            filling.setdefault("time_zone", self._named.time_zone)
        return filling

    def _by_another_name(
        self, name: str, known: Iterable[str], fields: Mapping[str, Any]
    ) -> str | None:
        """What a field is called in other tools."""
        found = (one for one in _FIELDS.get(name.casefold(), ()) if one in known)
        return next((one for one in found if one not in fields), None)

    def _warn_of_one_text(self, item: type[Item], fields: Mapping[str, Any], path: Path) -> None:
        """`tags: buyer, vip` is one tag with a comma in its name."""
        for name, info in item.model_fields.items():
            value = fields.get(_key(name, info))
            if isinstance(value, str) and not is_template(value) and "list" in str(info.annotation):
                meaning = list_meant(value)
                if "," in meaning:
                    what = f"this is one entry of `{_key(name, info)}`, with a comma in it"
                    self._findings.warn(
                        (*path, _key(name, info)), what, f"write {meaning} for several"
                    )

    def _compiled(self, value: Any, item: type[Item], zone: str, path: Path) -> Filling:
        if isinstance(value, dict):
            return {
                name: self._compiled(one, item, zone, (*path, name)) for name, one in value.items()
            }
        if isinstance(value, list):
            return [self._compiled(one, item, zone, (*path, n)) for n, one in enumerate(value)]
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]  # YAML's plain values
        self._found(slips(value, self._vocabulary, item.placeholders), path)
        return self._text(value, item.escape, zone, path) if is_template(value) else value

    def _text(self, source: str, escape: Escape | None, zone: str, path: Path) -> Filling:
        texts = self._named.texts
        try:
            whole = with_texts(source, texts)
        except CannotInsert as why:
            self._findings.add(path, str(why), "write the text itself here")
            return source
        problems = check(whole, self._vocabulary)
        if problems and whole != source:
            problems = self._whose(problems, source)
        self._found(problems, path)
        if problems:
            return source
        try:
            return compile_text(whole, escape, zone, texts)
        except (TemplateError, SyntaxError, ValueError, RecursionError, MemoryError):
            self._findings.add(path, "this text is too complicated", "make it shorter")
            return source

    def _whose(self, problems: list[Problem], source: str) -> list[Problem]:
        """What is wrong with the text itself, else with those that it inserts."""
        own = check(with_texts(source, dict.fromkeys(self._named.texts, "")), self._vocabulary)
        inserted = [
            replace(each, line=1, what=f"in what it inserts, {each.what}") for each in problems
        ]
        return own or inserted

    def _found(self, problems: Iterator[Problem] | list[Problem], path: Path) -> None:
        for problem in problems:
            tell = self._findings.warn if problem.only_warns else self._findings.add
            tell(path, problem.what, problem.advice, line=problem.line)

    def _validate(self, item: type[Item], fields: dict[str, Any], path: Path) -> None:
        """What no event can put right; texts to fill in are stood in for."""
        try:
            item.model_validate(_stood_in(fields))
        except ValidationError as error:
            for details in error.errors(include_url=False, include_input=False):
                if details["type"] not in ("missing", "extra_forbidden") or details["loc"][1:]:
                    self._wrong(details, fields, path)
        except Exception:  # noqa: BLE001  # a connector's bug: `fill` says so, with real values
            return

    def _wrong(self, details: Mapping[str, Any], value: Any, path: Path) -> None:
        inner = _inner(value, details["loc"])
        kind = details["type"]
        is_text = kind == "string_type" or _of_address(details)
        never = kind in _NEVER_TEXT or (is_text and isinstance(inner, dict | list))
        if _has_template(inner) and not never:
            return
        what, advice = _said(details, inner)
        name = ".".join(str(one) for one in details["loc"]) or str(path[-1])
        self._findings.add((*path, *details["loc"]), f"`{name}` {what}", advice)


def _said(details: Mapping[str, Any], inner: Any) -> tuple[str, str]:
    """What is wrong with a field's value, and what would be right."""
    what, advice = complaint(details)
    kind = details["type"]
    if inner is None and kind != "missing":
        return "has no value", "write it behind the colon"
    if isinstance(inner, list) and kind not in _NEVER_TEXT:
        return "must be one text, not a list", "write one text; for several write a step for each"
    if _of_address(details) and isinstance(inner, str):
        return "is no e-mail address", 'write one, or "{{ contact.email }}"'
    if kind == "string_type" and isinstance(inner, bool | int | float):
        return what, f'put quotes around it: "{str(inner).lower()}"'
    if kind == "string_type" or _of_address(details):
        return "must be one text", "write it behind the colon, in quotes"
    if kind == "list_type" and list_meant(inner):
        return what, f"write {list_meant(inner)}"
    return what, advice


def _of_address(details: Mapping[str, Any]) -> bool:
    error = (details.get("ctx") or {}).get("error")
    return isinstance(error, Skipped) and "e-mail" in str(error)


def _key(name: str, info: FieldInfo) -> str:
    return info.alias or name


def _stood_in(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _stood_in(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_stood_in(one) for one in value]
    return _STAND_IN if isinstance(value, str) and is_template(value) else value


def _inner(value: Any, loc: tuple[str | int, ...]) -> Any:
    for name in loc:
        try:
            value = value[name]
        except (KeyError, IndexError, TypeError):
            return value
    return value


def _has_template(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_template(one) for one in value.values())
    if isinstance(value, list):
        return any(_has_template(one) for one in value)
    return isinstance(value, str) and is_template(value)
