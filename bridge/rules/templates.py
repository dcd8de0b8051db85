"""Texts with `{{ ... }}`: compiled once, filled in without a way out or a way to run away.

The environment is Jinja's immutable sandbox with less in it: no calls, no
globals, no attributes of Python objects (a name reaches into mappings, a
number into lists, and nothing else), arithmetic on numbers only, and a bound
on work and on length. What is missing is empty text.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NoReturn, TypeAlias, cast

from jinja2 import (
    ChainableUndefined,
    Environment,
    Template,
    UndefinedError,
    nodes,
    pass_environment,
)
from jinja2.runtime import Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from bridge import days
from bridge.rules import date_filter, values
from bridge.rules.filters import TESTS, filters_in, shown
from bridge.rules.work import (
    CHARACTERS,
    NOTHING,
    CannotRender,
    cost,
    each,
    limited,
    note,
    note_blank,
    spend,
)

LONGEST_TEMPLATE = 10_000
LONGEST_TEXT = 100_000
LONGEST_VALUE = 20_000

_OPENING = re.compile(r"\{[{%]")
_CLOSING = re.compile(r"[%}]\}")

# Steps for one calculation.
_CALCULATION = 3
# So many parts of a text are gone through in the time of one step.
_NODES = 4
# Of what is calculated, before the point or behind it.
_MOST_DIGITS = 60
_NAME = re.compile(r"[a-z_]\w{0,60}", re.ASCII | re.IGNORECASE)

Escape = Callable[[str], str]


@dataclass(frozen=True)
class Text:
    """A text of a rule that has to be filled in; see `compile_text`."""

    source: str
    escape: Escape | None = field(default=None, repr=False, compare=False)
    zone: str = field(default="UTC", repr=False)
    texts: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    is_key: bool = field(default=False, repr=False)

    @property
    def clocks(self) -> tzinfo | None:
        """Those that times in it are shown by; None in a key."""
        return None if self.is_key else date_filter.zone(self.zone)

    @property
    def environment(self) -> ImmutableSandboxedEnvironment:
        return environment(self.escape, self.zone, self.is_key)

    @property
    def template(self) -> Template:
        """Made where it is first needed: that takes most of the time, and many never are."""
        if "_template" not in self.__dict__:
            self.__dict__["_template"] = _template(self)
        return cast("Template", self.__dict__["_template"])


Filling: TypeAlias = (
    "Text | str | int | float | bool | Sequence[Filling] | dict[str, Filling] | None"
)
"""What stands in a field of a step: a constant, a text to fill in, or lists and groups of them."""


def is_template(text: str) -> bool:
    """Whether the text holds anything to fill in."""
    return any(opening in text for opening in ("{{", "{%", "{#"))


def expressions(source: str) -> Iterator[str]:
    """What stands within {{ }} and {% %}, and where that is not closed the rest of the text."""
    opening = _OPENING.search(source)
    while opening:
        closing = _CLOSING.search(source, opening.end())
        end = closing.start() if closing else len(source)
        yield source[opening.end() : end]
        opening = _OPENING.search(source, end)


def compile_text(
    source: str,
    escape: Escape | None,
    zone: str = "UTC",
    texts: Mapping[str, str] = MappingProxyType({}),
) -> Text:
    """`escape` is applied to what is inserted; dates are said in `zone` if nothing else is asked.

    `texts` are the named ones, for what does more with them than to insert them whole.

    What `template_check` finds nothing wrong with compiles, and what does not
    cannot be rendered. Raises ValueError for an unknown zone.
    """
    environment(escape, zone)
    return Text(source, escape, zone, texts)


def compile_key(source: str, zone: str) -> Text:
    """A text by which events are told apart: what it inserts is the same by all clocks.

    Times are of UTC in it, and a day is its midnight there, so that what was recorded under
    a key stays known whatever `time_zone` the rules give. Only `date` goes by `zone`.
    """
    return replace(compile_text(source, None, zone), is_key=True)


def _template(text: Text) -> Template:
    made = text.environment
    tree = made.parse(text.source)
    for loop in tree.find_all(nodes.For):
        loop.iter = _through(loop.iter, "_each", _steps_of(loop))
    _Comparisons().visit(tree)
    for part in tree.find_all(nodes.Getitem):
        # Compiled to a plain slice, which `getitem` never sees.
        if isinstance(part.arg, nodes.Slice):
            part.node = _through(part.node, "_sliced")
    for chain in tree.find_all(nodes.Concat):
        chain.nodes = [_through(part, "_shown") for part in chain.nodes]
    return Template.from_code(made, made.compile(tree), {"texts": text.texts})


class _Comparisons(NodeTransformer):
    """Makes tests of comparisons: Python's own raise for what cannot be compared."""

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802  # as Jinja calls it
        self.generic_visit(node)
        left, made = node.expr, []
        for operand in node.ops:
            made.append(_asked(left, operand))
            left = operand.expr
        return functools.reduce(lambda one, other: nodes.And(one, other, lineno=node.lineno), made)


def _asked(left: nodes.Expr, operand: nodes.Operand) -> nodes.Expr:
    line = left.lineno
    name: nodes.Expr = nodes.Const(_TEST_OF.get(operand.op, operand.op), lineno=line)
    asked = nodes.Filter(left, "_compared", [name, operand.expr], [], None, None, lineno=line)
    return nodes.Not(asked, lineno=line) if operand.op == "notin" else asked


# As tests are called where Jinja's grammar calls them otherwise.
_TEST_OF = {"lteq": "le", "gteq": "ge", "notin": "in"}


@pass_environment
def _compared(environment: Environment, one: Any, test: str, other: Any) -> bool:
    return bool(environment.call_test(test, one, [other]))


def _through(expression: nodes.Node, name: str, *arguments: int) -> nodes.Filter:
    assert isinstance(expression, nodes.Expr)  # noqa: S101  # as the grammar has it
    line = expression.lineno
    constants: list[nodes.Expr] = [nodes.Const(each, lineno=line) for each in arguments]
    return nodes.Filter(expression, name, constants, [], None, None, lineno=line)


def _steps_of(loop: nodes.For) -> int:
    """What one round of it costs by itself: all that is written in it, done or not."""
    inside = [*loop.body, loop.test] if loop.test is not None else loop.body
    return 2 + sum(1 for part in inside for _ in part.find_all(nodes.Node)) // _NODES


def _sliced(value: Any) -> Any:
    """What `[1:]` takes a part of, paid for whole."""
    if not isinstance(value, list | tuple | str | Undefined):
        note("it takes a part of something that is no list in this event")
        return NOTHING
    spend(1 + cost(value))
    return value


def _concatenated(value: Any) -> str:
    """What `~` puts into a text, paid for."""
    text = shown(value)
    spend(1 + cost(text))
    return text


def render(text: Text, seen: Mapping[str, Any]) -> str:
    """The text for one event, as `values.view` shows it; raises CannotRender."""
    try:
        with limited():
            return _joined(text.template, _known(seen, text.clocks))
    except UndefinedError:
        raise CannotRender("it calculates or compares with something this event lacks") from None
    except CannotRender:
        raise
    except (RecursionError, MemoryError):
        raise CannotRender("it is too complicated") from None
    except Exception:  # noqa: BLE001  # filters fail in ways of their own; one text, one failure
        raise CannotRender("it does something with a value that is not possible") from None


def _joined(template: Template, known: Mapping[str, Any]) -> str:
    chunks: list[str] = []
    length = 0
    for chunk in template.generate(known):
        length += len(chunk)
        if length > LONGEST_TEXT:
            raise CannotRender(f"it becomes longer than {LONGEST_TEXT:,} characters")
        chunks.append(chunk)
    return "".join(chunks)


def _known(seen: Mapping[str, Any], clocks: tzinfo | None) -> dict[str, Any]:
    return {name: _given(value, clocks) for name, value in seen.items() if value is not None}


def _given(value: Any, clocks: tzinfo | None) -> Any:
    """A value as a text gets it: not too long, and times by the clocks of the rules.

    Without clocks, in a key, times are those of UTC, and a day is a time.
    """
    if isinstance(value, datetime):
        return days.local(value, clocks or UTC)
    if isinstance(value, date) and clocks is None:
        return days.midnight(value, UTC)
    return value[:LONGEST_VALUE] if isinstance(value, str) else value


class _Environment(ImmutableSandboxedEnvironment):
    clocks: tzinfo | None
    intercepted_binops = frozenset(("+", "-", "*", "/", "//", "%", "**"))
    intercepted_unops = frozenset(("+", "-"))

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Only keys of mappings and numbers of lists; None is as good as missing."""
        spend()
        if isinstance(obj, Undefined):
            return obj
        found = _reached(obj, argument)
        if found is None:
            # Of what is no name the text may be as long as an event.
            return self.undefined(name=argument[:100] if isinstance(argument, str) else None)
        return _given(found, self.clocks)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """The result for numbers, both texts joined for `+`; anything else is unknown."""
        spend(_CALCULATION + cost(left) + cost(right))
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return (left + right)[: LONGEST_TEXT + 1]
        one, other = values.number(left), values.number(right)
        if one is None or other is None:
            if operator == "+" and (_is_wording(left) or _is_wording(right)):
                return (shown(left) + shown(right))[: LONGEST_TEXT + 1]
            note(_calculates(left if one is None else right))
            return NOTHING
        return self._calculated(operator, one, other)

    def _calculated(self, operator: str, one: Decimal, other: Decimal) -> Any:
        try:
            made = self.binop_table[operator](one, other)
        except ArithmeticError:
            note("it calculates something that there is not, such as a share of 0")
            return NOTHING
        if not made.is_finite() or abs(made.adjusted()) > _MOST_DIGITS:
            note("it calculates something too large")
            return NOTHING
        return made

    def call_unop(self, context: Any, operator: str, arg: Any) -> Any:
        spend(_CALCULATION + cost(arg))
        value = values.number(arg)
        if value is None:
            note(_calculates(arg))
            return NOTHING
        return -value if operator == "-" else value

    def handle_exception(self, source: str | None = None) -> NoReturn:
        """Raises it as it is: Jinja would make up code to have a nicer traceback."""
        raise

    def is_safe_callable(self, obj: Any) -> bool:
        return False


def _is_wording(value: Any) -> bool:
    """A text that is no number: whoever adds something to it wants both."""
    return isinstance(value, str) and values.number(value) is None


def _calculates(value: Any) -> str:
    if not isinstance(value, Undefined):
        return "it calculates with something that is no number in this event"
    name = value._undefined_name
    named = f"`{name}`" if isinstance(name, str) and _NAME.fullmatch(name) else "something"
    return f"it calculates with {named}, which is not known in this event"


def _reached(obj: Any, argument: Any) -> Any:
    if isinstance(obj, Mapping):
        return obj.get(argument) if isinstance(argument, str) else None
    if isinstance(obj, list | tuple) and isinstance(argument, int | slice):
        try:
            return obj[argument]
        except IndexError:
            return None
    return None


@lru_cache(maxsize=64)
def environment(
    escape: Escape | None, zone: str = "UTC", is_key: bool = False
) -> ImmutableSandboxedEnvironment:
    """One per way of escaping and time zone: Jinja knows both by its environment only."""

    def finished(value: Any) -> str:
        text = shown(value)
        if not text:
            note_blank()
        spend(len(text) // CHARACTERS)
        return escape(text) if escape else text

    made = _Environment(
        undefined=ChainableUndefined,
        finalize=finished,
        autoescape=False,
        optimized=False,
        keep_trailing_newline=False,
        cache_size=0,
    )
    made.clocks = None if is_key else date_filter.zone(zone)
    made.globals.clear()
    made.filters = {**filters_in(zone), "_each": each, "_shown": _concatenated}
    made.filters |= {"_compared": _compared, "_sliced": _sliced}
    made.tests = dict(TESTS)
    return made
