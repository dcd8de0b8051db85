"""The shape of the rules files: which keys there are, of what type, and what each is for."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

LONGEST_NAME = 100
MOST_RULES = 5_000
MOST_TESTS = 2_000
MOST_STEPS = 100
CLOCK = re.compile(r"([01]?[0-9]|2[0-3])[:.h]([0-5][0-9])", re.ASCII)


def _listed(value: Any) -> Any:
    if not isinstance(value, str | list):
        raise ValueError("must be a name, or several as a list")  # noqa: TRY004  # pydantic's way
    return [value] if isinstance(value, str) else value


def _one_line(text: str) -> str:
    text = text.strip()
    if not text.isprintable():
        raise ValueError("must be one line of text")
    return text


def _day(value: Any) -> Any:
    try:
        return date.fromisoformat(value.strip()) if isinstance(value, str) else value
    except ValueError:
        raise ValueError("must be a day, with the year first") from None


def _clock(text: str) -> str:
    if not CLOCK.fullmatch(text.strip()):
        raise ValueError("must be a time of day from 00:00 to 23:59")
    return text.strip()


Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME), AfterValidator(_one_line)]
Pattern = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_one_line)]
OneOrMore = Annotated[list[Pattern], BeforeValidator(_listed), Field(min_length=1)]
Day = Annotated[date, BeforeValidator(_day)]
Clock = Annotated[str, AfterValidator(_clock)]


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
        max_length=MOST_TESTS,
        description="What the rules must do when something comes in.",
    )
    time_zone: str | None = Field(
        default=None,
        description="The time zone of all files, also for dates in texts; without it UTC.",
        examples=["America/Edmonton"],
    )
    country: str | None = Field(
        default=None,
        description="The country of telephone numbers that are written without + and its code, "
        "for conditions with `country` in all files; without it nobody can tell.",
        examples=["CA"],
    )


class WhenText(_Strict):
    """`source` and `event` are one or more names or globs; `where` maps paths to conditions."""

    source: OneOrMore | None = Field(
        default=None,
        description="The source's name in bridge.yaml, or several; `*` is any text.",
        examples=["showpass"],
    )
    event: OneOrMore | None = Field(
        default=None,
        description="The event's type, or several; `*` is any text.",
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

    start: Clock = Field(alias="from", description="When they begin.", examples=["22:00"])
    end: Clock = Field(
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
    do: list[Any] = Field(
        min_length=1,
        max_length=MOST_STEPS,
        description="The steps, each an action of an account with its fields.",
        examples=[[{"slack.post_message": {"channel": "#tickets", "text": "Sold!"}}]],
    )


class GivenText(_Strict):
    """`given` of a test: what comes in."""

    sample: Pattern | None = Field(
        default=None,
        description="A sample that comes with the source, as `showbridge send` lists them.",
        examples=["invoice.purchase"],
    )
    source: Pattern | None = Field(
        default=None,
        description="Which source it is from, where several have such a sample.",
        examples=["showpass"],
    )
    event: int | str | None = Field(
        default=None,
        description="Instead of a sample: an event that came in, by its number in "
        "`showbridge events`. Where it is no longer kept, the test is not run.",
        examples=[1042],
    )
    changes: dict[str, Any] = Field(
        default={},
        alias="with",
        description="What is different in it: fields and their values, in this order; without a "
        "value nothing is known.",
        examples=[{"order.total": 250, "tickets.type": "VIP"}],
    )
    received: str | None = Field(
        default=None,
        description="When it comes in, in `time_zone` where it names no other; without it a time "
        "that never changes, near those in the sample.",
        examples=["2027-07-01T10:00"],
    )


class TestText(_Strict):
    """One entry of `tests`."""

    name: Name = Field(
        description="What is expected, in a few words; a name of its own.",
        examples=["A VIP order is announced"],
    )
    given: GivenText = Field(
        description="What comes in.", examples=[{"sample": "invoice.purchase"}]
    )
    expect: Any = Field(
        description="What must be sent then: exactly these deliveries, in this order; or "
        "`nothing`. Only the fields that you name are compared.",
        examples=[[{"slack.post_message": {"channel": "#vip-sales"}}]],
    )
    only: Pattern | None = Field(
        default=None,
        description="A rule's name: what the other rules do is not looked at.",
        examples=["VIP alert"],
    )


class ExpectedText(_Strict):
    """What may stand beside the action in an entry of `expect`."""

    at: str | None = Field(
        default=None,
        description="When it must be due, in `time_zone` where it names no other.",
        examples=["2027-07-03T09:00"],
    )
    after: str | None = Field(
        default=None,
        description="How long after it came in it must be due.",
        examples=["2 days"],
    )
    suppressed: bool | str | None = Field(
        default=None,
        description="It must be left out: `true`, or a part of the reason. What is left out need "
        "not be named otherwise.",
        examples=["no consent"],
    )
