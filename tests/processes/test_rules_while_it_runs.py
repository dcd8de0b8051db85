"""Rules that are saved, published and rolled back while 1,000 webhooks a minute come in."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import select

from bridge.ledger import rule_versions
from bridge.ledger.database import Database
from bridge.ledger.rule_versions import Published
from bridge.ledger.tables import deliveries, events, webhooks
from tests.processes.bridge import ROOT, Bridge, Slack
from tests.servers import wait_until

pytestmark = pytest.mark.xdist_group("processes")

PER_SECOND = 1000 / 60
# A minute where somebody wants to see it: SECONDS=60.
SECONDS = float(os.environ.get("SECONDS", "8"))
# Between the time that a publication carries and the moment from which others see it.
COMMIT_SECONDS = 2.0


def rules_text(number: int) -> str:
    """Two rules that say in their names and texts which version they are of."""
    return "rules:\n" + "".join(
        f"  - name: {which} {number}\n"
        "    when: {source: showpass, event: invoice.purchase}\n"
        f'    do: [{{slack.post_message: {{channel: "C0123456789", text: "{which} {number}"}}}}]\n'
        for which in ("First", "Second")
    )


@dataclass
class Sender:
    """Sends at its pace until the block ends, however slow single answers are."""

    bridge: Bridge
    taken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(each,)) for each in range(4)]

    def __enter__(self) -> Sender:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _send(self, which: int) -> None:
        began = time.monotonic()
        for number in count(which, len(self._threads)):
            if self._ended.wait(max(0.0, began + number / PER_SECOND - time.monotonic())):
                return
            if self.bridge.send(f"t-{number}") == 200:
                self.taken.append(f"t-{number}")


@dataclass
class Marketer:
    """Changes the rules in all ways that there are; each new version has a number of its own."""

    bridge: Bridge
    folder: Path
    number: int = 0

    def save(self) -> None:
        """As an editor does: a file that is written anew."""
        self.number += 1
        (self.folder / "rules.yaml").write_text(rules_text(self.number))
        before = self._live()
        wait_until(lambda: self._live() != before)

    def publish(self) -> None:
        self.number += 1
        draft = self.folder / "draft.yaml"
        draft.write_text(rules_text(self.number))
        self._command("publish", str(draft), "--yes")

    def roll_back(self) -> None:
        self._command("rollback")

    def work(self, seconds: float) -> None:
        """So long, and at least twice each."""
        end, rounds = time.monotonic() + seconds, count()
        while next(rounds) < 2 or time.monotonic() < end:
            for change in (self.publish, self.roll_back, self.save, self.roll_back):
                change()

    def _live(self) -> int:
        with self.bridge.database.read() as connection:
            live = rule_versions.live(connection)
        return live.number if live else 0

    def _command(self, *arguments: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "bridge", "rules", *arguments],
            env=self.bridge.environ,
            cwd=ROOT,
            check=True,
            capture_output=True,
        )


@pytest.fixture
def bridge(tmp_path: Path, database_url: str, redis: Redis, redis_url: str) -> Iterator[Bridge]:
    slack = Slack()
    with slack.server:
        started = Bridge(tmp_path, database_url, redis_url, slack)
        # What is planned counts here; a preview keeps the vendor's limits out of it.
        started.environ["SLACK_BOT_TOKEN"] = ""
        yield started
        started.stop()


def test_each_event_is_handled_by_exactly_one_version_and_says_which(
    bridge: Bridge, tmp_path: Path
) -> None:
    (tmp_path / "rules.yaml").write_text(rules_text(0))
    bridge.start("web", "worker", "worker 2", "clock")
    marketer = Marketer(bridge, tmp_path)
    with Sender(bridge) as sender:
        wait_until(lambda: len(sender.taken) > 2)
        marketer.work(SECONDS)
    wait_until(lambda: bridge.deliveries() == {"previewed": 2 * len(sender.taken)})
    lives = _lives(bridge.database)
    routed = _routed(bridge.database)
    assert len(sender.taken) >= 0.8 * SECONDS * PER_SECOND
    assert len(lives) >= 9
    assert len(routed) == len(sender.taken)
    assert len({event.version for event in routed}) >= 4
    for event in routed:
        assert any(life.was_live(event) for life in lives), event
        [number] = {life.rules for life in lives if life.version == event.version}
        assert event.rules == {f"First {number}", f"Second {number}"}
        assert event.texts == event.rules
        assert event.delivery_versions == {event.version}


@dataclass
class Routed:
    """One event: by which version, and what came of it."""

    version: str
    received_at: float
    routed_at: float
    rules: set[str]
    texts: set[str]
    delivery_versions: set[str]


@dataclass
class Life:
    """How long one publication was what is live; `rules` is the number in its rules' names."""

    version: str
    rules: int
    since: float
    until: float

    def was_live(self, event: Routed) -> bool:
        """At a moment between the event's receipt and its routing."""
        return (
            self.version == event.version
            and self.since <= event.routed_at
            and event.received_at <= self.until + COMMIT_SECONDS
        )


def _lives(database: Database) -> list[Life]:
    with database.read() as connection:
        every: list[Published] = rule_versions.history(connection)[::-1]
        texts = {
            each.version: (rule_versions.files_of(connection, each.version) or {})["rules.yaml"]
            for each in every
        }
    ends = [each.published_at for each in every[1:]] + [float("inf")]
    return [
        Life(each.version, _number(texts[each.version]), each.published_at, end)
        for each, end in zip(every, ends, strict=True)
    ]


def _number(text: str) -> int:
    found = re.search(r"First (\d+)", text)
    assert found
    return int(found[1])


def _routed(database: Database) -> list[Routed]:
    query = select(
        events.c.webhook, events.c.rules_version, events.c.routed_at, webhooks.c.received_at
    ).join(webhooks, webhooks.c.number == events.c.webhook)
    owed: dict[int, list[tuple[str, str, str]]] = defaultdict(list)
    with database.read() as connection:
        for row in connection.execute(select(deliveries)).mappings():
            found = (row["rule"], row["item"]["text"], row["rules_version"])
            owed[row["webhook"]].append(found)
        rows = connection.execute(query).all()
    return [
        Routed(
            version=version,
            received_at=received_at,
            routed_at=routed_at,
            rules={rule for rule, _, _ in owed[webhook]},
            texts={text for _, text, _ in owed[webhook]},
            delivery_versions={each for _, _, each in owed[webhook]},
        )
        for webhook, version, routed_at, received_at in rows
    ]
