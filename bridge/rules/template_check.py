"""What is wrong with a template, before any event comes: syntax, names, forbidden things."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jinja2 import TemplateSyntaxError

from bridge.rules.template_walk import Problem, Walker
from bridge.rules.templates import LONGEST_TEMPLATE, environment
from bridge.rules.vocabulary import Vocabulary

_ONE_BRACE = re.compile(r"(?<!\{)\{\s*([a-z_]+)(\.[\w.]+)?\s*\}(?!\})")

_UNEXPECTED = re.compile(r"unexpected char (['\"])(.+)\1 at")
_TYPOGRAPHIC = "“”„‟«»‘’‚‛"


def check(source: str, vocabulary: Vocabulary) -> list[Problem]:
    """Everything wrong with a template; none: it compiles."""
    if len(source) > LONGEST_TEMPLATE:
        return [Problem(1, f"this text is longer than {LONGEST_TEMPLATE:,} characters")]
    try:
        tree = environment(None).parse(source)
    except TemplateSyntaxError as error:
        return [Problem(error.lineno, *_syntax(str(error.message)))]
    except (RecursionError, MemoryError, ValueError, OverflowError):
        return [Problem(1, "this text is too complicated", "make it shorter")]
    walker = Walker(vocabulary)
    walker.visit(tree, {})
    return list(dict.fromkeys(walker.problems))


def slips(text: str, vocabulary: Vocabulary) -> Iterator[Problem]:
    """`{contact.name}` with one pair of braces, which would be inserted as it stands."""
    for found in _ONE_BRACE.finditer(text):
        if found[1] in vocabulary.root.parts and found[2]:
            name = found[1] + found[2]
            yield Problem(1, f"`{{{name}}}` is plain text", f"write {{{{ {name} }}}}")


def _syntax(message: str) -> tuple[str, str]:
    message = message.rstrip(".")
    odd = _UNEXPECTED.search(message)
    if odd:
        return _unexpected(odd[2])
    if "unexpected end of template" in message:
        return "a {{ is opened here and not closed", "write it like {{ contact.name }}"
    if "end of print statement" in message:
        advice = "one word follows another; between them belongs `|`, `or`, `~` or the closing }}"
    elif "unknown tag" in message.lower():
        advice = "there is {% if %} ... {% endif %} and {% for %} ... {% endfor %}"
    else:
        advice = "a text to fill in looks like {{ contact.name }}"
    return f"this text cannot be read: {message}", advice


def _unexpected(written: str) -> tuple[str, str]:
    """A character that Jinja does not know; `written` as `repr` writes it."""
    if written in _TYPOGRAPHIC:
        what = f"{written} is a quote of a word processor"
        return what, "write ' or \" there, whichever does not stand around the whole text"
    if written in ("'", '"'):
        return "a quote opens here within {{ }} and never closes", "add the closing quote"
    if re.match(r"\\[xuU]", written):
        return "an invisible character within {{ }}", "delete it"
    return f"{written} is not possible within {{{{ }}}}", "put quotes around a text"
