"""Walks a template's syntax tree with the shapes of the declared fields.

Only what is on the lists here may stand in a template at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import nodes

from bridge.rules.countries import complaint_about_region
from bridge.rules.date_filter import complaint_about_date
from bridge.rules.filter_reference import BY_NAME
from bridge.rules.filters import FILTERS, TESTS, takes
from bridge.rules.vocabulary import ALIASES, FREE, Shape, Vocabulary
from bridge.wording import meant, nearest, quoted

_DEEPEST_LOOP = 2
_DEEPEST = 60
_MOST_PROBLEMS = 20

_PLAIN = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Const,
    nodes.CondExpr,
    nodes.If,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Add,
    nodes.Sub,
    nodes.Mul,
    nodes.Div,
    nodes.Neg,
    nodes.Pos,
    nodes.Concat,
    nodes.List,
    nodes.Tuple,
    nodes.Slice,
    nodes.Keyword,
)
_FORBIDDEN = {
    "Pow": ("`**` is not possible", ""),
    "Assign": ("`set` is not possible", "repeat what you would have set"),
    "FromImport": ("`import` is not possible", ""),
}
_FILTERS = {
    **dict.fromkeys(("currency", "format_currency", "as_currency", "price"), "money"),
    **dict.fromkeys(("uppercase", "upcase", "to_upper", "toupper"), "upper"),
    **dict.fromkeys(("lowercase", "downcase", "to_lower", "tolower"), "lower"),
    **dict.fromkeys(("titlecase", "title_case", "proper"), "title"),
    **dict.fromkeys(("size", "len"), "length"),
    **dict.fromkeys(
        ("strftime", "date_format", "format_date", "datetime", "datetimeformat"), "date"
    ),
    **dict.fromkeys(("fallback", "or_else", "ifempty"), "default"),
}
_AS_JSON = ("json", "tojson", "to_json", "dump", "dumps")
_LENGTHS = ("length", "len", "count", "size", "total", "number")
_ONE_MEMBER = ("first", "last", "min", "max")
_SAME = ("list", "reject", "rejectattr", "reverse", "select", "selectattr", "sort", "unique")
_BY_ATTRIBUTE = ("join", "join_and", "map", "max", "min", "sort", "sum", "unique")
_NAMES_ATTRIBUTE = ("selectattr", "rejectattr")


def _filter_meant(name: str) -> str:
    if name.casefold() in _AS_JSON:
        return "a text names single fields, such as contact.email; webhook.post sends whole events"
    alias = _FILTERS.get(name.casefold())
    return f"did you mean `{alias}`?" if alias else meant(name, FILTERS)


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a template; `line` starts at 1 within it.

    What `only_warns` may be meant as it stands.
    """

    line: int
    what: str
    advice: str = ""
    only_warns: bool = False


class Enough(Exception):
    """So much is wrong with a template that nobody wants to read more of it."""


Scope = Mapping[str, Shape]


class Walker:
    """Visits every node once; each visit gives the shape of the expression's value."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.problems: list[Problem] = []
        self._vocabulary = vocabulary
        self._loops = 0
        self._depth = 0
        self._special: Mapping[type[nodes.Node], Callable[[Any, Scope], Shape]] = {
            nodes.Name: self._name,
            nodes.Getattr: self._getattr,
            nodes.Getitem: self._getitem,
            nodes.Filter: self._filter,
            nodes.Test: self._test,
            nodes.For: self._for,
        }

    def visit(self, node: nodes.Node, scope: Scope) -> Shape:
        self._depth += 1
        try:
            return self._visit(node, scope)
        finally:
            self._depth -= 1

    def _visit(self, node: nodes.Node, scope: Scope) -> Shape:
        if self._depth > _DEEPEST:
            self._add(node, "this text is too complicated", "make it shorter")
            return FREE
        special = self._special.get(type(node))
        if special:
            return special(node, scope)
        if not isinstance(node, _PLAIN):
            kind = type(node).__name__
            if isinstance(node, nodes.Call):
                self._add(node, *_called(node))
                return FREE
            what = f"`{kind.lower()}` is not possible in a rule"
            self._add(node, *_FORBIDDEN.get(kind, (what, "")))
            return FREE
        for child in node.iter_child_nodes():
            self.visit(child, scope)
        return FREE

    def _name(self, node: nodes.Name, scope: Scope) -> Shape:
        shape = scope.get(node.name) or self._vocabulary.root.parts.get(node.name)
        if shape is None:
            known = [*scope, *self._vocabulary.root.parts]
            what = f"nothing is called {quoted(node.name)} in {self._vocabulary.about}"
            advice = self._elsewhere(node.name) or self._nearest(node.name, known)
            each = self._vocabulary.by_member(node.name)
            if each:
                what = f"{quoted(node.name)} is known only with `for_each: {each}`"
                advice = f"add `for_each: {each}` to the rule"
            self._add(node, what, advice)
            return FREE
        return shape

    def _nearest(self, name: str, known: list[str]) -> str:
        field, group = self._vocabulary.called(name), ALIASES.get(name.casefold())
        alias = field or (group if group in known else None)
        return f"did you mean `{alias}`?" if alias else meant(name, known)

    def _elsewhere(self, name: str) -> str:
        for path, where in self._vocabulary.elsewhere.items():
            if path.partition(".")[0] == name:
                return where
        return ""

    def _getattr(self, node: nodes.Getattr, scope: Scope) -> Shape:
        return self._part(node, self.visit(node.node, scope), node.attr)

    def _getitem(self, node: nodes.Getitem, scope: Scope) -> Shape:
        shape = self.visit(node.node, scope)
        self.visit(node.arg, scope)
        if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            return self._part(node, shape, node.arg.value)
        if isinstance(node.arg, nodes.Slice):
            return shape
        if shape.kind == "group":
            spelled = _spelled(node)
            what = f"`{spelled}` is no list, so it has no entries with a number"
            self._add(node, what, f"write {{{{ {spelled}.{next(iter(shape.parts))} }}}}")
            return FREE
        return shape.member

    def _part(self, node: nodes.Node, shape: Shape, name: str) -> Shape:
        if shape.free:
            if name.startswith("__"):
                self._add(node, f"{quoted(name)} is not possible in a rule", "leave it out")
            return FREE
        below = shape.parts.get(name)
        if shape.kind == "group" and below:
            return below
        self._add(node, *_no_part(_spelled(node), shape, name))
        return FREE

    def _filter(self, node: nodes.Filter, scope: Scope) -> Shape:
        shape = self.visit(node.node, scope) if node.node is not None else FREE
        self._arguments(node, scope)
        if node.name not in FILTERS:
            self._add(node, f"there is no filter {quoted(node.name)}", _filter_meant(node.name))
            return FREE
        self._check_arguments(node, shape)
        if node.name in _ONE_MEMBER:
            return shape.member
        return shape if node.name in _SAME else FREE

    def _arguments(self, node: nodes.Filter | nodes.Test, scope: Scope) -> None:
        for child in (*node.args, *node.kwargs):
            self.visit(child, scope)
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            self._add(node, "`*` and `**` are not possible in a rule")

    def _check_arguments(self, node: nodes.Filter, shape: Shape) -> None:
        texts = _texts(node.args)
        if not takes(node.name, len(node.args), [str(one.key) for one in node.kwargs]):
            self._add(node, *_usage(node.name))
        if node.name == "phone" and texts:
            what, advice = complaint_about_region(texts[0])
            if what:
                self._add(node, f"`phone({texts[0]!r})`: {what}", advice)
        if node.name == "date":
            for wanted in texts:
                wrong = complaint_about_date(wanted)
                if wrong:
                    what, _, advice = wrong.partition("; ")
                    self._add(node, f"`date({wanted!r})`: {what}", advice)
        if node.name == "money" and not node.args and shape.kind == "group":
            self._add(node, "`money` needs an amount", "such as {{ order.total | money }}")
        self._check_attribute(node, shape, texts)
        self._check_names(node, texts)

    def _check_attribute(self, node: nodes.Filter, shape: Shape, texts: list[str]) -> None:
        named = texts[:1] if node.name in _NAMES_ATTRIBUTE else []
        if node.name in _BY_ATTRIBUTE:
            named += _texts(one.value for one in node.kwargs if one.key == "attribute")
        for path in named:
            below = shape.member
            for name in path.split("."):
                below = self._part_of_member(node, below, name)

    def _part_of_member(self, node: nodes.Node, shape: Shape, name: str) -> Shape:
        if shape.free:
            return FREE
        below = shape.parts.get(name)
        if below is None:
            self._add(node, f"no entry has a field {quoted(name)} there", meant(name, shape.parts))
        return below or FREE

    def _check_names(self, node: nodes.Filter, texts: list[str]) -> None:
        """`map('upper')` and `select('odd')` name filters and tests in quotes."""
        if node.name == "map" and texts and texts[0] not in FILTERS:
            self._add(node, f"there is no filter {quoted(texts[0])}", meant(texts[0], FILTERS))
        first = {"select": 0, "reject": 0, "selectattr": 1, "rejectattr": 1}.get(node.name)
        names = texts[first : first + 1] if first is not None else []
        for name in names:
            if name not in TESTS:
                self._add(node, f"there is no test {quoted(name)}", meant(name, TESTS))

    def _test(self, node: nodes.Test, scope: Scope) -> Shape:
        self.visit(node.node, scope)
        self._arguments(node, scope)
        if node.name not in TESTS:
            self._add(node, f"there is no test {quoted(node.name)}", meant(node.name, TESTS))
        return FREE

    def _for(self, node: nodes.For, scope: Scope) -> Shape:
        shape = self.visit(node.iter, scope)
        inside = {**scope, **_bound(node.target, shape.member), "loop": FREE}
        self._loops += 1
        if self._loops > _DEEPEST_LOOP:
            self._add(node, "loops cannot be nested deeper than two", "leave out the inner one")
        if node.recursive:
            self._add(node, "recursive loops are not possible in a rule")
        for child in (*node.body, *([node.test] if node.test is not None else [])):
            self.visit(child, inside)
        self._loops -= 1
        for child in node.else_:
            self.visit(child, scope)
        return FREE

    def _add(self, node: nodes.Node, what: str, advice: str = "") -> None:
        self.problems.append(Problem(node.lineno or 1, what, advice))
        if len(self.problems) >= _MOST_PROBLEMS:
            raise Enough


def _no_part(spelled: str, shape: Shape, name: str) -> tuple[str, str]:
    if shape.kind == "list" and name in _LENGTHS and name not in shape.parts:
        return f"`{spelled}` is a list", f"write {{{{ {spelled} | length }}}}"
    if shape.kind == "list":
        first = f"{{{{ {spelled}[0].{name} }}}}"
        every = f"{{{{ {spelled} | map(attribute='{name}') | join(', ') }}}}"
        return f"`{spelled}` is a list", f"write {first} for its first entry, or {every}"
    if shape.kind == "group":
        alias = ALIASES.get(name.casefold())
        near = alias if alias in shape.parts else nearest(name, shape.parts)
        advice = f"did you mean `{spelled}.{near}`?" if near else meant(name, shape.parts)
        return f"there is no field `{spelled}.{name}`", advice
    return f"`{spelled}` is one value and has no `{name}`", "leave that out"


def _called(node: nodes.Call) -> tuple[str, str]:
    """`upper(contact.name)`, `contact.name.upper()`, `len(tickets)`."""
    inner = node.node
    name = getattr(inner, "name", getattr(inner, "attr", ""))
    name = _FILTERS.get(str(name).casefold(), str(name))
    subject = inner if isinstance(inner, nodes.Getattr) else next(iter(node.args), None)
    plain = isinstance(subject, nodes.Name | nodes.Getattr) and name in FILTERS
    if not plain or subject is None:
        advice = "use a filter, such as {{ contact.name | upper }}"
        return "calls like `name()` are not possible", advice
    spelled = _spelled(subject) if subject is inner else _spelled_whole(subject)
    what = f"`{name}` is a filter, which stands behind what it is for"
    example = BY_NAME[name].example if BY_NAME[name].arguments else f"{{{{ {spelled} | {name} }}}}"
    return what, f"write it like {example}" if BY_NAME[name].arguments else f"write {example}"


def _spelled_whole(node: nodes.Node) -> str:
    return (
        node.name
        if isinstance(node, nodes.Name)
        else f"{_spelled(node)}.{getattr(node, 'attr', '')}"
    )


def _spelled(node: nodes.Node) -> str:
    """The path before the last part of a chain, for messages."""
    inner = node.node if isinstance(node, nodes.Getattr | nodes.Getitem) else node
    if isinstance(inner, nodes.Name):
        return inner.name
    if isinstance(inner, nodes.Getattr):
        return f"{_spelled(inner)}.{inner.attr}"
    if isinstance(inner, nodes.Getitem) and isinstance(inner.arg, nodes.Const):
        return f"{_spelled(inner)}[{inner.arg.value!r}]"
    return "this"


def _usage(name: str) -> tuple[str, str]:
    known = BY_NAME[name]
    wanted = known.usage if known.arguments else "nothing in brackets"
    return f"`{name}` wants {wanted}", f"write it like {known.example}"


def _texts(arguments: Any) -> list[str]:
    return [
        one.value
        for one in arguments
        if isinstance(one, nodes.Const) and isinstance(one.value, str)
    ]


def _bound(target: nodes.Node, member: Shape) -> dict[str, Shape]:
    if isinstance(target, nodes.Name):
        return {target.name: member}
    return {name.name: FREE for name in target.find_all(nodes.Name)}
