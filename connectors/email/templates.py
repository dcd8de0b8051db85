"""The operator's templates: files in one folder, filled in without a way out.

The sandbox is Jinja's (https://jinja.palletsprojects.com/en/stable/sandbox/) with less in it: a
name reaches into groups, a number into lists, and the only things to call are a template's own
macros and blocks. What is missing is empty text. In `.html` every value is escaped, and a
template cannot switch that off.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

from css_inline import CSSInliner, InlineError
from jinja2 import (
    ChainableUndefined,
    FileSystemLoader,
    TemplateNotFound,
    TemplateSyntaxError,
    UndefinedError,
    nodes,
)
from jinja2.environment import TemplateModule
from jinja2.loaders import split_template_path
from jinja2.runtime import BlockReference, LoopContext, Macro, TemplateReference, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from connectors.email.filters import filters, number, shown

LONGEST = 500_000
"""Characters; mail programs cut what is longer than a fifth of that."""

_OWN = (LoopContext, TemplateModule, TemplateReference)


class CannotWriteError(Exception):
    """A template is missing or wrong; the text says where, and holds nothing of the event."""


def written(folder: Path, zone: str, file: str, known: Mapping[str, Any]) -> str:
    """The file filled in; HTML with its styles inlined. Raises CannotWriteError."""
    text = _filled(folder, zone, file, known)
    if not file.endswith(".html"):
        return text
    try:
        return _inliner().inline(text)
    except (InlineError, ValueError):
        raise CannotWriteError(f"the styles in {file} cannot be read") from None


def complaint(folder: Path, zone: str, name: str) -> str:
    """What is wrong with a template's two files; empty where nothing is."""
    for file in (f"{name}.html", f"{name}.txt"):
        try:
            _template(folder, zone, file)
        except CannotWriteError as wrong:
            return str(wrong)
    return ""


def _filled(folder: Path, zone: str, file: str, known: Mapping[str, Any]) -> str:
    template = _template(folder, zone, file)
    try:
        text = _joined(template.generate(known))
    except TemplateNotFound as missing:
        raise CannotWriteError(f"{file} uses {_named(missing)}, which is not there") from None
    except TemplateSyntaxError as wrong:
        raise CannotWriteError(_where(wrong, file)) from None
    except Exception as error:  # noqa: BLE001  # filters fail in ways of their own
        place = _line(error.__traceback__, folder)
        raise CannotWriteError(
            f"{file}{place} does something with a value that is not possible"
        ) from None
    if len(text) > LONGEST:
        raise CannotWriteError(f"{file} becomes longer than {LONGEST:,} characters")
    return text


def _joined(chunks: Iterator[str]) -> str:
    """Stops where it is too long."""
    kept: list[str] = []
    length = 0
    for chunk in chunks:
        kept.append(chunk)
        length += len(chunk)
        if length > LONGEST:
            break
    return "".join(kept)


def _template(folder: Path, zone: str, file: str) -> Any:
    try:
        return _environment(folder, zone).get_template(file)
    except TemplateNotFound:
        raise CannotWriteError(f"there is no {file} in {folder}") from None
    except TemplateSyntaxError as wrong:
        raise CannotWriteError(_where(wrong, file)) from None
    except (OSError, UnicodeDecodeError, RecursionError):
        raise CannotWriteError(f"{file} cannot be read as a text in UTF-8") from None


def _where(wrong: TemplateSyntaxError, file: str) -> str:
    return f"{wrong.name or file}, line {wrong.lineno}: {wrong.message}"


def _named(missing: TemplateNotFound) -> str:
    """A name may have come from an event."""
    return "a file" if missing.name is None or len(missing.name) > 80 else f"`{missing.name}`"


def _line(trace: TracebackType | None, folder: Path) -> str:
    """Where in the templates it happened."""
    found = ""
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename).parent == folder:
            found = f", line {trace.tb_lineno},"
        trace = trace.tb_next
    return found


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset(("+", "-", "*", "/", "//", "%", "**"))
    intercepted_unops = frozenset(("+", "-"))

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for switch in tree.find_all(nodes.EvalContextModifier):
            what = "values are always escaped; take `autoescape` out"
            raise TemplateSyntaxError(what, switch.lineno, name, filename)
        return tree

    def join_path(self, template: str, parent: str) -> str:
        if Path(template).suffix != Path(parent).suffix:
            # What is escaped for one is not for the other.
            raise TemplateNotFound(template)
        return template

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, _OWN):
            return super().getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Undefined):
            return obj
        found = None
        if isinstance(obj, Mapping) and isinstance(argument, str):
            found = obj.get(argument)
        elif isinstance(obj, list | tuple) and isinstance(argument, int | slice):
            found = obj[argument] if isinstance(argument, slice) else _member(obj, argument)
        return self.undefined(name=str(argument)[:100]) if found is None else found

    def is_safe_callable(self, obj: Any) -> bool:
        # `super()`, `self.block()`, `loop.cycle()` and the template's own macros.
        return isinstance(obj, Macro | BlockReference) or isinstance(
            getattr(obj, "__self__", None), LoopContext
        )

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return (left + right)[: LONGEST + 1]
        if type(left) is type(right) is int and operator in ("+", "-"):
            return self.binop_table[operator](left, right)
        one, other = number(left), number(right)
        if one is None or other is None or operator == "**":
            raise UndefinedError("no number")
        return self.binop_table[operator](one, other)

    def call_unop(self, context: Any, operator: str, arg: Any) -> Any:
        value = arg if type(arg) is int else number(arg)
        if value is None:
            raise UndefinedError("no number")
        return self.unop_table[operator](value)


class _Files(FileSystemLoader):
    """Files of the folder alone: a pipe has no end, and a link could send any file to a person."""

    def get_source(self, environment: Any, template: str) -> Any:
        folder = Path(self.searchpath[0]).resolve()
        file = folder.joinpath(*split_template_path(template)).resolve()
        if file.exists():
            if not (file.is_file() and file.is_relative_to(folder)):
                raise TemplateNotFound(template)
            if file.stat().st_size > LONGEST:
                raise TemplateSyntaxError(f"longer than {LONGEST:,} bytes", 1, template)
        return super().get_source(environment, template)


def _member(members: Any, place: int) -> Any:
    return members[place] if -len(members) <= place < len(members) else None


@lru_cache(maxsize=16)
def _environment(folder: Path, zone: str) -> _Environment:
    made = _Environment(
        loader=_Files(folder),
        undefined=ChainableUndefined,
        finalize=shown,
        autoescape=lambda name: name is None or not name.endswith(".txt"),
        trim_blocks=True,
        lstrip_blocks=True,
        optimized=False,
    )
    made.globals.clear()
    made.filters = filters(zone)
    return made


@lru_cache(maxsize=1)
def _inliner() -> CSSInliner:
    # Rules for narrow screens cannot be inlined and stay where they are.
    return CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)
