"""The shape of the rules file: which keys there are, and of what type."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

LONGEST_NAME = 100


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _one_line(text: str) -> str:
    text = text.strip()
    if not text.isprintable():
        raise ValueError("it must be one line of text")
    return text


Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME), AfterValidator(_one_line)]
Pattern = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_one_line)]
OneOrMore = Annotated[list[Pattern], BeforeValidator(_listed), Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class RulesText(_Strict):
    """The whole file."""

    rules: list[dict[str, Any]]


class WhenText(_Strict):
    """`source` and `event` are one or more names or globs; `where` maps paths to conditions."""

    source: OneOrMore | None = None
    event: OneOrMore | None = None
    where: dict[str, Any] = {}


class RuleText(_Strict):
    """One rule; `when` and the steps of `do` are read on their own, to find every mistake."""

    name: Name
    when: dict[str, Any] = Field(min_length=1)
    do: list[dict[str, Any]] = Field(min_length=1)
