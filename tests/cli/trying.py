"""Rules of many kinds to try, and reading what the commands say of them."""

from __future__ import annotations

import json
from typing import Any

from click.testing import Result
from rich.cells import cell_len

from tests.cli.house import House

DRAFT = """\
time_zone: America/Edmonton
lists:
  favourites: [VIPP, Backstage]
rules:
  - name: Large orders
    when:
      source: showpass
      event: invoice.purchase
      where:
        order.total: {at_least: 1000}
        tickets.type: {one_of: favourites}
        order.currency: CAD
        any:
          - contact.consent: true
          - order.total: {at_most: 5}
        not:
          any:
            - order.currency: CAD
            - order.currency: USD
    do:
      - slack.post_message: {channel: "#vip", text: "hello {{ contact.name }}"}
  - name: Reminder
    when: {source: showpass, event: invoice.purchase, where: {ticket.type: VIP}}
    for_each: tickets
    after: 2 days
    at: "09:00"
    unless: invoice.refund
    stop: true
    do:
      - hubspot.upsert_contact: {email: "{{ contact.email }}"}
      - slack.post_message: {channel: "#vip", text: "{{ ticket.type }}"}
  - name: After the stop
    when: {source: showpass, event: "invoice.*"}
    do:
      - slack.post_message: {channel: "#all", text: "{{ event.type }}"}
  - name: Not now
    enabled: false
    only_between: {to: 2020-12-31}
    when: {source: showpass, event: invoice.refund, where: {order.total: {at_least: 1000}}}
    do:
      - slack.post_message: {channel: "#all", text: off}
"""
ONCE = """\
rules:
  - name: Welcome
    when: {source: showpass, event: invoice.purchase}
    once_per: contact
    do:
      - hubspot.upsert_contact: {email: "{{ contact.email }}"}
"""


def told(house: House, *arguments: str) -> str:
    """What is shown, without its breaks of lines, which are at 80 columns at most."""
    result = run(house, *arguments)
    assert result.exit_code == 0, result.output
    assert max(map(cell_len, result.stdout.splitlines()), default=0) <= 80
    return flat(result.stdout)


def run(house: House, *arguments: str) -> Result:
    """In the folder that holds `config`, as people do: the test's folder has a very long name."""
    house.environ["SHOWBRIDGE_CONFIG"] = "config"
    return house.run(*arguments)


def line_of(text: str, words: str) -> int:
    """In which line of it these words stand first."""
    return next(at for at, line in enumerate(text.splitlines(), start=1) if words in line)


def flat(text: str) -> str:
    return " ".join(text.split())


def lines(house: House, *arguments: str) -> list[Any]:
    result = run(house, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def refused(house: House, *arguments: str) -> str:
    result = run(house, *arguments)
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    return flat(result.stderr)
