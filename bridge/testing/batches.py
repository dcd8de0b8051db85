"""What every action that takes several items at once must do, as tests that its author inherits."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bridge.connector import (
    Action,
    Delivered,
    Item,
    NotNow,
    Rejected,
    Retry,
    Seen,
    Unknown,
)
from bridge.testing.bench import PATIENCE, ConnectorBench
from bridge.testing.probes import call
from bridge.testing.vendor import Reply, Request, Silence, VendorServer

AFTER = 7.5
"""The seconds that a call without a turn is told to wait."""


class CountingPacer:
    """Lets the first `most` calls through; counts them, and those that are under way."""

    def __init__(self, most: int = 1_000) -> None:
        self.entered = 0
        self.under_way = 0
        self._most = most
        self._lock = threading.Lock()

    @contextmanager
    def call(self, lane: str = "") -> Iterator[None]:
        with self._lock:
            if self.entered >= self._most:
                raise NotNow(AFTER)
            self.entered += 1
            self.under_way += 1
        try:
            yield
        finally:
            with self._lock:
                self.under_way -= 1

    def learn(self, seen: Sequence[Seen]) -> None:
        """The pace is the test's."""


class BatchConformance(ConnectorBench):
    """The checks of actions whose `batch` is more than 1, with several people in each batch."""

    def test_a_batch_is_delivered(self) -> None:
        for action in self._batched():
            with self._serving(action) as (connector, _):
                items = self._items(action)
                outcomes = call(connector, action, items)
                assert len(outcomes) == len(items), "one outcome for each item"
                assert all(isinstance(each, Delivered) for each in outcomes), outcomes

    def test_a_poisoned_item_amid_a_batch_is_rejected_alone(self) -> None:
        for action in self._batched():
            with self._serving(action) as (connector, _):
                items = self._poisoned(action)
                kinds = [type(outcome) for outcome in call(connector, action, items)]
                expected: list[type] = [Delivered] * len(items)
                expected[len(self._items(action)) // 2] = Rejected
                assert kinds == expected, (action.name, kinds)

    def test_a_batch_whose_connection_drops_is_not_given_up(self) -> None:
        for action in self._batched():
            with self._serving(action) as (connector, server):
                server.script(Silence.DROP)
                outcomes = call(connector, action, self._items(action))
                allowed = Retry if action.idempotent else (Retry, Unknown)
                assert all(isinstance(each, allowed) for each in outcomes), outcomes

    def test_each_request_of_a_batch_is_made_within_its_pace(self) -> None:
        for action in self._batched():
            pacer = CountingPacer()
            early: list[Request] = []

            def vendor(
                request: Request,
                action: Action = action,
                pacer: CountingPacer = pacer,
                early: list[Request] = early,
            ) -> Reply:
                early += [] if pacer.under_way else [request]
                return self.vendor(action.name, request)

            with VendorServer(handler=vendor) as server:
                connector = self.connector(self.settings(server.url, PATIENCE), pacer)
                call(connector, action, self._poisoned(action))
                assert not early, f"not inside `pacer.call()`: {early[0].method}"
                assert pacer.entered == len(server.requests), "one request for each `pacer.call()`"

    def test_what_the_pace_does_not_allow_is_retried_when_it_does(self) -> None:
        for action in self._batched():
            for most in (0, 1):
                with self._serving(action, pacer=CountingPacer(most)) as (connector, server):
                    outcomes = call(connector, action, self._items(action))
                    assert len(server.requests) == most
                    waiting = [each for each in outcomes if not isinstance(each, Delivered)]
                    assert most or len(waiting) == len(outcomes)
                    for each in waiting:
                        assert isinstance(each, Retry), each
                        assert (each.after, each.whole_account) == (AFTER, True), each

    def _batched(self) -> list[Action]:
        return [action for action in self._actions() if action.batch > 1]

    def _items(self, action: Action) -> list[Item]:
        """Several people; one of them twice, where the action merges."""
        people = [_other_person(self.item(action.name), number) for number in (1, 2, 3)]
        if action.merges:
            people.insert(2, people[0])
        return [action.item.model_validate(fields) for fields in people[: action.batch]]

    def _poisoned(self, action: Action) -> list[Item]:
        items = self._items(action)
        bad = action.item.model_validate(self.refused_item(action.name))
        return [*items[: len(items) // 2], bad, *items[len(items) // 2 :]][: action.batch]


def _other_person(fields: Any, number: int) -> dict[str, Any]:
    """The same with other addresses."""
    return {
        name: re.sub(r"^(\S+)@", rf"\g<1>{number}@", value) if isinstance(value, str) else value
        for name, value in fields.items()
    }
