"""Files of a megabyte, each of which asks too much of one part of the compiler.

Those that would hold more values than the reader takes are made up with remarks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

SIZE = 990_000
_MOST_VALUES = 29_400

_WHEN = "  when: {source: showpass, event: invoice.purchase}\n"
_SAY = "slack.post_message: {channel: '#x', text: "
_HELLO = f"  do: [{{{_SAY}hello}}}}]\n"
_DO = f"rules:\n- name: a\n{_WHEN}  do:\n"
_IN_RULE, _IN_STEP = 10, 4

Part = Callable[[int], str]


def _filled(part: Part, values: int, head: str = "rules:\n", tail: str = "") -> str:
    """As many parts as fit; each holds so many values."""
    parts, room = [head], SIZE - len(head) - len(tail)
    for number in range(_MOST_VALUES // values):
        room -= len(one := part(number))
        if room < 0:
            break
        parts.append(one)
    return "".join((*parts, tail, "#" * max(room, 0)))


def _rule(number: int, text: str = "hello", when: str = _WHEN) -> str:
    return f"- name: r{number}\n{when}  do: [{{{_SAY}{text}}}}}]\n"


def _rules(text: str = "hello", when: str = _WHEN, more: int = 0) -> Callable[[], str]:
    """`@` in them is the rule's number; `more` is how many more values each holds."""
    return lambda: _filled(
        lambda n: _rule(n, text.replace("@", str(n)), when.replace("@", str(n))), _IN_RULE + more
    )


def _steps(step: str) -> Callable[[], str]:
    return lambda: _filled(lambda n: f"  - {step.replace('@', str(n))}\n", _IN_STEP, _DO)


def _texts(text: str) -> Callable[[], str]:
    quoted = text.replace("'", "''")
    return _steps(f"{_SAY}'{quoted}'}}")


def _long_texts(unit: str, most: int = 9_900) -> Callable[[], str]:
    """As few and as long templates as may be."""
    return _texts(unit * (most // len(unit)))


def _numbered(unit: str, times: int) -> Callable[[], str]:
    """One template with numbers in it, `%`, again and again."""
    return _texts("".join(unit.replace("%", str(n)) for n in range(times)))


def _conditions(line: str, values: int = 1, head: str = "") -> Callable[[], str]:
    start = f"rules:\n- name: a\n  when:\n    source: showpass\n    where:\n{head}"
    return lambda: _filled(lambda n: f"      {line.replace('@', str(n))}\n", values, start, _HELLO)


def _condition(line: str) -> Callable[[], str]:
    start = "rules:\n- name: a\n  when:\n    source: showpass\n    where:\n      "
    return lambda: f"{start}{line}\n{_HELLO}"


def _named(kind: str, line: str, values: int, do: str = _HELLO) -> Callable[[], str]:
    start = f"rules:\n- name: a\n{_WHEN}{do}{kind}:\n"
    return lambda: _filled(lambda n: f"  {line.replace('@', str(n))}\n", values, start)


def _fields(action: str, line: str, fields: str) -> Callable[[], str]:
    head = f"{_DO}  - {action}:\n{fields}"
    return lambda: _filled(lambda n: f"        {line.replace('@', str(n))}\n", 1, head)


def _top(part: str, values: int, head: str = "rules:\n") -> Callable[[], str]:
    return lambda: _filled(lambda n: part.replace("@", str(n)), values, head)


_NAME = "{{ contact.name }}"
_LOOPS = "{% for a in tickets %}{% for b in tickets %}{{ a.type }}{% endfor %}{% endfor %}"
_ANY = "{any: ["

RULES: Mapping[str, Callable[[], str]] = {
    "rules": _rules(),
    "rules of one line": _top("- {name: r@, when: {}, do: []}\n", 4),
    "rules that are no groups": _top("- x\n", 1),
    "empty rules": _top("- {}\n", 1),
    "rules with unknown keys": _top("- {nam: r@, wen: x}\n", 3),
    "rules of one name": _top(_rule(0), _IN_RULE),
    "rules with a text": _rules("'{{ contact.name }} {{ order.total }}'"),
    "rules with different texts": _rules("'{{ contact.name }} @'"),
    "rules with different names": _rules("'{{ raw.n@ }}'"),
    "rules with a wrong text": _rules("'{{ contact.nam }}'"),
    "rules with wrong events": _rules(when="  when: {source: showpass, event: invoice.x@}\n"),
    "rules with wrong sources": _rules(when="  when: {source: x@, event: y}\n"),
    "rules with globs": _rules(when="  when: {source: showpass, event: '*@*'}\n"),
    "rules with many events": _top(
        f"- name: r@\n  when: {{event: [{'invoice.*, ' * 40}x]}}\n{_HELLO}", _IN_RULE + 40
    ),
    "rules with time": _rules(
        when=f"{_WHEN}  after: @ days\n  at: '09:00'\n  sample: 5%\n", more=3
    ),
    "rules with quiet hours": _rules(
        when=_WHEN + "  quiet_hours: {from: '22:00', to: '08:00', time_zone: Europe/Berlin}\n",
        more=4,
    ),
    "rules with wrong zones": _rules(when=f"{_WHEN}  at: '09:00 America/Edmon@'\n", more=1),
    "rules for each ticket": _rules("'{{ ticket.type }}'", f"{_WHEN}  for_each: tickets\n", 1),
    "rules once per text": _rules(when=f"{_WHEN}  once_per: '{{{{ contact.email }}}} @'\n", more=1),
    "rules with conditions": _rules(
        when="  when: {source: showpass, event: '*', where: {order.total: {at_least: @}}}\n", more=3
    ),
    "rules with one condition": _rules(
        when="  when: {source: showpass, event: '*', where: {order.total: {at_least: 1}}}\n", more=3
    ),
    "rules unless": _rules(when=f"{_WHEN}  unless: [invoice.refund, invoice.void]\n", more=3),
    "rules about all": _rules(
        when="  when: {source: showpass, event: '*'}\n  stop: true\n", more=1
    ),
    "steps": _steps(f"{_SAY}hello}}"),
    "steps of unknown accounts": _steps("slak@.post: {}"),
    "steps of unknown actions": _steps("slack.pots_mesage@: {}"),
    "steps without fields": _steps("slack.post_message:"),
    "wrong steps": _steps("mailchimp.subscribe: {email: x@, audience: [y], nothing: 1}"),
    "fields": _fields("slack.post_message", "f@: x", "        channel: '#x'\n"),
    "properties": _fields(
        "hubspot.upsert_contact",
        f"p@: '{_NAME}'",
        "      email: x@example.com\n      properties:\n",
    ),
    "tags": _fields(
        "mailchimp.subscribe",
        "- t@",
        "      audience: a\n      email: x@example.com\n      tags:\n",
    ),
    "tests": _top(
        "- {name: t@, given: {sample: invoice.purchase}, expect: nothing}\n", 5, "tests:\n"
    ),
    "wrong tests": _top("- {name: t@, given: {sample: x@}, expect: x}\n", 5, "tests:\n"),
    "tests with much": _top(
        "- {name: t@, given: {sample: invoice.purchase, with: {raw.a@: 1}}, expect: "
        "[slack.post_message: {text: x@}]}\n",
        10,
        "tests:\n",
    ),
}

TEXTS: Mapping[str, Callable[[], str]] = {
    "short texts": _texts(_NAME),
    "short different texts": _texts(_NAME + "@"),
    "texts with many braces": _long_texts(_NAME),
    "texts with small braces": _long_texts("{{1}}"),
    "texts with filters": _long_texts("{{ contact.name | upper | lower }}"),
    "texts with one expression": _texts("{{ 1" + " ~ 1" * 2_400 + " }}"),
    "texts with loops": _long_texts(_LOOPS),
    "texts with conditions": _long_texts("{% if order.currency %}x{% endif %}"),
    "texts with nested conditions": _long_texts("{% if 1 %}" * 50 + "{% endif %}" * 50),
    "texts with remarks": _long_texts("{# x #}"),
    "texts with lists": _long_texts("{{ [1, [2, [3, 'x']]] }}"),
    "texts with long words": _long_texts("{{ '" + "x" * 4_000 + "' }}"),
    "texts with little in braces": _texts("x" * 9_800 + _NAME),
    "texts with wrong fields": _long_texts("{{ contact.nam }}"),
    "texts with different wrong fields": _numbered("{{ contact.n% }}", 450),
    "texts with unknown names": _numbered("{{ x% }}", 900),
    "texts with long unknown names": _texts("{{ " + "x" * 9_800 + " }}"),
    "texts with unknown filters": _long_texts("{{ contact.name | uper }}"),
    "texts with wrong zones": _numbered("{{ raw.a | date('America/E%@') }}", 250),
    "texts with wrong countries": _long_texts("{{ contact.phone | phone('Q') }}"),
    "texts with wrong brackets": _long_texts("{{ contact.phone | upper(1) }}"),
    "texts that are not closed": _texts("{{" * 4_900),
    "texts of one brace": _long_texts("{contact.name} "),
    "texts of half a brace": _long_texts("{contact.name "),
    "texts with deep brackets": _texts("{{ " + "(" * 4_900),
    "texts with long numbers": _texts("{{ " + "9" * 9_900 + " }}"),
    "a text of a megabyte": _texts(_NAME * 54_000),
    "plain texts": _texts("x" * 900),
    "a plain text of a megabyte": _texts("x" * (SIZE - 200)),
    "named texts": _named("texts", f"t@: '{_NAME}'", 1),
    "named texts in each other": _named(
        "texts",
        "t@: '{{ texts.t1@ }}{{ texts.t2@ }}'",
        1,
        f"  do: [{{{_SAY}'{{{{ texts.t1 }}}}'}}}}]\n",
    ),
    "a named text used often": _top(
        _rule(0, "'{{ texts.t }}'").replace("r0", "r@"),
        _IN_RULE,
        f"texts:\n  t: '{_NAME * 500}'\nrules:\n",
    ),
    "a named text in long texts": _top(
        _rule(0, "'" + "{{ texts.t }}" * 600 + "'").replace("r0", "r@"),
        _IN_RULE,
        f"texts:\n  t: '{'x' * 8}'\nrules:\n",
    ),
    "a wrong named text used often": _top(
        _rule(0, "'{{ texts.t }}'").replace("r0", "r@"),
        _IN_RULE,
        "texts:\n  t: '" + "{{ contact.nam }}" * 500 + "'\nrules:\n",
    ),
}

CONDITIONS: Mapping[str, Callable[[], str]] = {
    "conditions": _conditions("raw.f@: x@"),
    "conditions on wrong fields": _conditions("order.f@: x"),
    "conditions with wrong operators": _conditions("raw.f@: {iz: x}", 2),
    "conditions with globs": _conditions("raw.f@: {matches: '*@*'}", 2),
    "conditions on dates": _conditions("raw.f@: {within: '@ days'}", 2),
    "any of many": _conditions("  - {raw.f@: x, raw.g: {at_least: @}}", 4, "      any:\n"),
    "any of any": _condition(f"any: [{_ANY * 11}{{raw.a: 1}}{']}' * 11}]"),
    "any of any too deep": _condition(f"any: [{_ANY * 30}{{raw.a: 1}}{']}' * 30}]"),
    "one of many": _condition(f"order.currency: [{'x1234567890, ' * 48_000}y]"),
    "one of many numbers": _condition(f"order.total: [{', '.join(map(str, range(48_000)))}]"),
    "lists": _named("lists", "l@: [a]", 2),
    "a list": _top("  - x@\n", 1, "lists:\n  a:\n"),
    "a list used often": _top(
        "- {name: r@, when: {event: '*', where: {order.currency: {one_of: l}}}, do: []}\n",
        7,
        "lists:\n  l: [" + "x, " * 9_000 + "y]\nrules:\n",
    ),
    "a long path": _condition(f"? raw{'.b' * 480_000}\n      : x"),
    "long paths": _conditions(f"raw{'.b' * 400}@: x"),
    "a long glob": _condition(f"raw.a: {{matches: '{'*a' * 480_000}'}}"),
    "a long number": _condition(f"order.total: {{at_least: {'9' * SIZE}}}"),
    "a long date": _condition(f"raw.a: {{after: '{'9' * SIZE}'}}"),
    "a long duration": lambda: f"rules:\n- name: a\n{_WHEN}  after: {'9' * SIZE} days\n{_HELLO}",
    "a long time": lambda: f"rules:\n- name: a\n{_WHEN}  at: '09:00 {'x' * SIZE}'\n{_HELLO}",
}

YAML: Mapping[str, Callable[[], str]] = {
    "brackets": lambda: "[" * SIZE,
    "braces": lambda: "{a: " * (SIZE // 4),
    "dashes": lambda: "- " * (SIZE // 2),
    "a list of letters": lambda: "[" + "x," * (SIZE // 2) + "]",
    "blank lines": lambda: "\n" * SIZE,
    "a remark": lambda: "#" * SIZE,
    "a long line": lambda: "rules: " + "x" * SIZE,
    "a long name": lambda: "x" * SIZE + ": 1",
    "a long quoted name": lambda: f'rules:\n- "{"x" * SIZE}": 1\n',
    "a long rule name": lambda: f"rules:\n- name: {'x' * SIZE}\n{_WHEN}  do: []\n",
    "a long zone": lambda: f"time_zone: {'x' * SIZE}\nrules: []\n",
    "long unknown names": _top("x" * 900 + "@: 1\n", 1, ""),
    "names twice": _top("a: 1\n", 1, ""),
    "unknown names": _top("rulse@: 1\n", 1, ""),
    "yes and no": _top("  - yes\n", 1, "lists:\n  a:\n"),
    "swallowed channels": _top("- x #y\n", 1, ""),
    "zeros": _top("- 007 #y\n", 1, ""),
    "flow": lambda: "rules: [" + "{name: a, when: {}, do: []}, " * 9_000 + "]",
    "lone names": lambda: "rules: [" + "{a, b, c}, " * 9_000 + "]",
    "doubling": lambda: "a: &x [1]\n" + "".join(f"k{n}: &x [*x, *x]\n" for n in range(60)),
    "aliases of a rule": _top(
        "- *r\n", _IN_RULE, f"rules:\n- &r {{name: a, when: {{}}, do: [{{{_SAY}'{_NAME}'}}}}]}}\n"
    ),
    "aliases of steps": _top(
        "- {name: r@, when: {event: '*'}, do: *d}\n",
        165,
        f"rules:\n- name: a\n{_WHEN}  do: &d\n" + f"  - {_SAY}'{_NAME}'}}\n" * 40,
    ),
    "aliases of a long text": _top(
        f"- {{name: r@, when: {{event: '*'}}, do: [{{{_SAY}*t}}}}]}}\n",
        9,
        f"texts:\n  t: &t '{_NAME * 540}'\nrules:\n",
    ),
    "anchors": _top("  - &a@ x\n", 1, "lists:\n  a:\n"),
    "binary": lambda: "\x00" * SIZE,
    "surrogates": lambda: "a: \ud800" * 100_000,
    "quotes": lambda: "a: '" + "''" * (SIZE // 2),
    "a block": lambda: "a: |\n" + "  x\n" * (SIZE // 4),
    "a folded text": lambda: "a: x\n" + "  x\n" * (SIZE // 4),
    "tabs": lambda: "\t" * SIZE,
    "odd blanks": lambda: "\u00a0" * SIZE,
    "documents": lambda: "---\n" * (SIZE // 4),
    "directives": lambda: "%TAG ! tag:x,2000:\n" * (SIZE // 19),
}

HEAVY: Mapping[str, Callable[[], str]] = {**RULES, **TEXTS, **CONDITIONS, **YAML}
