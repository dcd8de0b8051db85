"""Lists and texts that stand in a file and that no rule uses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from bridge.findings import Findings
from bridge.rules.conditions import tests
from bridge.rules.countries import Country, is_telephone
from bridge.rules.written import Written
from bridge.wording import quoted

_NAMED = re.compile(r"\btexts\s*(?:\.\s*(\w+)|\[\s*['\"]([^'\"]+)['\"]\s*\])")


def warn_of_unused(
    files: Iterable[tuple[Findings, Mapping[str, Any]]], rules: Sequence[Written]
) -> None:
    """`files` with what stands in each."""
    files = list(files)
    lists = {
        one.named
        for each in rules
        for test in tests(each.rule.conditions)
        for one in test.comparisons
    }
    texts = set(_texts([each.entry for each in rules]))
    texts |= set(_texts([value.get("texts") for _, value in files]))
    for findings, value in files:
        for kind, used in (("lists", lists), ("texts", texts)):
            for name in value.get(kind) or ():
                if name not in used:
                    _tell(findings, kind, name)


def warn_of_no_country(written: Written) -> None:
    """Numbers that are typed as people dial them at home are of no country by themselves."""
    for test in tests(written.rule.conditions):
        asked = [one.expected for one in test.comparisons if isinstance(one.expected, Country)]
        if asked and asked[0].home is None and is_telephone(test.path):
            what = "telephone numbers that are typed without + have no country here"
            advice = f"write `country: {asked[0].codes[0]}` at the top of a file"
            more = "if most of your numbers are from there"
            written.warn_at(test.line, test.column, what, f"{advice}, {more}")
            return


def _tell(findings: Findings, kind: str, name: str) -> None:
    use = f"{{one_of: {name}}}" if kind == "lists" else f"{{{{ texts.{name} }}}}"
    what = f"no rule uses the {kind.removesuffix('s')} {quoted(name)}"
    findings.warn((kind, name), what, f"use it by {use}, or remove it", at_key=True)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, str) and "texts" in value:
        yield from (found[0] or found[1] for found in _NAMED.findall(value))
