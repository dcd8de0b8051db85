"""The file `.env`: variables for all commands, in the folder where they are started."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from bridge import regular_files
from bridge.errors import OperatorError

NAME = ".env"
MAX_BYTES = 1_000_000
# UTF-32 first: its mark begins with that of UTF-16.
_OTHERS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_dotenv(file: Path) -> Mapping[str, str]:
    """What it sets; nothing if there is none.

    Raises OperatorError, which names the line and repeats nothing of it: it may hold a secret.
    """
    try:
        found = regular_files.read(file, MAX_BYTES)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise OperatorError(f"{file} cannot be read: {regular_files.why(error)}") from error
    text = _decoded(found, file)
    if wrong := "; ".join(_unreadable(text)):
        raise OperatorError(f"{file} cannot be read: {wrong}; write NAME=value on each line")
    values = dotenv_values(stream=StringIO(text))
    return {name: value for name, value in values.items() if value is not None}


def _decoded(found: bytes, file: Path) -> str:
    if found.startswith(_OTHERS):
        raise OperatorError(
            f"{file} is in UTF-16, which PowerShell's `>` writes; save it as UTF-8 text"
        )
    try:
        return found.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = found.count(b"\n", 0, error.start) + 1
        raise OperatorError(
            f"{file} is not in UTF-8: line {line} holds a character in another encoding; "
            "save it as UTF-8 text"
        ) from None


def _unreadable(text: str) -> Iterator[str]:
    for each in parse_stream(StringIO(text)):
        line = each.original.line
        if "\0" in each.original.string:
            yield f"line {line} holds a zero byte"
        elif each.error:
            yield f"line {line} is no `NAME=value`, or a quotation mark is not closed"
