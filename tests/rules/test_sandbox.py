"""Ways out of Jinja that are public, tried on our texts; none works.

The techniques are those of
https://github.com/swisskyrepo/PayloadsAllTheThings/tree/master/Server%20Side%20Template%20Injection
https://podalirius.net/en/articles/python-vulnerabilities-code-execution-in-jinja-templates/
and of Jinja's own advisories: CVE-2016-10745, CVE-2019-10906, CVE-2024-56326, CVE-2025-27516.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from jinja2 import TemplateError

from bridge import rules
from bridge.errors import ConfigurationError
from bridge.event import Event
from bridge.rules.phone_filter import phone
from bridge.rules.templates import LONGEST_TEXT, compile_text, render
from bridge.rules.work import CannotRender

Saying = Callable[[str], rules.Step]

_OS = "__globals__['os'].popen('id').read()"
_TYPES = "''.__class__.__mro__[1].__subclasses__()"

# To Python's objects by attributes, in dots.
_DOTS = [
    "{{ ''.__class__ }}",
    "{{ ().__class__.__base__ }}",
    "{{ [].__class__.__bases__[0] }}",
    "{{ {}.__class__.__mro__[-1] }}",
    "{{ " + _TYPES + " }}",
    "{{ " + _TYPES + "[40]('/etc/passwd').read() }}",
    "{{ " + _TYPES + "[396]('id', shell=True, stdout=-1).communicate()[0] }}",
    "{% for x in " + _TYPES + " %}{% if 'warning' in x.__name__ %}{{ x()._module." + _OS + " }}"
    "{% endif %}{% endfor %}",
    "{{ (1).__class__.__init__.__globals__ }}",
    "{{ contact.__class__.__init__ }}",
    "{{ contact.__len__ }}",
    "{{ contact.name.__class__ }}",
    "{{ order.total.__class__.__new__ }}",
    "{{ tickets.__iter__ }}",
    "{{ tickets[0].starts_on.__class__.today }}",
    "{{ raw.__dict__ }}",
    "{{ raw.a.b.__class__ }}",
    "{{ none.__class__ }}",
    "{{ true.__class__.__mro__ }}",
    "{{ loop }}{{ loop.__class__ }}",
    "{% for t in tickets %}{{ loop.__init__.__globals__ }}{% endfor %}",
    "{% for t in tickets %}{{ loop._iterator }}{{ loop.cycle }}{% endfor %}",
    "{% for t in tickets %}{{ loop.cycle.__func__ }}{{ loop['_iterable'] }}{% endfor %}",
    "{{ trap.secret }}",
    "{{ trap.fire }}",
]
# The same in brackets, and with the name put together or spelled otherwise.
_BRACKETS = [
    "{{ ''['__class__'] }}",
    "{{ ''['__cla' ~ 'ss__'] }}",
    "{{ ''['__cla' + 'ss__'] }}",
    "{{ ''['\\x5f\\x5fclass\\x5f\\x5f'] }}",
    "{{ ''['\\u005f\\u005fclass\\u005f\\u005f'] }}",
    "{{ ''[['__', 'class', '__'] | join] }}",
    "{{ ''[('_', '_', 'class', '_', '_') | join('')] }}",
    "{{ ''['__CLASS__' | lower] }}",
    "{{ ''['__ssalc__' | reverse | join] }}",
    "{{ ''['--class--' | replace('-', '_')] }}",
    "{{ ''[raw.underscored] }}",
    "{{ contact[raw.underscored][raw.globals] }}",
    "{{ tickets['append'] }}",
    "{{ tickets['__class__'] }}",
    "{{ trap['secret'] }}",
    "{{ trap['fire']() }}",
    "{{ [trap][0].secret }}",
    "{{ (trap if true).secret }}",
    "{{ [trap] | map(attribute='secret') | first }}",
    "{{ [trap] | map(attribute='__class__.__name__') | join }}",
    "{{ [trap] | sort(attribute='secret') | first }}",
    "{{ [trap] | selectattr('secret') | list | length }}",
    "{{ [trap] | rejectattr('secret', 'none') | list | length }}",
    "{{ [trap] | sum(attribute='secret') }}",
    "{{ [trap] | join(',', attribute='secret') }}",
    "{{ [trap] | join_and(attribute='secret') }}",
    "{{ [trap] | unique(attribute='secret') | first }}",
    "{{ [trap] | max(attribute='secret') }}",
]
# By what Jinja and web frameworks put into every template.
_GLOBALS = [
    "{{ cycler.__init__." + _OS + " }}",
    "{{ joiner.__init__." + _OS + " }}",
    "{{ namespace.__init__." + _OS + " }}",
    "{{ lipsum." + _OS + " }}",
    "{{ lipsum(5) }}",
    "{{ range(100000000) }}",
    "{{ dict(a=1).__class__ }}",
    "{{ dict.__base__.__subclasses__() }}",
    "{{ namespace(a=1) }}",
    "{{ self }}",
    "{{ self.__init__.__globals__.__builtins__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ self._TemplateReference__context.cycler.__init__." + _OS + " }}",
    "{{ context.environment }}",
    "{{ environment.globals }}",
    "{{ caller }}{{ varargs }}{{ kwargs }}",
    "{{ config.items() }}",
    "{{ config.__class__.from_envvar." + _OS + " }}",
    "{{ request.application.__globals__.__builtins__ }}",
    "{{ request['application']['__globals__'] }}",
    "{{ url_for." + _OS + " }}",
    "{{ get_flashed_messages.__globals__.__builtins__.open('/etc/passwd').read() }}",
    "{{ g.pop." + _OS + " }}",
    "{{ session }}{{ settings.SECRET_KEY }}",
    "{{ __builtins__ }}{{ __import__('os') }}{{ open('/etc/passwd') }}{{ eval('1') }}",
    "{{ os.system('id') }}{{ exec('1') }}{{ globals() }}{{ vars() }}",
    "{{ resolve }}{{ undefined }}{{ missing }}{{ t_1 }}{{ l_0_contact }}{{ concat }}{{ blocks }}",
]
# By filters and tests that reach attributes, format, or call.
_FILTERS = [
    "{{ contact | attr('__class__') }}",
    "{{ trap | attr('fire') }}",
    "{{ (trap | attr('fire'))() }}",
    "{{ ['__class__'] | map('attr', 'x') | list }}",
    "{{ [trap] | map('attr', 'secret') | list }}",
    "{{ ('{0.__class__}' | attr('format'))(1) }}",
    "{{ '{0.secret}' | attr('format') }}",
    "{{ '%s' | format(trap) }}",
    "{{ '%r' | format(contact) }}",
    "{{ ['{0.secret}'] | map('format', trap) | list }}",
    "{{ contact | pprint }}",
    "{{ contact | tojson }}",
    "{{ contact | xmlattr }}",
    "{{ contact | items | list }}",
    "{{ contact | dictsort }}",
    "{{ contact | string }}",
    "{{ contact | safe }}{{ contact | e }}{{ contact | escape }}{{ contact | forceescape }}",
    "{{ [trap] | groupby('secret') }}",
    "{{ [1] | batch(1000000000) | list }}",
    "{{ [1] | slice(1000000000) | list }}",
    "{{ 'x' | center(1000000000) }}",
    "{{ 'x' | indent(1000000000) }}",
    "{{ 'x' | wordwrap(1) }}{{ 'x' | urlize }}{{ 'x' | filesizeformat }}",
    "{{ 'id' | filter('system') }}",
    "{{ ['id'] | map('system') | join }}",
    "{{ ['id'] | map('_each') | join }}{{ ['id'] | map('_shown') | join }}",
    "{{ trap | _shown }}{{ trap | _within }}",
    "{{ trap is callable }}{{ trap is sameas(trap) }}{{ 'upper' is filter }}{{ 'odd' is test }}",
    "{{ [trap] | select('callable') | list }}",
    "{{ [trap] | select('sameas', trap) | first }}",
    "{{ contact | upper }}{{ trap | upper }}",
    "{{ '' ~ trap }}",
    "{{ trap }}",
    "{{ [trap] }}",
    "{{ [trap] | join }}",
    "{{ trap | default('') }}",
    "{{ trap | replace('T', 't') }}",
    "{{ trap | truncate(5) }}",
    "{{ trap | money(trap) }}{{ 1 | money(trap) }}",
    "{{ trap | phone(trap) }}{{ trap | name(trap) }}{{ '' | name(trap) }}",
    "{{ 1 | plural(trap, trap) }}{{ [1, 2] | join_and(trap) }}{{ [1, 2] | join(trap) }}",
    "{{ 'a' | replace('a', trap) }}",
]
# By calling: methods of texts, lists and groups, and the CVEs about str.format.
_CALLS = [
    "{{ trap() }}",
    "{{ trap.fire() }}",
    "{{ '{0.__class__}'.format(1) }}",
    "{{ '{0.secret}'.format(trap) }}",
    "{{ '{a.secret}'.format_map({'a': trap}) }}",
    "{{ '{0.__class__.__init__.__globals__}'['format'](contact) }}",
    "{% set f = '{0.secret}'.format %}{{ f(trap) }}",
    "{{ ['{0.secret}'.format] | map('call', trap) | first }}",
    "{{ contact.name.upper() }}",
    "{{ contact.items() }}{{ contact.keys() }}{{ contact.get('email') }}",
    "{{ tickets.append(1) }}{{ tickets.pop() }}{{ tickets.clear() }}",
    "{{ contact.update({'consent': true}) }}",
    "{{ ''.join(['a']) }}",
    "{{ 'a'.encode().decode('rot13') }}",
    "{{ 'x'.ljust(1000000000) }}",
    "{{ (lambda: 1)() }}",
    "{{ contact.name(*tickets) }}{{ contact.name(**contact) }}",
]
# By statements.
_STATEMENTS = [
    "{% include '/etc/passwd' %}",
    "{% include raw.path ignore missing %}",
    "{% import 'os' as os %}{{ os.popen('id') }}",
    "{% from 'os' import popen %}{{ popen('id') }}",
    "{% extends raw.path %}",
    "{% block a %}{{ super() }}{{ self.a() }}{% endblock %}",
    "{% macro m() %}{{ caller() }}{% endmacro %}{{ m.__globals__ }}{{ m._func }}",
    "{% call(x) m() %}{{ x }}{% endcall %}",
    "{% set x = trap %}{{ x.secret }}",
    "{% set ns = namespace(x=1) %}{% set ns.x = 2 %}",
    "{% with x = trap %}{{ x.secret }}{% endwith %}",
    "{% filter attr('x') %}{% endfilter %}",
    "{% autoescape false %}{{ trap }}{% endautoescape %}",
    "{% do tickets.append(1) %}",
    "{% debug %}",
    "{% trans %}{{ trap.secret }}{% endtrans %}",
    "{% for x in tickets recursive %}{{ loop(x) }}{% endfor %}",
    "{% for x in trap %}{{ x }}{% endfor %}",
    "{% for __class__ in tickets %}{{ __class__ }}{% endfor %}",
    "{% for x, y in contact %}{{ y }}{% endfor %}",
    "{% if trap.fire() %}x{% endif %}",
    "{% raw %}{% endraw %}{{ trap.secret }}",
    "# for x in tickets\n${ trap.secret }\n<%= trap.secret %>",
]
# By taking time or memory.
_FLOODS = [
    "{{ 9 ** 9 ** 9 ** 9 }}",
    "{{ 'x' * 1000000000 }}",
    "{{ [0] * 1000000000 }}",
    "{{ '%999999999d' % 1 }}",
    "{{ 1e308 * 1e308 * 1e308 }}",
    "{{ 9999999999 * 9999999999 " + "* 9999999999 " * 700 + "}}",
    "{{ 10 | round(999999999) }}{{ 10 | round(-999999999) }}",
    "{{ 1 // 0 }}{{ 1 % 0 }}",
    "{{ " + "raw.long ~ " * 900 + "'' }}",
    "{{ " + "raw.long + " * 900 + "'' }}",
    "{{ raw.long" + " | replace('x', 'xxxxxxxxxx')" * 300 + " }}",
    "{{ raw.long" + " | list | join" * 600 + " }}",
    "{{ raw.long" + " | upper | lower" * 500 + " }}",
    "{% for a in raw.many %}{% for b in raw.many %}{{ a }}{% endfor %}{% endfor %}",
    "{% for a in raw.many %}{% if raw.long ~ raw.long ~ raw.long %}{% endif %}{% endfor %}" * 90,
    "{% for a in raw.many %}{% if raw.long + raw.long %}{% endif %}{% endfor %}",
    "{% for a in raw.many %}{% if raw.long | upper | lower %}{% endif %}{% endfor %}",
    "{% for a in raw.many %}{% if 'y' in raw.long %}{% endif %}{% endfor %}",
    "{% for a in raw.many %}{% if raw.long == raw.long ~ '' %}{% endif %}{% endfor %}",
    "{% for a in raw.many %}{% if raw.number | phone('CA') %}{% endif %}{% endfor %}" * 120,
    "{% for a in raw.many %}{% if raw.many | map('phone', 'CA') %}{% endif %}{% endfor %}",
    "{% for a in raw.many %}{% if raw.long | name %}{% endif %}{% endfor %}",
    "{% for a in raw.many %}{% if raw.many | sort | unique | reverse %}{% endif %}{% endfor %}",
    "{% for a in raw.many %}{{ raw.day | date('%A %B') | truncate(1) }}{% endfor %}" * 100,
    "{{ " + "(" * 3_000 + "1" + ")" * 3_000 + " }}",
    "{{ " + "[" * 3_000 + "]" * 3_000 + " }}",
    "{{ " + "not " * 2_400 + "1 }}",
    "{{ 1" + " if 1 else 1" * 800 + " }}",
    "{{ raw" + ".a" * 4_900 + " }}",
    "{{ raw" + "[0]" * 3_200 + " }}",
    "{{ '' " + "~ ''" * 2_400 + " }}",
    "{{ 1 " + "< 1 " * 2_400 + "}}",
    "{% if 1 %}" * 600 + "{% endif %}" * 600,
    "{% for a in tickets %}" * 300 + "{% endfor %}" * 300,
    "{{ 1 }}" * 1_400,
    "{{ " + "9" * 9_000 + " }}",
    "{{ 0x" + "f" * 9_000 + " }}",
]
PAYLOADS = [
    *(*_DOTS, *_BRACKETS, *_GLOBALS, *_FILTERS, *_CALLS, *_STATEMENTS, *_FLOODS),
]
# Signs of Python's own in a text: its objects, their addresses, what a file or a command gives.
_SIGNS = [
    *("class", "<built", "<bound", "<function", "<module", " object at 0x", "Trap", "SECRET"),
    *("root:", "uid=", "generator", "{'", "Decimal(", "datetime."),
]
# Ten times as long as on an idle machine; what does its work again and again takes minutes.
_SLOWEST = 6.0


class Trap:
    """Nothing in a text may look into it or call it."""

    secret = "SECRET"
    fired = False

    def fire(self, *_: Any) -> str:
        Trap.fired = True
        return "SECRET"

    __call__ = fire

    def __iter__(self) -> Iterator[str]:
        return iter([self.fire()])


_happened: list[str] | None = None


def _heard(event: str, _: Any) -> None:
    if _happened is not None and event.split(".")[0] not in ("builtins", "object", "sys"):
        _happened.append(event)


# Python offers no way to take a hook away again: outside `listening` it does nothing.
sys.addaudithook(_heard)


@contextmanager
def listening() -> Iterator[list[str]]:
    """What Python reports meanwhile: files opened, programs started, modules imported, code run."""
    global _happened
    happened: list[str] = []
    _happened = happened
    try:
        yield happened
    finally:
        _happened = None


def facts() -> dict[str, Any]:
    return {
        "contact": {"email": "priya@example.com", "name": "Priya", "phone": "403 266 1234"},
        "order": {"total": Decimal("236.25"), "currency": "CAD"},
        "tickets": [
            {"type": "VIP", "starts_on": datetime(2027, 7, 3, tzinfo=UTC)},
            {"type": "Standing", "starts_on": None},
        ],
        "trap": Trap(),
        "raw": {
            "underscored": "__class__",
            "globals": "__globals__",
            "path": "/etc/passwd",
            "long": "x" * 50_000,
            "many": ["403 266 1234"] * 3_000,
            "number": "(403) 266-1234",
            "day": "2027-07-03T12:00:00Z",
        },
    }


@contextmanager
def quick() -> Iterator[None]:
    """It takes little time, that of going through all objects of other tests left out."""
    gc.disable()
    started = time.process_time()
    try:
        yield
        assert time.process_time() - started < _SLOWEST
    finally:
        gc.enable()


def test_there_are_enough_of_them() -> None:
    assert len(set(PAYLOADS)) == len(PAYLOADS) > 180


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_a_rule_with_it_is_refused_or_harmless(saying: Saying, order: Event, payload: str) -> None:
    with quick():
        try:
            text = str(rules.fill(saying(payload), order).model_dump()["text"])
        except (ConfigurationError, rules.NotFilled):
            text = ""
    assert not [sign for sign in _SIGNS if sign in text]


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_without_the_check_it_reaches_nothing(payload: str) -> None:
    """The environment alone would do: a mistake in the check opens no way out."""
    Trap.fired = False
    phone("+14032661234", "CA")  # What it knows of a country is imported where it is first needed.
    try:
        text = compile_text(payload, None)
        assert text.template
    except (TemplateError, ValueError, RecursionError, MemoryError, SyntaxError):
        return
    made = ""
    with quick(), listening() as happened, suppress(CannotRender):
        made = render(text, facts())
    assert not happened
    assert not Trap.fired
    assert len(made) <= LONGEST_TEXT
    assert not [sign for sign in _SIGNS if sign in made]


def test_what_is_listened_for_is_heard() -> None:
    with listening() as happened:
        open(__file__).close()
    assert happened == ["open"]
