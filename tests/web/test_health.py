"""Asking whether all is well costs one look a second, however many ask."""

from __future__ import annotations

import threading
from typing import Any

from bridge.web.health import MAX_AGE_SECONDS, Readiness
from tests.servers import wait_until


class Looks:
    """Looks that are counted, and wait until `go` is set."""

    def __init__(self) -> None:
        self.count = 0
        self.at = 0.0
        self.go = threading.Event()
        self.go.set()

    def __call__(self) -> tuple[bool, dict[str, Any]]:
        self.count += 1
        number = self.count
        assert self.go.wait(30)
        return True, {"number": number}

    def elapsed(self) -> float:
        return self.at


def test_one_look_answers_all_who_ask_within_a_second() -> None:
    looks = Looks()
    ready = Readiness(looks, looks.elapsed)
    assert [ready.ask()[1]["number"] for _ in range(3)] == [1, 1, 1]
    looks.at = MAX_AGE_SECONDS
    assert ready.ask()[1]["number"] == 2


def test_while_a_look_takes_long_others_are_answered_with_the_one_before() -> None:
    looks = Looks()
    ready = Readiness(looks, looks.elapsed)
    ready.ask()
    looks.at = MAX_AGE_SECONDS
    looks.go.clear()
    slow = threading.Thread(target=ready.ask)
    slow.start()
    wait_until(lambda: looks.count == 2)
    assert ready.ask()[1]["number"] == 1
    looks.go.set()
    slow.join(30)
    assert ready.ask()[1]["number"] == 2
