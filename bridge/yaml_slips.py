"""What people mean when their YAML is none: the usual slips, each with what would be right."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import yaml

from bridge.amounts import comparison_meant
from bridge.errors import Mistake
from bridge.wording import quoted

ODD_BLANKS = "\u00a0\u1680\u2000-\u200b\u202f\u205f\u2060\u3000\ufeff"
"""Blanks of word processors and web pages, which are none to YAML; for a character class."""
CURLY = "“”„‟‘’‚‛«»"
"""Quotes of word processors, which are none to YAML."""

_MOST_LOOKED_AT = 1_000
_MOST_LINES = 200
_SPECIALS = "[@`%*&!|>]"


@dataclass(frozen=True)
class Slip:
    """A mistake or, if it `only_warns`, what may be meant; `line` and `column` start at 0.

    `of_value`: it spoils one value, and all else can be understood. `name` and
    `example` repeat what stands in the file, the others never do.
    """

    line: int
    column: int
    what: str
    advice: str = ""
    name: str = ""
    example: str = ""
    only_warns: bool = False
    of_value: bool = False

    def told(self, file: str, *, echo: bool) -> Mistake:
        """Without `echo` no text of the file is repeated."""
        subject = f"{quoted(self.name) if echo else 'this name'} " if self.name else ""
        example = f": {self.example}" if self.example and echo else ""
        what, advice = f"{subject}{self.what}", f"{self.advice}{example}"
        return Mistake(file, self.line + 1, self.column + 1, what, advice)


def unquoted_template(lines: Sequence[str], line: int, column: int) -> Slip | None:
    """`{{ ... }}` at this place without quotes, which YAML takes for a mapping."""
    rest = _line(lines, line)[column:]
    if not rest.startswith("{{"):
        return None
    return replace(_quote_template(line, column, rest), of_value=True)


def syntax_slip(error: yaml.YAMLError, lines: Sequence[str]) -> Slip:
    """One plain sentence for what the parser could not read."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return Slip(0, 0, "YAML cannot read this file", "save it as plain UTF-8 text")
    block = _block_above(error, lines)
    if block:
        return block
    for line, patterns in _suspects(error):
        slip = _slip_on(_line(lines, line), line, patterns)
        if slip:
            return slip
    what, advice, at_context = _words(error)
    mark = (error.context_mark if at_context else None) or error.problem_mark
    return Slip(mark.line, mark.column, what, advice) if mark else Slip(0, 0, what, advice)


def _block_above(error: yaml.MarkedYAMLError, lines: Sequence[str]) -> Slip | None:
    """A text after | or > whose lines are not indented."""
    mark = error.context_mark or error.problem_mark
    if mark is None or not mark.line or not _BLOCK.search(_line(lines, mark.line - 1)):
        return None
    what = "the lines of a text that begins with | or > must be indented further than its name"
    return Slip(mark.line, mark.column, what, "indent them by two blanks")


def _suspects(error: yaml.MarkedYAMLError) -> Iterator[tuple[int, _Patterns]]:
    """The lines that may be at fault, and what to look for in them."""
    at, since = error.problem_mark, error.context_mark
    in_brackets = "flow" in (error.context or "")
    for mark in (at, since):
        if mark:
            yield mark.line, (*_SLIPS, *(_IN_BRACKETS if in_brackets else ()))
    if at and in_brackets:
        for line in range(at.line - 1, max(at.line - _MOST_LINES, -1), -1):
            yield line, _IN_BRACKETS
    elif at and at.line:
        yield at.line - 1, _BEFORE


def in_quotes(text: str) -> str:
    """The text as it would be right, cut where it is long."""
    text = text.strip()
    if len(text) > 2 and text[0] in CURLY and text[-1] in CURLY:
        text = text[1:-1].strip()
    inside = "'" if '"' in text else '"'
    return f"{inside}{_short(text)}{inside}"


def _line(lines: Sequence[str], line: int) -> str:
    return lines[line][:_MOST_LOOKED_AT] if line < len(lines) else ""


def _slip_on(text: str, line: int, patterns: _Patterns) -> Slip | None:
    for pattern, make in patterns:
        found = pattern.search(text)
        slip = make(line, found) if found else None
        if slip:
            return slip
    return None


def _tab(line: int, found: re.Match[str]) -> Slip:
    return Slip(line, found.start(1), "a tab in the indentation", "type spaces instead")


def _nameless(line: int, found: re.Match[str]) -> Slip:
    return Slip(line, found.start(1), "a name is missing before the colon")


def _odd_blank(line: int, found: re.Match[str]) -> Slip:
    return odd_blank(line, found.start(1), found[1])


def odd_blank(line: int, column: int, blank: str) -> Slip:
    """A character that looks like a blank or like nothing."""
    what = f"an invisible character (U+{ord(blank):04X}) that is no blank to YAML"
    return Slip(line, column, what, "type a blank instead" if blank.isspace() else "delete it")


def _dash(line: int, found: re.Match[str]) -> Slip:
    return no_blank_after_dash(line, found.start(1), found[1])


def no_blank_after_dash(line: int, column: int, text: str) -> Slip:
    """`-slack.post_message:` instead of `- slack.post_message:`."""
    what = "a blank is missing after the - that begins an entry"
    return Slip(line, column, what, "write", example=_short(f"- {text[1:]}"))


def _template(line: int, found: re.Match[str]) -> Slip:
    return _quote_template(line, found.start(1), found[1])


def _quote_template(line: int, column: int, rest: str) -> Slip:
    rest = _OUTSIDE.sub("", rest)
    what = "{{ ... }} without quotes, which YAML takes for something else"
    advice = "put quotes around the whole text"
    return Slip(line, column, what, advice, example=in_quotes(rest))


def _special(line: int, found: re.Match[str]) -> Slip:
    what = f"a text cannot begin with {found[1][0]} without quotes"
    text = found[1]
    # Closing brackets belong to what was opened before the text.
    while text[-1:] in ("}", "]") and text.count(text[-1]) > text.count(_OPENED[text[-1]]):
        text = text[:-1].rstrip()
    return Slip(line, found.start(1), what, "put quotes around it", example=in_quotes(text))


_OPENED = {"}": "{", "]": "["}


def _ends_early(line: int, found: re.Match[str]) -> Slip:
    what = f"the text ends at the second {found[2]}, and more stands behind it"
    other = "'" if found[2] == '"' else '"'
    return Slip(line, found.start(1), what, f"put {other} around the whole text instead")


def _hash(line: int, found: re.Match[str]) -> Slip:
    what = "everything after # is a comment, also the closing bracket"
    example = f'"{_short(found[1])}"'
    return Slip(line, found.start(1), what, "put quotes around it", example=example)


def _sign(line: int, found: re.Match[str]) -> Slip | None:
    """`order.total: >= 100` and `order.total: {>=: 100}`, which YAML cannot even read."""
    meaning = comparison_meant(found[1])
    if not meaning:
        return None
    meaning = meaning if found[0].startswith(":") else meaning[1:-1]
    what = "signs such as >= are written as words here"
    return Slip(line, found.start(1), what, "write", example=meaning)


def _two_conditions(line: int, found: re.Match[str]) -> Slip:
    """`tickets.type: VIP and order.total: 100`."""
    first, link, second = found[1], (found[2] or "").lower(), _short(found[3])
    what = "two conditions stand in this line"
    if link in ("or", "||"):
        advice, example = "write", f"any: [{{{first}}}, {{{second}}}]"
    else:
        advice, example = "write each on a line of its own", f"{first}, and below it {second}"
    return Slip(line, found.start(1), what, advice, example=example)


def _no_colon(line: int, found: re.Match[str]) -> Slip:
    """`channel = "#big"`, which YAML goes on reading in the next line."""
    what = f"a colon is missing after {found[1]}"
    return Slip(line, found.start(1), what, "write", example=f"{found[1]}: {_short(found[2])}")


def _bullet(line: int, found: re.Match[str]) -> Slip:
    return no_list_dash(line, found.start(1), found[1])


def no_list_dash(line: int, column: int, text: str) -> Slip:
    """`• slack.post_message:`, as in a word processor or a chat."""
    sign, _, rest = text.partition(" ")
    what = f"{sign} begins no entry of a list; that is done by - and a blank"
    return Slip(line, column, what, "write", example=f"- {_short(rest)}")


def _code(line: int, found: re.Match[str]) -> Slip:
    """The marks that a chat puts around what is shown as it was typed."""
    what = "these marks are no part of the file, and were copied along"
    return Slip(line, found.start(1), what, "remove this line")


def _bare_name(line: int, found: re.Match[str]) -> Slip:
    what = f"a colon is missing after {found[1]}"
    return Slip(line, found.start(1), what, "write", example=f"{found[1]}:")


def _link(line: int, found: re.Match[str]) -> Slip:
    """`or` and `and` alone in a line."""
    what = f"`{found[1].lower()}` cannot stand between conditions"
    if found[1].lower() == "and":
        return Slip(line, found.start(1), what, "remove this line: all of them must hold anyway")
    advice = "write `any:` above them, indent them further, and begin each with `- `"
    return Slip(line, found.start(1), what, advice)


def _braces_missing(line: int, found: re.Match[str]) -> Slip:
    """`order.total: at_least: 100`."""
    what = "what is asked of a field stands in { }, and they are missing"
    return Slip(line, found.start(1), what, "write", example=f"{{{found[2]}}}")


def _options_on_one_line(line: int, found: re.Match[str]) -> Slip:
    """`after: 3 days, at: "09:00"`."""
    what = "a second colon in this line, which YAML takes for another name"
    advice = (
        f"begin a new line with `{found[2]}:` if it is an option of its own; around a text that "
        "holds a colon put quotes"
    )
    return Slip(line, found.start(1), what, advice)


def _second_colon(line: int, found: re.Match[str]) -> Slip:
    what = "a second colon in this line, which YAML takes for another name"
    advice = "put quotes around a text that holds a colon"
    return Slip(line, found.start(1), what, advice, example=in_quotes(found[1]))


def _no_comma(line: int, found: re.Match[str]) -> Slip:
    what = "a second colon within { } without a comma before it"
    advice = "put a comma between two entries, or quotes around a text that holds a colon"
    return Slip(line, found.start(1), what, advice)


def _no_blank_after_colon(line: int, found: re.Match[str]) -> Slip:
    what = "a blank is missing after the colon"
    return Slip(line, found.start(1), what, "write", example=f"{found[1]} {_short(found[2])}")


# What follows a template within [ ] or { } and is no part of its text.
_OUTSIDE = re.compile(r"(?<=\}\})\s*[,\]\}](?!\}).*$")
# A quoted text with more behind it.
_BROKEN = r"(?:^ *|[:\-] +|[\[,] *)((['\"])(?:(?!\2).|\2\2)*\2 *[^\s,:#}\]][^\n]*)$"
_Patterns = Sequence[tuple[re.Pattern[str], Callable[[int, re.Match[str]], Slip | None]]]
_BLOCK = re.compile(r":\s+[|>][-+0-9]*\s*$")
_OPERATOR = (
    r"(?:(?:at|more|less|is|one|starts|ends)_[a-z]+|is|exactly|contains|matches|before|after|within"
    r"|present|between|any|all|not)"
)
_CONDITION = r"[a-z]\w*(?:\.\w+)+: +\S.*?"
_TWO = rf"^ *(?:- +)?({_CONDITION})(?: +(and|or|&&?|\|\||AND|OR)|,) +({_CONDITION})$"
_SLIPS: _Patterns = (
    (re.compile(r": +([<>=!]=?\s*[\d$€£][^\n]*)$"), _sign),
    (re.compile(r"\{ *([<>=!]{1,2}\s*:?\s*[\d$€£][^,}\n]*)"), _sign),
    (re.compile(_TWO), _two_conditions),
    (re.compile(r"^ *(```\w*|~~~\w*) *$"), _code),
    (re.compile(r"^ *([*•·▪‣◦●–—] +[\w.]+:(?: [^\n]*)?)$"), _bullet),
    (re.compile(r"^ *(?:- +)?(or|and|OR|AND|Or|And) *$"), _link),
    (re.compile(rf"^ *(?:- +)?\w+\.[\w.]+: +(\(?({_OPERATOR}: +[^\n]*?)\)?)$"), _braces_missing),
    (re.compile(r"^ *(?:- *)?(\t)"), _tab),
    (re.compile(f"^[ {ODD_BLANKS}]*([{ODD_BLANKS}])"), _odd_blank),
    (re.compile(f"[:-]([{ODD_BLANKS}])"), _odd_blank),
    (re.compile(r"^ *(-[^\s\-][^\n]*)$"), _dash),
    (re.compile(r"^ *(?:- +)?(:)(?: |$)"), _nameless),
    (
        re.compile(r"^ *(?:- +)?[a-z_]+: +([^\s\"'\[{|>,:][^,:\n]*, *([a-z_]+): [^\n]*)$"),
        _options_on_one_line,
    ),
    (re.compile(r"^ *(?:- +)?[\w.\"']+: +([^\s\"'\[{|>][^\n]*?:(?: [^\n]*)?)$"), _second_colon),
    (re.compile(r"(?:^|[:\-\[,])\s*(\{\{[^\n]*)$"), _template),
    (re.compile(_BROKEN), _ends_early),
    (re.compile(rf"(?:^ *|[:\-] +)(?![|>][-+0-9]*\s*$)({_SPECIALS}[^\n]*)$"), _special),
    (re.compile(r"(?:: +|^ *- +)(\[[^\[\]\n]*\] *[^\s,#}\]][^\n]*)$"), _special),
    (re.compile(r"(?:: +|^ *- +)(\{[%#][^\n]*)$"), _special),
    (re.compile(r"^ *(?:- +)?([\w.]+:)([^\s/:][^\n]*)$"), _no_blank_after_colon),
)
_IN_BRACKETS: _Patterns = (
    (re.compile(r"(?:: +|^ *- +)(\{[%#][^\n]*)$"), _special),
    (re.compile(r"[\[{,:] *(#\w[^\s,\]}]*)"), _hash),
    (re.compile(r"[\[,:] *([^\s\[{\"'#,][^\[{\"',\n]*\{\{[^\n]*)$"), _template),
    (re.compile(r"[{,] *[\w.]+: +[^,{}\[\]\"'\n]*?([\w.]+): "), _no_comma),
)
_BEFORE: _Patterns = (
    (
        re.compile(
            r"^ *(?:- +)?(rules|tests|lists|texts|when|where|do|given|expect|with|any|all|not"
            r"|properties|merge_fields|tags|sources|accounts)\s*$"
        ),
        _bare_name,
    ),
    _SLIPS[-1],
    (re.compile(r"^ *(?:- +)?([A-Za-z_][\w.]*)\s*(?:=>|:=|[=;–—]| -)\s*(\S[^\n]*)$"), _no_colon),
    (re.compile(r"^ *(?:- +)?([A-Za-z_][\w.]*) +([\"'][^\n]*)$"), _no_colon),
)


def _short(text: str, longest: int = 60) -> str:
    line = text.strip()
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def _words(error: yaml.MarkedYAMLError) -> tuple[str, str, bool]:
    """What, advice, and whether the mistake is where the parser's context began."""
    problem, context = error.problem or "", error.context or ""
    if "escape" in problem:
        return "a backslash in double quotes begins a special character", _BACKSLASH, False
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


_INDENT = "lines that belong together begin in the same column; check also that quotes are closed"
_BACKSLASH = "use single quotes, or write it twice"
_COLON = "put quotes around a text that holds a colon; else check how far this line is indented"
_FLOW = 'close it, and put quotes around every text in it: "..."'
