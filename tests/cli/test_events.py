"""`showbridge events`: the list, its filters, JSON, and following."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from queue import Queue

import pytest
from rich.cells import cell_len

from bridge.cli.follow import PATIENCE_SECONDS, Follower
from bridge.connector import Delivered, Rejected, Retry, Suppressed
from bridge.ledger.look_up import EventSummary, Filters
from bridge.ledger.replay import replay_webhook
from tests.cli.house import House, Ledger
from tests.conftest import Now
from tests.servers import START_SECONDS

LONG = "an-endless-name-" * 20 + "@example.com"
HOSTILE = "[bold]Bob[/bold] \x1b[2J\x1b[31m\u202egnp.exe\u200b\r\n\x07"


def lines(house: House, *options: str) -> list[str]:
    result = house.run("events", *options)
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def objects(house: House, *options: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in lines(house, "--json", *options)]


def test_before_the_first_start_it_says_how_to_start(house: House) -> None:
    result = house.run("events")
    assert result.exit_code == 2
    assert "nothing was received yet" in result.stderr
    assert "make run" in result.stderr
    assert not (house.folder / "data").exists()


def test_a_database_without_tables_stays_without(house: House) -> None:
    house.environ["DATABASE_URL"] = f"sqlite:///{house.folder / 'empty.db'}"
    (house.folder / "empty.db").touch()
    for _ in range(2):
        assert "nothing was received yet" in house.run("events").stderr


def test_either_kind_of_database_is_read(house: House, database_url: str) -> None:
    house.environ["DATABASE_URL"] = database_url
    assert "nothing was received yet" in house.run("events").stderr
    ledger = house.open()
    ledger.receive()
    ledger.route()
    ledger.database.close()
    assert [event["id"] for event in objects(house, "--since", "1 hour")] == ["1"]
    assert "will be sent" in house.run("event", "1", "--calls").stdout
    assert house.run("status").exit_code == 0


TWO_ORGANIZATIONS = """\
sources:
  showpass: {secrets: {env: SHOWPASS_SECRETS}}
  showpass-festival: {kind: showpass, secrets: {env: SHOWPASS_SECRETS}}
  showpass-festival-west: {kind: showpass, secrets: {env: SHOWPASS_SECRETS}}
"""


@pytest.mark.parametrize("width", ["80", "100", "200"])
def test_sources_and_types_that_begin_alike_are_told_apart(house: House, width: str) -> None:
    """The kind: https://github.com/moby/moby/issues/34467 (the end of a name decides)."""
    house.environ["COLUMNS"] = width
    house.write("bridge.yaml", TWO_ORGANIZATIONS)
    ledger = house.open()
    body = json.dumps({"id": "1", "event_type": "invoice.transferred", "data": {}})
    for source in ("showpass", "showpass-festival", "showpass-festival-west"):
        for kind in ("invoice.transfer", "invoice.transferred"):
            text = body.replace("invoice.transferred", kind).replace('"1"', f'"{source}{kind}"')
            ledger.keep(source, text.encode())
    ledger.database.close()
    rows = [line[line.index("showpass") :] for line in lines(house) if "showpass" in line]
    assert len({row.split("waiting")[0] for row in rows}) == 6, rows
    assert max(map(cell_len, lines(house))) <= int(width)


def test_an_empty_ledger_says_what_to_try(house: House, ledger: Ledger) -> None:
    assert "showbridge send --all" in house.run("events").stdout
    assert house.run("events", "--json").stdout == ""


def test_the_newest_is_the_last_line(house: House, ledger: Ledger) -> None:
    for sample in ("invoice.purchase", "invoice.refund", "webhook.test"):
        ledger.receive(sample)
    listed = [line for line in lines(house) if " showpass " in line]
    assert [line.split()[0] for line in listed] == ["1", "2", "3"]


def test_it_says_what_became_of_each(house: House, ledger: Ledger) -> None:
    ledger.receive()
    ledger.receive("webhook.test")
    ledger.route()
    ledger.deliver("hubspot")
    ledger.deliver("slack", Rejected("no such channel"))
    ledger.receive("invoice.refund")
    shown = "\n".join(lines(house))
    assert "1 rejected, 1 previewed" in shown
    assert "unrouted: no rule matched" in shown
    assert "waiting" in shown


def test_what_is_quarantined_says_why(house: House, ledger: Ledger) -> None:
    ledger.keep("showpad", b'{"id": "7"}')
    assert "quarantined: event-type-missing" in " ".join(" ".join(lines(house)).split())


@pytest.mark.parametrize("width", ["60", "80", "200"])
@pytest.mark.parametrize("who", [LONG, HOSTILE, "名前" * 40], ids=["long", "hostile", "wide"])
def test_no_line_is_wider_than_the_terminal(
    house: House, ledger: Ledger, who: str, width: str
) -> None:
    house.environ["COLUMNS"] = width
    ledger.receive(customer_email=None, customer_name=who)
    ledger.route()
    ledger.deliver("hubspot", Suppressed("x"))
    ledger.deliver("slack", Retry("x"))
    shown = lines(house)
    assert max(map(cell_len, shown)) <= int(width)
    assert shown[1].split()[0] == "1"
    assert "suppressed" in "".join(shown).replace(" ", "")


def test_a_hostile_name_moves_no_cursor(house: House, ledger: Ledger) -> None:
    ledger.receive(customer_email=None, customer_name=HOSTILE)
    ledger.route()
    for shown in (house.run("events").stdout, house.run("events", "--json").stdout):
        assert not set(shown) & set("\x1b\u202e\u200b\r\x07")


def test_square_brackets_in_a_name_are_shown_as_they_are(house: House, ledger: Ledger) -> None:
    house.environ["COLUMNS"] = "120"
    ledger.receive(customer_email=None, customer_name="[red]Bob[/red]")
    ledger.route()
    assert "[red]Bob[/red]" in house.run("events").stdout


def test_json_has_one_object_for_each_event(house: House, ledger: Ledger) -> None:
    ledger.receive()
    ledger.route()
    ledger.deliver("hubspot")
    (event,) = objects(house)
    assert str(event.pop("received_at")).endswith("Z")
    signed, _, uuid = str(event.pop("idempotency_key")).partition("/")
    assert (signed, len(uuid)) == ("7c-41d9-4be2-9a55-c0ffee120703", 36)
    assert event == {
        "id": "1",
        "source": "showpass",
        "type": "invoice.purchase",
        "who": "priya.raghunathan@example.com",
        "state": "routed",
        "reason": None,
        "deliveries": {"previewed": 1, "waiting": 1},
        "due_at": None,
    }


def test_the_limit_keeps_the_newest(house: House, ledger: Ledger) -> None:
    for _ in range(5):
        ledger.receive()
    assert [event["id"] for event in objects(house, "--limit", "2")] == ["4", "5"]
    assert len(objects(house, "--limit", "2", "--all")) == 5
    assert "The newest 2 of 5" in house.run("events", "--limit", "2").stdout


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (["--source", "showpad"], ["2"]),
        (["--type", "invoice.*"], ["1", "3"]),
        (["--who", "PRIYA"], ["1", "3"]),
        (["--state", "unrouted"], ["2"]),
        (["--state", "rejected"], ["1", "3"]),
        (["--state", "rejected", "--limit", "1"], ["3"]),
        (["--state", "dead"], []),
        (["--since", "1 hour"], ["1", "2", "3"]),
        (["--since", "2099-01-01"], []),
    ],
)
def test_filters_choose(house: House, ledger: Ledger, options: list[str], ids: list[str]) -> None:
    ledger.receive()
    ledger.receive("shared-space-created")
    ledger.receive("invoice.refund")
    ledger.route()
    ledger.deliver("hubspot", Delivered())
    ledger.deliver("slack", Rejected("no such channel"))
    assert [event["id"] for event in objects(house, *options)] == ids


def test_each_state_that_the_list_shows_finds_the_lines_that_show_it(
    house: House, ledger: Ledger
) -> None:
    """A filter that knows other states than the list finds nothing that one can see."""
    for _ in range(2):
        ledger.receive()
    ledger.route()
    ledger.deliver("slack", Rejected("no such channel"))
    ledger.receive("shared-space-created")
    ledger.route()
    ledger.keep("showpad", b"[]")
    ledger.receive()
    shown = objects(house)
    by_table = {
        "waiting": ["1", "2", "5"],
        "rejected": ["1", "2"],
        "routed": ["1", "2"],
        "unrouted": ["3"],
        "quarantined": ["4"],
        "delivered": [],
    }
    assert [event["id"] for event in shown] == ["1", "2", "3", "4", "5"]
    for state, ids in by_table.items():
        for options in ((), ("--limit", "2"), ("--all",)):
            expected = ids[-2:] if options == ("--limit", "2") else ids
            found = objects(house, "--state", state, *options)
            assert [event["id"] for event in found] == expected, (state, options)


def test_what_is_routed_again_is_found_as_what_it_shows(house: House, ledger: Ledger) -> None:
    ledger.receive()
    ledger.route()
    ledger.deliver("slack", Rejected("no such channel"))
    with ledger.database.write() as connection:
        replay_webhook(connection, 1)
    assert "waiting" in "".join(lines(house))
    assert [each["id"] for each in objects(house, "--state", "waiting")] == ["1"]
    assert objects(house, "--state", "rejected") == []


def test_a_time_that_is_none_gets_examples(house: House, ledger: Ledger) -> None:
    result = house.run("events", "--since", "lately")
    assert result.exit_code == 2
    assert "2 hours" in result.stderr


def test_alerts_and_previews_are_hinted_at(house: House, ledger: Ledger) -> None:
    house.environ["SLACK_BOT_TOKEN"] = None
    ledger.keep("showpad", b"[]")
    shown = house.run("events").stdout
    assert "open alert" in shown
    assert "All accounts are in preview" in shown


def test_secrets_are_nowhere(house: House, ledger: Ledger) -> None:
    ledger.receive()
    ledger.route()
    ledger.deliver("slack", Delivered())
    for arguments in (
        ["events"],
        ["events", "--json"],
        ["event", "1", "--json", "--body"],
        ["event", "1", "--body"],
        ["check"],
        ["check", "--json"],
        ["accounts", "--json"],
        ["status", "--json"],
        ["send"],
    ):
        assert "4711" not in house.run(*arguments).output


class TestFollower:
    def follower(self, ledger: Ledger, now: Now) -> Follower:
        return Follower(ledger.database, Filters(), now)

    def ids(self, events: list[EventSummary]) -> list[str]:
        return [event.id for event in events]

    def test_what_was_there_is_not_told(self, ledger: Ledger, now: Now) -> None:
        ledger.receive()
        follower = self.follower(ledger, now)
        now.advance(PATIENCE_SECONDS)
        assert follower.step() == []

    def test_an_event_is_held_back_until_it_is_settled(self, ledger: Ledger, now: Now) -> None:
        follower = self.follower(ledger, now)
        ledger.receive()
        assert follower.step() == []
        ledger.route()
        assert follower.step() == []
        ledger.deliver("hubspot")
        ledger.deliver("slack")
        (event,) = follower.step()
        assert event.deliveries == {"previewed": 2}

    def test_an_event_is_told_after_a_while_in_any_case(self, ledger: Ledger, now: Now) -> None:
        follower = self.follower(ledger, now)
        ledger.receive()
        follower.step()
        now.advance(PATIENCE_SECONDS)
        assert self.ids(follower.step()) == ["1"]

    def test_nothing_is_told_twice(self, ledger: Ledger, now: Now) -> None:
        follower = self.follower(ledger, now)
        ledger.receive()
        follower.step()
        now.advance(PATIENCE_SECONDS)
        follower.step()
        ledger.route()
        now.advance(PATIENCE_SECONDS)
        assert follower.step() == []

    def test_an_event_that_waits_does_not_hold_others_back(self, ledger: Ledger, now: Now) -> None:
        follower = self.follower(ledger, now)
        ledger.receive()
        ledger.keep("showpad", b"[]")
        assert self.ids(follower.step()) == ["2"]
        now.advance(PATIENCE_SECONDS)
        assert self.ids(follower.step()) == ["1"]

    def test_hundreds_at_once_are_all_told(self, ledger: Ledger, now: Now) -> None:
        follower = self.follower(ledger, now)
        for number in range(450):
            ledger.keep("showpad", b"[%d]" % number)
        told = self.ids(follower.step())
        assert told == [str(number) for number in range(1, 451)]
        assert follower.step() == []


@contextmanager
def following(house: House, *options: str) -> Iterator[subprocess.Popen[str]]:
    environ = {**os.environ, **house.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "bridge", "events", "--follow", *options],
        env={name: value for name, value in environ.items() if value is not None},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Who runs the tests in the background may have it ignored, which is inherited.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def first_line(process: subprocess.Popen[str]) -> str:
    """Waits for it, but not for ever."""
    told: Queue[str] = Queue()
    assert process.stdout is not None
    threading.Thread(target=lambda: told.put(process.stdout.readline()), daemon=True).start()  # type: ignore[union-attr]
    return told.get(timeout=START_SECONDS)


def test_following_shows_what_comes_and_ends_quietly(house: House, ledger: Ledger) -> None:
    ledger.keep("showpad", b"[0]")
    with following(house, "--json") as process:
        assert json.loads(first_line(process))["id"] == "1"
        ledger.keep("showpad", b"[1]")
        assert json.loads(first_line(process))["id"] == "2"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=START_SECONDS)
    assert out.strip() == ""
    assert err.strip() == ""
