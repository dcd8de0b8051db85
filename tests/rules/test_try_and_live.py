"""What `rules try` shows is what happens: see try_and_live for the long run of it."""

from __future__ import annotations

from tests.rules.try_and_live import compare


def test_random_rules_and_events_come_to_what_was_tried() -> None:
    done = compare(pairs=300, seed=1)
    assert done.pairs == 300
    assert done.matched > 30
    assert {"waiting", "scheduled", "suppressed"} <= done.deliveries.keys()
    assert done.calls > 30
    assert done.requests > 10
