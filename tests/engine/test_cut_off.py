"""A call that was cut off may still be done: until then nothing more goes of that person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from bridge.connector import Outcome, Retry
from tests.engine import test_drain
from tests.engine.scripted import Message, Scripted, Settings
from tests.engine.test_drain import MERGE, SEND, Bench

TIMEOUT = Settings().timeout

bench = test_drain.bench


def hang(bench: Bench, seconds: float) -> None:
    """From now on each call takes so long."""

    class Hanging(bench.destination.kind):  # type: ignore[name-defined, misc]
        def send(self, items: Sequence[Message]) -> list[Outcome]:
            bench.now.advance(seconds)
            return [self._answer(item) for item in items]

        def merge(self, items: Sequence[Message]) -> list[Outcome]:
            return self.send(items)

        send.action = Scripted.send.action  # type: ignore[attr-defined]
        merge.action = Scripted.merge.action  # type: ignore[attr-defined]

    bench.destination = replace(bench.destination, connector=Hanging(Settings()))


def sent_after(bench: Bench, seconds: float, lane: str = SEND, **changes: Any) -> list[str]:
    bench.now.advance(seconds)
    bench.drain(lane, **changes)
    return bench.script.sent


def test_what_was_cut_off_rests_until_the_vendor_must_be_done(bench: Bench) -> None:
    hang(bench, TIMEOUT)
    bench.script.answers = [Retry("no answer")]
    bench.plan("old", "new", person="ana")
    assert sent_after(bench, 0) == ["old"]
    assert sent_after(bench, TIMEOUT - 0.1) == ["old"]
    assert sent_after(bench, 0.2) == ["old", "old", "new"]


def test_so_does_all_that_was_merged_with_it(bench: Bench) -> None:
    hang(bench, TIMEOUT)
    bench.script.answers = [Retry("no answer"), Retry("no answer")]
    bench.plan("old", "new", lane=MERGE, person="ana")
    assert sent_after(bench, 0, MERGE) == ["old", "new"]
    assert sent_after(bench, TIMEOUT - 0.1, MERGE) == ["old", "new"]
    assert sent_after(bench, 0.2, MERGE) == ["old", "new"] * 2


@pytest.mark.parametrize("asked", [TIMEOUT + 20, TIMEOUT - 5], ids=["longer", "shorter"])
def test_what_a_vendor_asks_for_is_waited_for_all_the_same(bench: Bench, asked: float) -> None:
    hang(bench, TIMEOUT)
    bench.script.answers = [Retry("no answer", after=asked)]
    bench.plan("old", person="ana")
    assert sent_after(bench, 0) == ["old"]
    assert sent_after(bench, max(asked, TIMEOUT) - 0.1) == ["old"]
    assert sent_after(bench, 0.2) == ["old", "old"]


def test_what_was_answered_in_time_is_tried_again_as_soon_as_ever(bench: Bench) -> None:
    hang(bench, TIMEOUT / 2)
    bench.script.answers = [Retry("busy")]
    bench.plan("old", person="ana")
    assert sent_after(bench, 0) == ["old"]
    assert sent_after(bench, 2.0) == ["old", "old"]


def test_others_go_on_meanwhile(bench: Bench) -> None:
    hang(bench, TIMEOUT)
    bench.script.answers = [Retry("no answer")]
    bench.plan("old", person="ana")
    assert sent_after(bench, 0) == ["old"]
    bench.plan("other", person="bo")
    assert sent_after(bench, 0)[:2] == ["old", "other"]
