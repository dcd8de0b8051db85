"""What waits longer than it should is an alert with its likely cause, and ends by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from redis import exceptions

from bridge.engine.redis_words import AWAY, LATE, in_its_words, remedy
from bridge.engine.watchdog import (
    BEHIND_SECONDS,
    CALM_SECONDS,
    CATCH_UP_SECONDS,
    RESTART_SECONDS,
    TURN_SECONDS,
    Judgement,
    Seen,
    Watchdog,
)
from bridge.ledger.waiting import Head

AFTER = 30.0
BEGAN = 1_700_000_000.0
WELL = Seen(BEGAN, "", 2, True, True, [], 0, 0)
OOM = "OOM command not allowed when used memory > 'maxmemory'"


def inbox(mark: str = "1", *, since: float | None = BEGAN, held: bool = False) -> Head:
    return Head("inbox", "", since, mark, held)


def lane(name: str, mark: str = "a", *, since: float = BEGAN, held: bool = False) -> Head:
    return Head(name, name.partition(".")[0], since, mark, held)


def told(judgement: Judgement) -> list[tuple[str, str]]:
    return [(alert.kind, alert.subject) for alert in judgement.raised]


def watch(dog: Watchdog, seen: Seen, seconds: float, step: float = 3.0) -> Judgement:
    """The same seen again and again, from its moment on."""
    judgement = dog.look(seen)
    looks = int(seconds / step)
    for number in range(1, looks + 1):
        judgement = dog.look(replace(seen, at=seen.at + number * step))
    return judgement


def test_while_all_goes_well_nobody_is_told() -> None:
    assert watch(Watchdog(AFTER), WELL, 120) == Judgement([], frozenset())


@pytest.mark.parametrize(
    ("bad", "alert"),
    [
        ({"redis": OOM}, ("redis", "Redis")),
        ({"redis": OOM, "workers": None}, ("redis", "Redis")),
        ({"workers": 0}, ("workers", "the workers")),
        ({"clock": False}, ("clock", "the clock")),
    ],
)
def test_a_part_that_does_not_do_its_work_is_told_after_as_long_as_a_restart_takes(
    bad: dict[str, object], alert: tuple[str, str]
) -> None:
    dog, seen = Watchdog(AFTER), replace(WELL, **bad)  # type: ignore[arg-type]  # by name
    early = watch(dog, seen, RESTART_SECONDS - 3)
    assert early.raised == []
    assert alert in early.unsure, "what an earlier process told is left as it is"
    assert told(watch(dog, replace(seen, at=BEGAN + RESTART_SECONDS), 3)) == [alert]


def test_trouble_that_comes_and_goes_is_one_trouble() -> None:
    dog = Watchdog(AFTER)
    watch(dog, replace(WELL, redis=OOM), 30)
    between = dog.look(replace(WELL, at=BEGAN + 33))
    assert ("redis", "Redis") in between.unsure
    assert told(dog.look(replace(WELL, redis=OOM, at=BEGAN + 36))) == [("redis", "Redis")]
    well = watch(dog, replace(WELL, at=BEGAN + 39), CALM_SECONDS + 3)
    assert well == Judgement([], frozenset())


def test_one_cause_is_one_alert_which_says_what_waits() -> None:
    heads = [inbox(), lane("slack.post_message"), lane("hubspot.upsert_contact#3")]
    seen = replace(WELL, redis=OOM, heads=heads, webhooks=1, deliveries=7)
    (alert,) = watch(Watchdog(AFTER), seen, 60).raised
    assert alert.text.startswith(f"Redis takes no jobs: {OOM}. It is full (maxmemory)")
    assert (
        "1 webhook and 7 deliveries wait, the oldest since 2023-11-14 22:13:20 UTC." in alert.text
    )


def test_a_webhook_that_nobody_routes_is_told_whatever_the_gauges_say() -> None:
    """https://github.com/n8n-io/n8n/issues/22225"""
    seen = replace(WELL, heads=[inbox()], webhooks=12)
    dog = Watchdog(AFTER)
    assert told(watch(dog, seen, AFTER - 3)) == []
    (alert,) = watch(dog, replace(seen, at=BEGAN + AFTER), 3).raised
    assert (alert.kind, alert.subject, alert.first_at) == ("waiting", "the inbox", BEGAN)
    assert "12 webhooks to go" in alert.text
    assert "Restart them" in alert.text


def test_as_long_as_what_comes_first_changes_somebody_gets_on_with_it() -> None:
    dog = Watchdog(AFTER)
    for second in range(0, 600, 3):
        head = inbox(str(second), since=BEGAN - 60 + second)
        assert told(dog.look(replace(WELL, at=BEGAN + second, heads=[head]))) == []


def worked_off(second: int) -> Seen:
    """A backlog in which another delivery comes first at each look."""
    head = lane("email.send", str(second), since=BEGAN - BEHIND_SECONDS - AFTER, held=True)
    return replace(WELL, at=BEGAN + second, heads=[head], deliveries=5000)


def test_what_waited_while_nothing_ran_is_caught_up_with_before_anybody_is_told() -> None:
    """A bridge that was down for a week, a vendor that was away for an hour."""
    dog = Watchdog(AFTER)
    for second in range(0, int(CATCH_UP_SECONDS), 3):
        assert dog.look(worked_off(second)).raised == []
    assert dog.look(replace(WELL, at=BEGAN + CATCH_UP_SECONDS)) == Judgement([], frozenset())


@pytest.mark.parametrize("step", [8 * 3600.0, -8 * 3600.0], ids=["a sleep", "a clock set back"])
def test_what_happened_before_a_gap_says_nothing(step: float) -> None:
    """A delivery that was in hand as the laptop was closed; workers of whom nothing was heard."""
    dog = Watchdog(AFTER)
    seen = replace(WELL, heads=[lane("slack.post_message", held=True)], deliveries=1)
    watch(dog, replace(seen, workers=0), RESTART_SECONDS - 3)
    woken = dog.look(replace(seen, at=BEGAN + step))
    assert woken.raised == []
    assert told(watch(dog, replace(seen, at=BEGAN + step), AFTER + 3)) == [("waiting", "slack")]


def test_a_webhook_from_a_machine_whose_clock_is_ahead_waits_since_it_was_seen() -> None:
    seen = replace(WELL, heads=[inbox(since=BEGAN + 7200)], webhooks=1)
    (alert,) = watch(Watchdog(AFTER), seen, AFTER + 3).raised
    assert (alert.kind, alert.first_at) == ("waiting", BEGAN)


def test_what_is_stuck_is_not_over_because_something_else_broke_too() -> None:
    dog = Watchdog(AFTER)
    seen = replace(WELL, heads=[lane("slack.post_message", held=True)], deliveries=1)
    assert told(watch(dog, seen, 60)) == [("waiting", "slack")]
    judgement = watch(dog, replace(seen, at=BEGAN + 63, redis=OOM), RESTART_SECONDS)
    assert told(judgement) == [("redis", "Redis")]
    assert ("waiting", "slack") in judgement.unsure


def test_what_is_worked_off_from_far_behind_is_told_as_that() -> None:
    dog = Watchdog(AFTER)
    for second in range(0, int(CATCH_UP_SECONDS) + 3, 3):
        judgement = dog.look(worked_off(second))
        assert bool(judgement.raised) is (second >= CATCH_UP_SECONDS)
        assert second >= CATCH_UP_SECONDS or ("waiting", "email") in judgement.unsure
    (alert,) = judgement.raised
    assert alert.subject == "email"
    assert "from far behind" in alert.text


def test_a_lane_that_somebody_holds_and_does_not_get_on_with_is_told() -> None:
    seen = replace(WELL, heads=[lane("slack.post_message:C1", held=True)], deliveries=3)
    (alert,) = watch(Watchdog(AFTER), seen, AFTER + 3).raised
    assert alert.subject == "slack"
    assert "A worker has it in hand and does not get on" in alert.text


def test_a_lane_waits_longer_for_its_turn_while_workers_are_busy_with_others() -> None:
    dog, waiting = Watchdog(AFTER), lane("slack.post_message:C1")
    for second in range(0, int(TURN_SECONDS) + 6, 3):
        busy = lane("hubspot.upsert_contact", str(second), since=BEGAN + second, held=True)
        judgement = dog.look(replace(WELL, at=BEGAN + second, heads=[waiting, busy]))
        assert bool(judgement.raised) is (second >= TURN_SECONDS)
    assert "more of them help" in judgement.raised[0].text


def test_an_account_whose_calls_take_long_is_given_the_time() -> None:
    seen = replace(WELL, heads=[lane("webhook.post", held=True)])
    assert told(watch(Watchdog(AFTER, {"webhook": 130.0}), seen, 120)) == []
    assert told(watch(Watchdog(AFTER, {"slack": 130.0}), seen, 120)) == [("waiting", "webhook")]


def test_without_rules_the_alert_says_so() -> None:
    seen = replace(WELL, rules=False, heads=[inbox()], webhooks=1)
    (alert,) = watch(Watchdog(AFTER), seen, AFTER + 3).raised
    assert "No rules are live" in alert.text


def test_what_is_replayed_waits_only_since_it_was_seen() -> None:
    seen = replace(WELL, heads=[inbox(since=None)], webhooks=1)
    dog = Watchdog(AFTER)
    assert told(watch(dog, seen, AFTER - 3)) == []
    assert told(watch(dog, replace(seen, at=BEGAN + AFTER), 3)) == [("waiting", "the inbox")]


def test_a_restart_of_who_watches_neither_ends_nor_repeats_what_was_told() -> None:
    later = replace(WELL, at=BEGAN + 600, heads=[inbox()], webhooks=1)
    first = Watchdog(AFTER).look(later)
    assert (first.raised, first.unsure) == ([], frozenset({("waiting", "the inbox")}))
    assert Watchdog(AFTER).look(replace(later, heads=[])) == Judgement([], frozenset())


@pytest.mark.parametrize(
    ("error", "words", "what"),
    [
        (exceptions.ResponseError("MISCONF Redis is configured to save"), "MISCONF", "save"),
        (exceptions.ResponseError("NOREPLICAS Not enough good replicas"), "NOREPLICAS", "replica"),
        (exceptions.AuthenticationError("Authentication required."), "NOAUTH", "password"),
        (exceptions.ConnectionError("Error 111 connecting to 10.0.0.1:6379."), AWAY, "REDIS_URL"),
        (exceptions.TimeoutError("Timeout reading from 10.0.0.1:6379"), LATE, "stopped"),
        (OSError("no such file"), AWAY, "REDIS_URL"),
        (exceptions.ResponseError("BUSY Redis is busy running a script"), "BUSY", "log"),
    ],
)
def test_what_redis_says_is_told_with_what_to_do_and_without_an_address(
    error: Exception, words: str, what: str
) -> None:
    said = in_its_words(error)
    assert said.startswith(words)
    assert "10.0.0.1" not in said
    assert what in remedy(said)
