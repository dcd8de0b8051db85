"""The rules language: which events matter, and what is to be done about them.

No I/O: a text, a world of names and events go in; rules, verdicts and items
come out.
"""

from bridge.rules.compile import compile_files, compile_rules
from bridge.rules.examine import Examination, examine
from bridge.rules.explain import explain, explain_verdict, explanation
from bridge.rules.fill import NotFilled, fill
from bridge.rules.match import judge
from bridge.rules.records import Rule, RuleSet, Step, Verdict, World

__all__ = [
    "Examination",
    "NotFilled",
    "Rule",
    "RuleSet",
    "Step",
    "Verdict",
    "World",
    "compile_files",
    "compile_rules",
    "examine",
    "explain",
    "explain_verdict",
    "explanation",
    "fill",
    "judge",
]
