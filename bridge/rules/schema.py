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
        default={},
        description="Lists of texts or numbers, each under a name, for `one_of`.",
        examples=[{"vip_types": ["VIP", "Backstage"]}],
    )
    texts: dict[str, Any] = Field(
        default={},
        description="Texts, each under a name, which `{{ texts.NAME }}` inserts into others.",
        examples=[{"greeting": "Hello {{ contact.first_name or 'there' }}"}],
    )
    tests: list[dict[str, Any]] = Field(
        default=[],
        description="What the rules must do with a sample, checked before they go live.",
    )
    time_zone: str | None = Field(
        default=None,
        description="The time zone of all files, for `at`, `quiet_hours`, `only_between` and "
        "dates in texts; without it UTC.",
        examples=["America/Edmonton"],
    )


class WhenText(_Strict):
    """`source` and `event` are one or more names or globs; `where` maps paths to conditions."""

    source: OneOrMore | None = Field(
        default=None,
        description="The source's name in bridge.yaml, or several; `*` stands for any text. "
        "Without it any source.",
        examples=["showpass"],
    )
    event: OneOrMore | None = Field(
        default=None,
        description="The event's type, or several; `*` stands for any text. Without it any type.",
        examples=[["invoice.refund", "invoice.void"]],
    )
    where: dict[str, Any] = Field(
        default={},
        description="Conditions, which must all hold.",
        examples=[{"order.total": {"at_least": 100}}],
    )


class BetweenText(_Strict):
    """`only_between`: both days count."""

    start: Day | None = Field(
        default=None, alias="from", description="The first day.", examples=["2027-01-01"]
    )
    end: Day | None = Field(
        default=None, alias="to", description="The last day.", examples=["2027-02-28"]
    )


class QuietText(_Strict):
    """`quiet_hours`: times of day."""

    start: str = Field(alias="from", description="When they begin.", examples=["22:00"])
    end: str = Field(
        alias="to",
        description="When they end; where that is earlier than `from`, on the next day.",
        examples=["08:00"],
    )
    time_zone: str | None = Field(
        default=None,
        description="Where it is so late; without it the `time_zone` of the files.",
        examples=["America/Halifax"],
    )


class OnceText(_Strict):
    """`once_per` with a period."""

    of: Pattern = Field(
        description="`contact`, `transaction`, `event` (the show), or a text to fill in.",
        examples=["contact"],
    )
    within: str | None = Field(
        default=None,
        description="How long once is enough for; without it for ever.",
        examples=["30 days"],
    )


class UnlessText(_Strict):
    """`unless`."""

    event: OneOrMore = Field(
        description="The types of the events that cancel what waits.",
        examples=[["invoice.refund", "invoice.void"]],
    )
    same: str = Field(
        default="transaction",
        description="Whether they must be about the same `transaction`, or just `contact`.",
        examples=["contact"],
    )


class RuleText(_Strict):
    """One rule; `when` and the steps of `do` are read on their own, to find every mistake."""

    name: Name = Field(
        description="A name of its own, over all files. Stories and reports show it.",
        examples=["VIP alert"],
    )
    enabled: bool = Field(
        default=True, description="`false`: the rule is not asked.", examples=[False]
    )
    when: dict[str, Any] = Field(
        min_length=1,
        description="Which events it is about; at least one of `source`, `event` and `where`.",
        examples=[{"source": "showpass", "event": "invoice.purchase"}],
    )
    for_each: Pattern | None = Field(
        default=None,
        description="A list, such as `tickets`: the steps are done once for each of its entries "
        "that fits. Conditions and texts name the entry `ticket`.",
        examples=["tickets"],
    )
    only_between: dict[str, Any] | None = Field(
        default=None,
        description="The first and the last day on which the rule holds, by the day of receipt.",
        examples=[{"from": "2027-01-01", "to": "2027-02-28"}],
    )
    sample: Any = Field(
        default=None,
        description="The share of people whom the rule is for, in per cent: always the same "
        "people for a rule of the same name.",
        examples=["10%"],
    )
    once_per: Any = Field(
        default=None,
        description="The steps are done once for each `contact`, `transaction`, `event` (the "
        "show), or for each value of a text.",
        examples=["contact"],
    )
    after: str | None = Field(
        default=None,
        description="How much later the steps are done: counted from the receipt, or from a date.",
        examples=["2 days"],
    )
    at: str | None = Field(
        default=None,
        description="At which time of day they are done: the next time that it is so, or on the "
        "day that `after` says.",
        examples=["09:00"],
    )
    quiet_hours: dict[str, Any] | None = Field(
        default=None,
        description="Between these times nothing is sent: it waits until they end.",
        examples=[{"from": "22:00", "to": "08:00"}],
    )
    unless: Any = Field(
        default=None,
        description="The types of events that cancel what waits, or came already.",
        examples=["invoice.refund"],
    )
    stop: bool = Field(
        default=False,
        description="`true`: where the rule matches, no later rule is asked.",
        examples=[True],
    )
    do: list[dict[str, Any]] = Field(
        min_length=1,
        description="The steps, each an action of an account with its fields.",
        examples=[[{"slack.post_message": {"channel": "#tickets", "text": "Sold!"}}]],
    )
