"""What is taken in hand together."""

from __future__ import annotations

from dataclasses import replace
from math import inf

from hypothesis import given
from hypothesis import strategies as st

from bridge.connector import Action
from bridge.engine.batching import Batching
from bridge.ledger.claim import Claimed
from tests.engine.scripted import Scripted

SEND, MERGE = (Scripted.actions()[name] for name in ("send", "merge"))


def ready(
    name: str, person: str = "", failures: int = 0, action: str = "send", attempt: int = 1
) -> Claimed:
    return Claimed(
        id=name,
        webhook=1,
        account="scripted",
        action=action,
        order_key=person,
        item={},
        attempt=attempt,
        failures=failures,
        uncertain=False,
        planned_at=0.0,
    )


def chosen(action: Action, *deliveries: Claimed) -> list[str]:
    batching = Batching({action.name: action}, late=-inf, crowd=inf)
    batch = batching.choose([replace(each, action=action.name) for each in deliveries])
    return [each.id for each in batch.deliveries]


def test_a_batch_holds_as_many_as_the_action_takes() -> None:
    many = [ready(str(number)) for number in range(15)]
    assert chosen(SEND, *many) == [str(number) for number in range(10)]


def test_of_one_person_only_what_merges_is_taken_together() -> None:
    both = [ready("ana-1", "ana"), ready("bo-1", "bo"), ready("ana-2", "ana")]
    assert chosen(SEND, *both) == ["ana-1", "bo-1"]
    assert chosen(MERGE, *both) == ["ana-1", "bo-1", "ana-2"]


def test_what_fails_again_and_again_ends_alone() -> None:
    others = [ready(f"good-{number}") for number in range(20)]
    sizes = [len(chosen(SEND, ready("bad", failures=failures), *others)) for failures in range(6)]
    assert sizes == [10, 5, 2, 1, 1, 1]


def test_what_failed_before_does_not_shrink_a_batch_that_is_fuller_already() -> None:
    deliveries = [*(ready(f"good-{number}") for number in range(4)), ready("bad", failures=2)]
    assert chosen(SEND, *deliveries) == ["good-0", "good-1", "good-2", "good-3"]


def test_what_has_no_room_holds_back_what_follows_of_the_same_person() -> None:
    deliveries = [ready("bo-1", "bo"), ready("ana-1", "ana", failures=9), ready("ana-2", "ana")]
    assert chosen(MERGE, *deliveries) == ["bo-1"]


def test_what_was_tried_of_one_person_together_stays_together() -> None:
    tried = [ready(f"ana-{number}", "ana", 2, attempt=3) for number in range(4)]
    assert chosen(MERGE, tried[0], ready("bo-1", "bo"), *tried[1:]) == [
        "ana-0",
        "ana-1",
        "ana-2",
        "ana-3",
    ]
    others = [ready("bo-1", "bo"), ready("cy-1", "cy")]
    assert chosen(MERGE, *others, *tried) == ["bo-1", "cy-1"]


def test_actions_of_one_lane_are_not_mixed() -> None:
    batching = Batching(Scripted.actions(), late=-inf, crowd=inf)
    deliveries = [
        ready("ana-1", "ana"),
        ready("ana-2", "ana", action="merge"),
        ready("bo-1", "bo"),
        ready("ana-3", "ana"),
        ready("anyone"),
    ]
    taken = [each.id for each in batching.choose(deliveries).deliveries]
    assert taken == ["ana-1", "bo-1", "anyone"]


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 5), st.sampled_from(["send", "merge"])),
        min_size=1,
        max_size=40,
    ),
    st.integers(0, 40),
)
def test_nothing_is_taken_without_what_goes_before_it_of_the_same_person(
    drawn: list[tuple[str, int, str]], tried: int
) -> None:
    deliveries = [
        ready(str(number), person, failures, action, attempt=2 if number < tried else 1)
        for number, (person, failures, action) in enumerate(drawn)
    ]
    batch = Batching(Scripted.actions(), late=-inf, crowd=inf).choose(deliveries)
    taken = {each.id for each in batch.deliveries}
    assert str(0) in taken
    for person in "abc":
        of_person = [each.id in taken for each in deliveries if each.order_key == person]
        assert of_person == sorted(of_person, reverse=True)
