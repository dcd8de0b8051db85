"""What Jinja cannot read in a text, in words for people who never heard of Jinja."""

from __future__ import annotations

import re

from bridge.wording import nearest, quoted

_UNEXPECTED = re.compile(r"unexpected char (['\"])(.+)\1 at")
_AT = re.compile(r"(?:got|unexpected) '(.+)'$")
_TAG = re.compile(r"unknown tag '(\w+)'")
_OPEN = re.compile(r"needs to be closed is '(\w+)'")
_TYPOGRAPHIC = "“”„‟«»‘’‚‛"
_BLOCKS = ("if", "for")
_INNER = ("else", "elif", "endif", "endfor")
_EXAMPLES = "a field is written {{ contact.name }}, a choice {% if contact.name %} ... {% endif %}"


def syntax_trouble(message: str, source: str) -> tuple[str, str]:
    """What is wrong, and what would be right; `message` is Jinja's."""
    message = message.rstrip(".")
    other = _of_other_tools(source)
    if other:
        return other
    odd = _UNEXPECTED.search(message)
    if odd:
        return _odd_character(odd[2])
    if "{{{" in source:
        found = _THREE.search(source)
        inside = found[1] if found else "contact.name"
        return "three braces stand together", f"write {{{{ {inside} }}}}"
    if "unknown tag" in message:
        return _unknown_block(message)
    if _OPEN.search(message):
        return _open_block(message)
    if "unexpected end of template" in message:
        return "a {{ or {% is opened here and not closed", _EXAMPLES
    return _out_of_place(message)


_BLOCK_IN_BRACES = re.compile(r"\{\{-?\s*((?:if|elif|else|endif|for|endfor)\b[^{}]*?)\s*-?\}\}")
_FIELD_IN_PERCENT = re.compile(r"\{%-?\s*([a-z_]\w*(?:\.\w+)+)\s*-?%\}")
_LIQUID = re.compile(r"\|\s*(\w+)\s*:\s*((?:'[^']*'|\"[^\"]*\"|[\w.]+)(?:\s*,\s*[\w.']+)*)")
_ELSE_IF = re.compile(r"\{%-?\s*(elseif|elsif|else if) +([^{}]+?)\s*-?%\}")
_THREE = re.compile(r"\{\{\{\s*([^{}]+?)\s*\}\}\}")
_SIGNS = {"||": "or", "&&": "and", "??": "or"}
_INSIDE = re.compile(r"\{[{%].*?[}%]\}", re.DOTALL)


def _of_other_tools(source: str) -> tuple[str, str] | None:
    """What other languages write within braces."""
    if found := _BLOCK_IN_BRACES.search(source):
        what = f"{quoted(found[1])} stands between {{% and %}} here"
        return what, f"write {{% {found[1]} %}}"
    if found := _FIELD_IN_PERCENT.search(source):
        return "a field is inserted by two braces on each side", f"write {{{{ {found[1]} }}}}"
    if found := _ELSE_IF.search(source):
        return f"there is no {{% {found[1]} %}}", f"write {{% elif {found[2]} %}}"
    inside = " ".join(_INSIDE.findall(source))
    for sign, word in _SIGNS.items():
        if sign in inside:
            return f"`{sign}` is not possible within {{{{ }}}}", f"write `{word}`"
    if found := _LIQUID.search(inside):
        what = f"what the filter {quoted(found[1])} is told stands in ( )"
        return what, f"write {found[1]}({found[2]})"
    return None


def _odd_character(written: str) -> tuple[str, str]:
    """One that Jinja does not know; `written` as `repr` writes it."""
    if written in _TYPOGRAPHIC:
        what = f"{written} is a quote of a word processor"
        return what, "write ' or \" there, whichever does not stand around the whole text"
    if written in ("'", '"'):
        return "a quote opens here within {{ }} and never closes", "add the closing quote"
    if re.match(r"\\[xuU]", written):
        return "an invisible character within {{ }}", "delete it"
    return f"{written} is not possible within {{{{ }}}}", "put quotes around a text"


def _open_block(message: str) -> tuple[str, str]:
    found = _OPEN.search(message)
    name = found[1] if found else "if"
    what = f"{{% {name} %}} is opened here and not closed"
    return what, f"write {{% end{name} %}} where it ends"


def _unknown_block(message: str) -> tuple[str, str]:
    """`{% end %}`, `{% foreach %}`, `{% endif %}` without `{% if %}`."""
    found, opened = _TAG.search(message), _OPEN.search(message)
    name = found[1] if found else ""
    what = f"there is no {{% {name} %}}"
    if opened and name.startswith(("end", "fi", "done")):
        return what, f"write {{% end{opened[1]} %}}"
    if name in _INNER:
        return f"{{% {name} %}} stands here, and nothing was opened before it", _EXAMPLES
    close = nearest(name, (*_BLOCKS, *_INNER)) or ("for" if "for" in name else None)
    return what, f"did you mean {{% {close} %}}?" if close else _EXAMPLES


def _out_of_place(message: str) -> tuple[str, str]:
    found = _AT.search(message)
    got = found[1] if found else ""
    if "Expected an expression" in message:
        return "something is missing before the closing }} or %}", _EXAMPLES
    if got == "=":
        return "a single = compares nothing", "to compare two values write `==`"
    if got in ("}", "%"):
        return "what is opened by {{ must end with }}, and {% with %}", _EXAMPLES
    if got and "end of" in message:
        what = f"`{got}` follows what is before it without a link"
        advice = (
            "between two values belongs `|`, `or`, `~` or the closing }}, and a name has no blanks"
        )
        return what, advice
    return "this text to fill in cannot be read" + (f" at `{got}`" if got else ""), _EXAMPLES
