"""Collects the mistakes of one file, so that all are told at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from bridge.errors import ConfigurationError, Mistake
from bridge.wording import complaint, flow, meant, nearest, quoted
from bridge.yaml_text import Document, Path

Model = TypeVar("Model", bound=BaseModel)
Details = Mapping[str, Any]

_SIZES = ("string_too_long", "too_long")
NOTHING: Mapping[str, str] = {}

MOST_FOUND = 400
"""So many mistakes of one file are looked for."""
MOST_TOLD = 200
"""So many of them are told where there are more."""


@dataclass
class Findings:
    """What is wrong with a document, and what deserves a look."""

    document: Document
    mistakes: list[Mistake] = field(default_factory=list)
    warnings: list[Mistake] = field(default_factory=list)
    understood: set[tuple[int, int]] = field(default_factory=set)

    def add(
        self, path: Path, what: str, advice: str = "", *, at_key: bool = False, line: int = 1
    ) -> None:
        """Something wrong at a path of the document.

        Raises ConfigurationError where so much is wrong that to look for more takes too long.
        """
        self.mistakes.append(self.document.mistake(path, what, advice, at_key=at_key, line=line))
        if len(self.mistakes) >= MOST_FOUND:
            raise ConfigurationError(_first(self.mistakes))

    def warn(
        self, path: Path, what: str, advice: str = "", *, at_key: bool = False, line: int = 1
    ) -> None:
        """Something that may be meant, and may not."""
        self.warnings.append(self.document.mistake(path, what, advice, at_key=at_key, line=line))

    def taken(self, path: Path) -> None:
        """The value is understood as it was meant: YAML's doubts about it are none."""
        place = self.document.mistake(path, "")
        self.understood.add((place.line, place.column))

    @property
    def doubts(self) -> list[Mistake]:
        """What YAML may read otherwise than it was meant."""
        return [
            each
            for each in self.document.warnings
            if (each.line, each.column) not in self.understood
        ]

    def validated(
        self,
        model: type[Model],
        value: Any,
        path: Path,
        known: Iterable[str] = (),
        context: Mapping[str, Any] | None = None,
        advice: Mapping[str, str] = NOTHING,
        no_empty: bool = False,
    ) -> Model | None:
        """The value as a model; None where mistakes were found in it.

        `known` are the keys to suggest at the top, where there are more than the model's;
        `context` is what the model's validators are told; `advice` says by key what to
        do about it, whatever is wrong. `no_empty`: no key may stand without a value.
        """
        empty = self._empty(model, value, path, advice) if no_empty else []
        try:
            valid = model.model_validate(value, context=context)
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False)
            for details in _told_once(found, advice):
                if not set(empty) & set(details["loc"][:1]):
                    self._add_one(details, path, model, known, advice)
            return None
        for name in _truths(model, value):
            self.taken((*path, name))
        return None if empty else valid

    def _empty(
        self, model: type[BaseModel], value: Any, path: Path, advice: Mapping[str, str]
    ) -> list[str]:
        """The keys of the model that nothing stands behind: they are told of."""
        known = _keys(model, ()) if isinstance(value, dict) else []
        empty = [name for name in known if name in value and value[name] is None]
        for name in empty:
            hint = advice.get(name) or _example(model, (name,)) or "write it behind the colon"
            self.add((*path, name), f"`{name}` has no value", hint, at_key=True)
        return empty

    def _add_one(
        self,
        details: Details,
        path: Path,
        model: type[BaseModel],
        known: Iterable[str],
        advice: Mapping[str, str],
    ) -> None:
        inside = details["loc"]
        what, hint = complaint(details)
        first = str(inside[0]) if inside else ""
        if first in advice and details["type"] != "too_long":
            hint = advice[first]
        elif details["type"] == "extra_forbidden":
            keys = known if len(inside) == 1 and known else _keys(model, inside[:-1])
            hint = meant(str(inside[-1]), keys)
        elif details["type"] not in _SIZES:
            hint = _example(model, inside) or hint
        named = inside and isinstance(inside[-1], str)
        name = quoted(".".join(str(part) for part in inside)) if named else "this"
        at_key = details["type"] in ("extra_forbidden", "missing")
        self.add((*path, *inside), f"{name} {what}", hint, at_key=at_key)


def _truths(model: type[BaseModel], value: Any) -> Iterator[str]:
    """The keys that are true or false, where they were written as `yes` or `off`."""
    for name, info in _fields(model).items():
        if info.annotation is bool and isinstance(value, Mapping) and name in value:
            yield name


def _told_once(found: Iterable[Details], advice: Mapping[str, str]) -> Iterator[Details]:
    """A key that is only misspelt, or called otherwise, is not missing too."""
    found = list(found)
    odd = [one["loc"] for one in found if one["type"] == "extra_forbidden"]
    for details in found:
        if details["type"] == "missing":
            *group, name = details["loc"]
            beside = (str(one[-1]) for one in odd if list(one[:-1]) == group)
            called = f"did you mean `{name}`?"
            if nearest(str(name), beside) or called in (advice.get(str(one[-1])) for one in odd):
                continue
        yield details


def _example(model: type[BaseModel], inside: tuple[str | int, ...]) -> str:
    """How the model's own key is written, where the model shows an example."""
    info = _fields(model).get(str(inside[0])) if inside else None
    if info is None or not info.examples:
        return ""
    return f"write it like `{inside[0]}: {flow(info.examples[0])}`"


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {one.alias or name: one for name, one in model.model_fields.items()}


def _first(mistakes: Iterable[Mistake]) -> list[Mistake]:
    told = sorted(set(mistakes))[:MOST_TOLD]
    last = told[-1]
    return [*told, Mistake(last.file, last.line, last.column, "and more mistakes after this one")]


def _keys(model: type[BaseModel], inside: tuple[str | int, ...]) -> list[str]:
    """The keys that a model knows, or the model of one of its fields."""
    for name in inside:
        below = model.model_fields.get(str(name))
        annotation = below.annotation if below else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return list(_fields(model))
