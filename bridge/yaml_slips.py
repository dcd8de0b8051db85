"""What people mean when their YAML is none: the usual slips, each with what would be right."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import yaml

from bridge.errors import Mistake

_TEMPLATE = re.compile(r"(?:^|[:\-\[,])\s*(\{\{.*)$")
_COMMENT = re.compile(r"\s*(#[^\s#]\S*)")
_SPECIAL = re.compile(r"(?:^\s*|[:\-]\s+)([@`%*&!|>][^\n]*)$")

# What follows a template within [ ] or { } and is no part of its text.
_OUTSIDE = re.compile(r"(?<=\}\})\s*[,\]\}](?!\}).*$")

_INDENT = "check that this line begins exactly under its siblings, and that quotes are closed"


def unquoted_template(lines: Sequence[str], line: int, column: int, file: str) -> Mistake | None:
    """`{{ ... }}` at this place without quotes, which YAML takes for a mapping."""
    rest = lines[line][column:] if line < len(lines) else ""
    if not rest.startswith("{{"):
        return None
    return _quote_template(file, line, column, rest)


def swallowed_by_comment(lines: Sequence[str], line: int, column: int, file: str) -> Mistake | None:
    """An empty value before `#channel`, which YAML takes for a comment."""
    rest = lines[line][column:] if line < len(lines) else ""
    found = _COMMENT.match(rest)
    if not found:
        return None
    what = "nothing is left here, because everything after # is a comment"
    return Mistake(
        file, line + 1, column + found.start(1) + 1, what, f'put quotes around it: "{found[1]}"'
    )


def hushed(mistake: Mistake) -> Mistake:
    """The same mistake, without the text that is to be quoted."""
    advice = re.sub(r"(?s)^(put quotes around [a-z ]+):.*", r"\1", mistake.advice)
    return replace(mistake, advice=advice)


def syntax_mistake(error: yaml.YAMLError, lines: Sequence[str], file: str) -> Mistake:
    """One plain sentence for what the parser could not read."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return Mistake(file, 1, 1, "YAML cannot read this file", "save it as plain UTF-8 text")
    for mark in (error.problem_mark, error.context_mark):
        slip = _slip_on(lines, mark.line, file) if mark else None
        if slip:
            return slip
    what, advice, at_context = _words(error)
    mark = (error.context_mark if at_context else None) or error.problem_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return Mistake(file, line, column, what, advice)


def _slip_on(lines: Sequence[str], line: int, file: str) -> Mistake | None:
    text = lines[line] if line < len(lines) else ""
    indent = text[: len(text) - len(text.lstrip())]
    if "\t" in indent:
        column = indent.index("\t") + 1
        return Mistake(
            file, line + 1, column, "a tab in the indentation", "YAML wants spaces there"
        )
    template = _TEMPLATE.search(text)
    if template:
        return _quote_template(file, line, template.start(1), template[1])
    special = _SPECIAL.search(text)
    if special and not re.fullmatch(r"[|>][-+0-9]*", special[1].strip()):
        what = f"a text cannot begin with {special[1][0]} without quotes"
        advice = f'put quotes around it: "{_short(special[1])}"'
        return Mistake(file, line + 1, special.start(1) + 1, what, advice)
    return None


def _quote_template(file: str, line: int, column: int, rest: str) -> Mistake:
    rest = _OUTSIDE.sub("", rest)
    inside = "'" if '"' in rest else '"'
    what = "{{ ... }} without quotes, which YAML takes for something else"
    advice = f"put quotes around the whole text: {inside}{_short(rest)}{inside}"
    return Mistake(file, line + 1, column + 1, what, advice)


def _short(text: str, longest: int = 60) -> str:
    line = text.strip()
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def _words(error: yaml.MarkedYAMLError) -> tuple[str, str, bool]:
    """What, advice, and whether the mistake is where the parser's context began."""
    problem, context = error.problem or "", error.context or ""
    if "quoted scalar" in context:
        return "a quote opens here and never closes", "add the closing quote", True
    if "mapping values are not allowed" in problem:
        return "a second colon, or a line that is indented too far", _COLON, False
    if "flow" in context:
        return "a { or [ opens here and is not closed properly", _FLOW, True
    if "could not find expected ':'" in problem:
        return "this line lacks a colon", "write `name: value`, or quote the text", True
    if "anchor" in context or "alias" in context or "tag" in context:
        return "a text cannot begin with *, & or ! without quotes", "put quotes around it", False
    if "expected" in problem:
        return "this line does not fit the lines above it", _INDENT, False
    return f"YAML cannot read this: {problem or 'syntax error'}", _INDENT, False


_COLON = "put quotes around a text that holds a colon; else check how far this line is indented"
_FLOW = 'close it, and put quotes around every text in it: "..."'
