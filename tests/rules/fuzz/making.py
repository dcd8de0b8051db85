"""Makes the texts of rules files: good ones with slips in them, and random ones. Reproducible."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

_ROOT = Path(__file__).parents[3]
_GOOD = [
    _ROOT / "config" / "rules.yaml",
    *sorted((_ROOT / "tests" / "rules" / "mistakes").glob("*.yaml")),
    *sorted((_ROOT / "tests" / "rules" / "warnings").glob("*.yaml")),
    *sorted((_ROOT / "examples").rglob("*.yaml")),
]
EVERYTHING = """
time_zone: America/Edmonton
lists:
  vip_types: [VIP, Backstage, "Meet & Greet"]
texts:
  thanks: "Thank you, {{ contact.first_name or 'friend' }}!"
  long: "{{ texts.thanks }} Yours, {{ texts.team }}"
  team: the box office
rules:
  - name: VIP tickets
    enabled: true
    when:
      source: showpass
      event: [invoice.purchase, "invoice.*"]
      where:
        tickets.type: {one_of: vip_types}
        order.total: {at_least: 100, at_most: 9999.50}
        any: [{contact.name: {exactly: "No Name"}}, {not: {order.currency: CAD}}]
        ticket.type: VIP
    for_each: tickets
    only_between: {from: 2027-01-01, to: 2027-02-28}
    sample: 10%
    once_per: {of: contact, within: 30 days}
    after: 2 hours
    at: "09:00 America/Halifax"
    quiet_hours: {from: "22:00", to: "08:00", time_zone: America/Halifax}
    unless: {event: [invoice.refund], same: contact}
    stop: true
    do:
      - hubspot.upsert_contact: &contact
          email: "{{ contact.email }}"
          properties:
            firstname: "{{ contact.first_name | name }}"
            phone: "{{ contact.phone | phone('CA') }}"
      - slack.post_message:
          channel: "#tickets"
          text: >-
            *{{ contact.name or 'Someone' }}* bought {{ tickets | plural('ticket', 'tickets') }}
            for {{ order.total | money(order.currency) }}: {{ texts.thanks }}
      - mailchimp.subscribe:
          audience: newsletter
          email: "{{ contact.email }}"
          tags: ["{{ tickets[0].event_name }}", fixed]
  - name: The same again
    when: {source: showpass, event: invoice.refund}
    once_per: "{{ contact.email }} {{ order.currency }}"
    after: 1 day after tickets.ends_on
    do:
      - hubspot.upsert_contact: *contact
tests:
  - name: A VIP order is announced
    given:
      sample: invoice.purchase
      with: {order.total: 250, tickets.type: VIP}
    expect:
      - slack.post_message: {channel: "#tickets"}
  - name: A refund is not
    given: {sample: invoice.refund}
    expect: nothing
"""
_SPECIALS: tuple[str, ...] = (
    *"{}[]()<>|&*!%#`'\"@,:?-=+~^$/\\.;_\t\n\r \x07\x85\xa0\u2028\u200b\ufeff\ud800“”‘’é漢🎟",
    *(
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        ": ",
        "- ",
        " #",
        "---\n",
        "...\n",
        "<<: *x",
        "&x ",
        "*x",
    ),
    *("!!python/object:os.system ", "? ", "|\n", ">-\n", "\n\n", "\n  ", "\r\n", "  "),
)
_SCALARS: tuple[str, ...] = (
    *("yes", "no", "on", "off", "~", "null", "true", "0", "-1", "1.0", "007", "1e999", "0x10"),
    *("12:30", "25:99", "2027-07-03", "2027-13-45", "99999999999999999999", "+14035550123"),
    *("''", '""', "[]", "{}", "[[]]", "{a: }", "[*x]", "*contact", "'#x'", "#x", "@x", "x: y: z"),
    *("9999 days", "0 days", "2 days ago", "in 30 days", "now", "1 day after tickets.ends_on"),
    *(
        "100%",
        "1000%",
        "0.0001%",
        "10 %",
        "contact",
        "transaction",
        "event",
        "nothing",
        "vip_types",
    ),
    *("'{{ contact.email }}'", "'{{ texts.thanks }}'", "'{{ texts.long | upper }}'", "'{{'"),
)
_NAMES = (
    *("contact", "contact.email", "contact.name", "order.total", "order.currency", "tickets"),
    *(
        "tickets.type",
        "tickets[0].type",
        "ticket.type",
        "event.time",
        "raw",
        "raw.a.b",
        "texts.team",
    ),
    *("loop.index", "x", "none", "true", "0", "1.5", "'a'", '"b"', "[]", "{}", "__class__", "self"),
)
_FILTERS = (
    *("money", "date", "name", "phone('CA')", "plural('a', 'b')", "default('x')", "join(', ')"),
    *("map(attribute='type')", "map('upper')", "sort", "unique", "length", "first", "upper", "sum"),
    *(
        "selectattr('type', '==', 'VIP')",
        "replace('a', 'b')",
        "round(2)",
        "truncate(5)",
        "attr('x')",
    ),
    *(
        "date('%d.%m', 'Europe/Berlin')",
        "date('nowhere')",
        "phone",
        "plural",
        "join_and",
        "nothing",
    ),
)
_PARTS = (
    *("{{", "}}", "{%", "%}", "|", "(", ")", "[", "]", ".", ",", "~", "+", "*", "**", "//", "%"),
    *("if", "else", "endif", "for", "in", "endfor", "is", "not", "and", "or", "set", "=", "=="),
)
_KEYS = (
    *("rules", "lists", "texts", "tests", "time_zone", "name", "when", "do", "source", "event"),
    *("where", "for_each", "once_per", "after", "at", "unless", "stop", "sample", "quiet_hours"),
    *("only_between", "enabled", "given", "with", "expect", "only", "any", "all", "not", "is"),
    *(
        "one_of",
        "within",
        "contains",
        "present",
        "before",
        "exactly",
        "order.total",
        "tickets.type",
    ),
    *("slack.post_message", "hubspot.upsert_contact", "channel", "text", "email", "<<", "no", "1"),
)


def good_texts() -> list[str]:
    """Files as people wrote them, of which most are right."""
    return [EVERYTHING, *(file.read_text("utf-8") for file in _GOOD)]


def made(random: Random, good: Sequence[str]) -> str:
    """One file."""
    kind = random.random()
    if kind < 0.6:
        return _with_slips(random, random.choice(good) if random.random() < 0.4 else EVERYTHING)
    if kind < 0.8:
        return _with_template(random, EVERYTHING)
    return _random_yaml(random) if kind < 0.95 else _soup(random)


def _with_slips(random: Random, text: str) -> str:
    for _ in range(random.choice((1, 1, 1, 1, 2, 3, 8))):
        text = random.choice(_SLIPS)(random, text)
    return text


def _character(random: Random, text: str) -> str:
    at = random.randrange(len(text) + 1)
    return text[:at] + random.choice(_SPECIALS) + text[at + random.randrange(2) :]


def _left_out(random: Random, text: str) -> str:
    at = random.randrange(len(text) + 1)
    return text[:at] + text[at + random.choice((1, 1, 2, 5, 40)) :]


def _lines(change: Callable[[Random, list[str], int], None]) -> Callable[[Random, str], str]:
    def changed(random: Random, text: str) -> str:
        lines = text.split("\n")
        change(random, lines, random.randrange(len(lines)))
        return "\n".join(lines)

    return changed


def _line_gone(_: Random, lines: list[str], at: int) -> None:
    del lines[at]


def _line_twice(random: Random, lines: list[str], at: int) -> None:
    lines[at:at] = lines[at : at + random.choice((1, 1, 3, 10))]


def _line_elsewhere(random: Random, lines: list[str], at: int) -> None:
    lines.insert(random.randrange(len(lines)), lines.pop(at))


def _other_indentation(random: Random, lines: list[str], at: int) -> None:
    lines[at] = random.choice((" ", "  ", "\t", "\u00a0", "- ", "-")) + (
        lines[at] if random.random() < 0.5 else lines[at].lstrip()
    )


def _other_value(random: Random, lines: list[str], at: int) -> None:
    name, colon, _ = lines[at].partition(": ")
    lines[at] = f"{name}{colon or ': '}{random.choice(_SCALARS)}"


def _other_name(random: Random, lines: list[str], at: int) -> None:
    _, colon, value = lines[at].partition(":")
    indent = lines[at][: len(lines[at]) - len(lines[at].lstrip(" -"))]
    lines[at] = f"{indent}{random.choice(_KEYS)}{colon}{value}"


def _without_quotes(_: Random, lines: list[str], at: int) -> None:
    lines[at] = lines[at].replace('"', "").replace("'", "")


_SLIPS: tuple[Callable[[Random, str], str], ...] = (
    _character,
    _left_out,
    *map(_lines, (_line_gone, _line_twice, _line_elsewhere, _other_indentation)),
    *map(_lines, (_other_value, _other_name, _without_quotes)),
)


def _with_template(random: Random, text: str) -> str:
    """A random template in one of the texts that hold one."""
    starts = [at for at in range(len(text)) if text.startswith('"{{', at)]
    at = random.choice(starts)
    end = text.index('"', at + 1)
    written = template(random).replace("\\", "\\\\").replace('"', '\\"')
    return f'{text[:at]}"{written}{text[end:]}'


def template(random: Random) -> str:
    """A text to fill in, of which some are right."""
    return _expression(random) if random.random() < 0.5 else _tokens(random)


def _expression(random: Random) -> str:
    """Mostly well formed."""
    inner = random.choice(_NAMES)
    for _ in range(random.randrange(4)):
        inner += f" | {random.choice(_FILTERS)}"
    if random.random() < 0.3:
        inner += f" {random.choice(('or', '~', '+', '==', 'in', '*'))} {random.choice(_NAMES)}"
    whole = f"a {{{{ {inner} }}}} b"
    if random.random() < 0.2:
        whole = f"{{% for x in {random.choice(_NAMES)} %}}{whole}{{% endfor %}}"
    return whole if random.random() < 0.8 else _character(random, whole)


def _tokens(random: Random) -> str:
    choices = (*_PARTS, *_NAMES, *_FILTERS)
    return "{{ " + " ".join(random.choice(choices) for _ in range(random.randrange(12)))


def _random_yaml(random: Random) -> str:
    """A tree of known names and odd values."""
    return _tree(random, 0) + "\n"


def _tree(random: Random, depth: int) -> str:
    if depth > 6 or random.random() < 0.25 + 0.1 * depth:
        return random.choice(_SCALARS)
    indent = "\n" + "  " * depth
    members = range(random.randrange(1, 5))
    if random.random() < 0.3:
        return "".join(f"{indent}- {_tree(random, depth + 1)}" for _ in members)
    return "".join(f"{indent}{random.choice(_KEYS)}: {_tree(random, depth + 1)}" for _ in members)


def _soup(random: Random) -> str:
    choices = (*_SPECIALS, *_SCALARS, *_KEYS)
    return "".join(random.choice(choices) for _ in range(random.randrange(60)))
