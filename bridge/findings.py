"""Collects the mistakes of one file, so that all are told at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from bridge.errors import Mistake
from bridge.wording import complaint, meant, quoted
from bridge.yaml_text import Document, Path

Model = TypeVar("Model", bound=BaseModel)


@dataclass
class Findings:
    """What is wrong with a document, and what deserves a look."""

    document: Document
    mistakes: list[Mistake] = field(default_factory=list)
    warnings: list[Mistake] = field(default_factory=list)

    def add(
        self, path: Path, what: str, advice: str = "", *, at_key: bool = False, line: int = 1
    ) -> None:
        """Something wrong at a path of the document."""
        self.mistakes.append(self.document.mistake(path, what, advice, at_key=at_key, line=line))

    def warn(self, path: Path, what: str, advice: str = "") -> None:
        """Something that may be meant, and may not."""
        self.warnings.append(self.document.mistake(path, what, advice))

    def validated(
        self,
        model: type[Model],
        value: Any,
        path: Path,
        known: Iterable[str] = (),
        context: Mapping[str, Any] | None = None,
    ) -> Model | None:
        """The value as a model; None where mistakes were found in it.

        `known` are the keys to suggest at the top, where there are more than the model's;
        `context` is what the model's validators are told.
        """
        try:
            return model.model_validate(value, context=context)
        except ValidationError as error:
            for details in error.errors(include_url=False, include_input=False):
                self._add_one(details, path, model, known)
            return None

    def _add_one(
        self, details: Mapping[str, Any], path: Path, model: type[BaseModel], known: Iterable[str]
    ) -> None:
        inside = details["loc"]
        what, advice = complaint(details)
        if details["type"] == "extra_forbidden":
            keys = known if len(inside) == 1 and known else _keys(model, inside[:-1])
            advice = meant(str(inside[-1]), keys)
        named = inside and isinstance(inside[-1], str)
        name = quoted(".".join(str(part) for part in inside)) if named else "this"
        at_key = details["type"] in ("extra_forbidden", "missing")
        self.add((*path, *inside), f"{name} {what}", advice, at_key=at_key)


def _keys(model: type[BaseModel], inside: tuple[str | int, ...]) -> list[str]:
    """The keys that a model knows, or the model of one of its fields."""
    for name in inside:
        below = model.model_fields.get(str(name))
        annotation = below.annotation if below else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return [one.alias or name for name, one in model.model_fields.items()]
