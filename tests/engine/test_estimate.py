"""What deliveries cost in calls, and in time under the vendors' limits."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bridge.connector import Call, Connector, Item, Outcome, Rate, action
from bridge.engine.estimate import Load, cost_of, load_of, speed_for
from bridge.engine.pace import bucket

ALL = 1_000_000


class Note(Item):
    room: str = "lobby"
    again: bool = False


def calls(_settings: object, note: Note) -> list[Call]:
    sure = [Call("POST", "/notes")]
    return [*sure, Call("PUT", "/notes", when="it is there")] if note.again else sure


def broken(_settings: object, _note: Note) -> list[Call]:
    raise ValueError("a connector's bug")


class Board(Connector):
    name = "board"

    @action(Note, preview=calls)
    def pin(self, items: Sequence[Note]) -> list[Outcome]:
        """Pin one."""
        return []

    @action(Note, preview=calls, batch=100, shards=4)
    def pile(self, items: Sequence[Note]) -> list[Outcome]:
        """Pin many."""
        return []

    @action(Note, preview=calls, lane="room", shards=2)
    def ring(self, items: Sequence[Note]) -> list[Outcome]:
        """Ring in a room."""
        return []

    @action(Note, preview=broken)
    def drop(self, items: Sequence[Note]) -> list[Outcome]:
        """Fail."""
        return []


class Limited(Board):
    rates = (Rate(100, 10.0),)


class ByRoom(Board):
    rates = (Rate(1, 1.0, per_lane=True),)


class Budgeted(Board):
    rates = (Rate(1000, 86_400.0),)


def load(name: str, lanes: dict[str, int], *items: Note) -> Load:
    return load_of(Board.actions()[name], None, lanes, items or [Note()])


def test_each_item_makes_the_calls_of_its_preview() -> None:
    cost = cost_of(Board, [load("pin", {"board.pin": 40})], ALL)
    assert (cost.calls, cost.at_most, cost.seconds) == (40, 40, 0.0)


def test_calls_under_a_condition_are_counted_apart() -> None:
    mixed = load("pin", {"board.pin": 40}, Note(), Note(again=True))
    cost = cost_of(Board, [mixed], ALL)
    assert (cost.calls, cost.at_most) == (40, 60)


def test_a_batch_makes_the_calls_of_one_and_no_batch_mixes_lanes() -> None:
    lanes = {"board.pile#0": 250, "board.pile#1": 1}
    assert cost_of(Board, [load("pile", lanes)], ALL).calls == 4


def test_what_is_fed_slowly_makes_smaller_batches() -> None:
    lanes = {"board.pile#0": 250}
    assert cost_of(Board, [load("pile", lanes)], 10).calls == 25
    assert cost_of(Board, [load("pile", lanes)], 0).calls == 250


def test_nine_tenths_of_a_limit_are_used() -> None:
    cost = cost_of(Limited, [load("pin", {"board.pin": 900})], ALL)
    assert cost.seconds == pytest.approx(100, rel=0.001)


def test_all_actions_of_an_account_share_its_limit() -> None:
    both = [load("pin", {"board.pin": 450}), load("ring", {"board.ring:lobby#0": 450})]
    assert cost_of(Limited, both, ALL).seconds == pytest.approx(100, rel=0.001)


def test_of_a_limit_for_each_lane_the_fullest_counts_with_all_its_shards() -> None:
    lanes = {"board.ring:lobby#0": 45, "board.ring:lobby#1": 45, "board.ring:attic#0": 60}
    cost = cost_of(ByRoom, [load("ring", lanes), load("pin", {"board.pin": 9000})], ALL)
    assert cost.seconds == pytest.approx(100, rel=0.001)


def test_half_of_a_days_budget_is_there_at_once() -> None:
    within = cost_of(Budgeted, [load("pin", {"board.pin": 499})], ALL)
    beyond = cost_of(Budgeted, [load("pin", {"board.pin": 750})], ALL)
    assert within.seconds == 0.0
    paced = bucket("", Budgeted.rates[0])
    assert beyond.seconds == pytest.approx(251 * paced.interval / 1_000_000)


def test_a_preview_that_fails_hides_nothing_else() -> None:
    assert cost_of(Board, [load("drop", {"board.drop": 3})], ALL).calls == 0


@pytest.mark.parametrize(
    ("count", "seconds", "speed"),
    [
        (1000, 10.0, 10.0),  # a tenth of 100/s
        (9, 1.0, 1.0),  # at least one
        (9, 10.0, 0.45),  # but never more than half
        (1_000_000, 10.0, 50.0),  # and never more than fifty
        (10, 0.0, 50.0),  # nor without any limit
    ],
)
def test_a_tenth_of_the_pace_leaves_live_traffic_its_place(
    count: int, seconds: float, speed: float
) -> None:
    assert speed_for(count, seconds) == pytest.approx(speed)
