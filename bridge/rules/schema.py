"""The shape of the rules files: which keys there are, of what type, and what each is for."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

LONGEST_NAME = 100
MOST_RULES = 5_000


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _one_line(text: str) -> str:
    text = text.strip()
    if not text.isprintable():
        raise ValueError("it must be one line of text")
    return text


def _day(value: Any) -> Any:
    try:
        return date.fromisoformat(value.strip()) if isinstance(value, str) else value
    except ValueError:
        raise ValueError("write a day like 2027-07-03") from None


Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME), AfterValidator(_one_line)]
Pattern = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_one_line)]
OneOrMore = Annotated[list[Pattern], BeforeValidator(_listed), Field(min_length=1)]
Day = Annotated[date, BeforeValidator(_day)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class RulesText(_Strict):
    """A whole file."""

    rules: list[dict[str, Any]] = Field(
        default=[], max_length=MOST_RULES, description="What happens when something comes in."
    )
    lists: dict[str, Any] = Field(
        default={}, description="Lists of values under a name, for `one_of`."
    )
    texts: dict[str, Any] = Field(
        default={}, description="Texts under a name, to be inserted by {{ texts.NAME }}."
    )
    tests: list[dict[str, Any]] = Field(
        default=[], description="What the rules must do with a sample, checked before they go live."
    )
    time_zone: str | None = Field(
        default=None,
        description="Where you are, such as America/Edmonton: for `at`, `quiet_hours`, "
        "`only_between` and dates in texts.",
    )


class WhenText(_Strict):
    """`source` and `event` are one or more names or globs; `where` maps paths to conditions."""

    source: OneOrMore | None = Field(default=None, description="The source's name, or several.")
    event: OneOrMore | None = Field(
        default=None, description="The event's type, or several; `*` stands for any text."
    )
    where: dict[str, Any] = Field(default={}, description="Conditions, which must all hold.")


class BetweenText(_Strict):
    """`only_between`: both days count."""

    start: Day | None = Field(default=None, alias="from", description="The first day.")
    end: Day | None = Field(default=None, alias="to", description="The last day.")


class QuietText(_Strict):
    """`quiet_hours`: times of day."""

    start: str = Field(alias="from", description="When they begin, such as 22:00.")
    end: str = Field(alias="to", description="When they end, such as 08:00.")
    time_zone: str | None = Field(default=None, description="Where; else the file's `time_zone`.")


class OnceText(_Strict):
    """`once_per` with a period."""

    of: Pattern = Field(description="contact, transaction, event, or a text to fill in.")
    within: str | None = Field(default=None, description="Again after so long, such as 30 days.")


class UnlessText(_Strict):
    """`unless`."""

    event: OneOrMore = Field(description="The types of the events that cancel what waits.")
    same: str = Field(default="transaction", description="Of the same transaction, or contact.")


class RuleText(_Strict):
    """One rule; `when` and the steps of `do` are read on their own, to find every mistake."""

    name: Name = Field(description="A name of its own, which stories and reports show.")
    enabled: bool = Field(default=True, description="false: the rule is not asked.")
    when: dict[str, Any] = Field(min_length=1, description="Which events it is about.")
    for_each: Pattern | None = Field(
        default=None, description="A list, such as tickets: once for each of its entries that fits."
    )
    only_between: dict[str, Any] | None = Field(
        default=None, description="The first and the last day on which the rule holds."
    )
    sample: Any = Field(default=None, description="For so many per cent of people, such as 10%.")
    once_per: Any = Field(
        default=None, description="Only once for each contact, transaction, event, or text."
    )
    after: str | None = Field(
        default=None, description="How much later, such as 2 days, or 1 day after tickets.ends_on."
    )
    at: str | None = Field(default=None, description="At which time of day, such as 09:00.")
    quiet_hours: dict[str, Any] | None = Field(
        default=None, description="Between these times nothing is sent: it waits until they end."
    )
    unless: Any = Field(
        default=None, description="What cancels it while it waits, such as invoice.refund."
    )
    stop: bool = Field(default=False, description="true: where it matches, no later rule is asked.")
    do: list[dict[str, Any]] = Field(min_length=1, description="What is done, step by step.")
