"""While strangers do their worst, every genuine webhook is taken, and memory stays as it was."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.servers import wait_until
from tests.web import senders
from tests.web.receivers import ROOT, Process, Receiver, running
from tests.web.wire import PATIENCE

pytestmark = pytest.mark.xdist_group("processes")

SECONDS = 10
RATE = 100
MAX_MEGABYTES = 200
# What a process may keep of an attack: more than one body, less than would add up.
MAX_KEPT_MEGABYTES = 40
WARMING, DURING, AFTERWARDS = 1, 2, 3


@dataclass(frozen=True)
class Seen:
    """What the senders and the attackers saw, and the processes before and after."""

    genuine: Mapping[str, Any]
    hostile: Mapping[str, Any]
    before: Sequence[Process]
    after: Sequence[Process]
    rest: float
    peaks: Sequence[float]


def started(module: str, receiver: Receiver, *options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", module, "--port", str(receiver.port), *map(str, options)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> Mapping[str, Any]:
    said, _ = process.communicate(timeout=SECONDS + 60)
    assert process.returncode == 0
    found: Mapping[str, Any] = json.loads(said)
    return found


def genuine(receiver: Receiver, seed: int, seconds: float) -> Mapping[str, Any]:
    options = ("--seconds", seconds, "--rate", RATE, "--seed", seed)
    return ended(started("tests.web.senders", receiver, *options))


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Any:
    folder = tmp_path_factory.mktemp("attacked")
    with running(folder, redis_url, f"sqlite:///{folder / 'ledger.db'}") as found:
        yield found


@pytest.fixture(scope="module")
def seen(receiver: Receiver) -> Seen:
    genuine(receiver, WARMING, 2)
    before = receiver.web_processes()
    rest = max(process.resident() for process in before)
    attackers = started("tests.web.attack", receiver, "--seconds", SECONDS)
    assert attackers.stdout
    assert attackers.stdout.readline() == "begun\n"
    told = genuine(receiver, DURING, SECONDS)
    hostile = ended(attackers)
    after = receiver.web_processes()
    peaks = [process.peak() for process in after]
    return Seen(told, hostile, before, after, rest, peaks)


def test_every_genuine_webhook_is_accepted_in_time_during_an_attack(seen: Seen) -> None:
    assert seen.hostile["bytes"] > 1_000_000
    assert sum(seen.hostile["statuses"].values()) > 10
    assert seen.genuine["answers"] == {"200 accepted": SECONDS * RATE}
    assert max(seen.genuine["latencies"]) < PATIENCE


def test_the_ledger_holds_the_genuine_webhooks_of_an_attack_once_and_no_other(
    receiver: Receiver, seen: Seen
) -> None:
    sent = Counter(senders.bodies(WARMING, 2 * RATE))
    sent += Counter(senders.bodies(DURING, SECONDS * RATE))
    held = receiver.kept()
    ours = {*senders.bodies(AFTERWARDS, RATE)}
    assert Counter({one: count for one, count in held.items() if one not in ours}) == sent


def test_no_web_process_is_restarted_by_an_attack(receiver: Receiver, seen: Seen) -> None:
    assert seen.after == seen.before
    assert len(seen.after) == 2
    assert receiver.errors() == []


def test_memory_stays_bounded_during_an_attack(seen: Seen) -> None:
    assert max(seen.peaks) < MAX_MEGABYTES


def test_memory_is_back_at_rest_after_an_attack(receiver: Receiver, seen: Seen) -> None:
    def is_at_rest() -> bool:
        held = [process.resident() for process in receiver.web_processes()]
        return max(held) < seen.rest + MAX_KEPT_MEGABYTES

    wait_until(is_at_rest)


def test_webhooks_are_taken_as_before_after_an_attack(receiver: Receiver, seen: Seen) -> None:
    assert genuine(receiver, AFTERWARDS, 1)["answers"] == {"200 accepted": RATE}


def test_nothing_that_an_attack_leaves_fails_the_ledger_s_check(
    receiver: Receiver, seen: Seen, tmp_path: Path
) -> None:
    checked = receiver.verify()
    assert checked.returncode == 0, checked.stdout
