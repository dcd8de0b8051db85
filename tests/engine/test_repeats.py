"""What was done once more behind a late purchase, when one of these is replayed."""

from __future__ import annotations

import pytest

from bridge.connector import Delivered, Rejected
from bridge.engine import late
from bridge.ledger.books import books
from bridge.ledger.replay import Again, replay_deliveries
from tests.engine import test_endings, test_turns
from tests.engine.test_endings import RULES, owed, receive, replay, take_tickets_word, work
from tests.engine.test_turns import Engine

engine = test_turns.engine
bench = test_endings.bench
NO = Rejected("no")
YES = Delivered()


def send_again(bench: Engine, *names: str) -> Again:
    kinds = {name: each.kind for name, each in bench.turns.destinations.items()}
    with bench.database.write() as connection:
        return replay_deliveries(connection, names, bench.now(), late.repeatable(kinds))


def is_balanced(bench: Engine) -> bool:
    with bench.database.read() as connection:
        return books(connection).are_balanced


@pytest.fixture
def refused(bench: Engine) -> Engine:
    """Event 1 is the refund, event 2 its late purchase, behind which the refund was refused."""
    receive(bench, "refund", "T1")
    bench.script.answers = [YES, YES, NO]
    work(bench)
    receive(bench, "purchase", "T1")
    assert work(bench) == ["T1 refunded", "T1 bought", "T1 refunded"]
    return bench


@pytest.mark.parametrize("number", [1, 2], ids=["refund", "purchase"])
def test_a_repeated_refund_that_was_refused_is_renewed_by_either_event(
    refused: Engine, number: int
) -> None:
    replay(refused, number)
    assert work(refused)[3:] == ["T1 refunded"]
    assert [each.state for each in owed(refused, 2)] == ["delivered", "delivered"]
    replay(refused, number)
    assert len(work(refused)) == 4


def test_the_refund_s_replay_renews_it_as_the_rules_of_now_say(refused: Engine) -> None:
    rules = RULES.replace("ACTION", "send")
    refused.write_rules(rules.replace("} refunded", "} paid back"))
    replay(refused, 1)
    assert work(refused)[3:] == ["T1 paid back"]


def test_what_was_refused_once_and_has_arrived_since_is_not_renewed(refused: Engine) -> None:
    bench = refused
    bench.script.answers = [NO, NO]
    receive(bench, "purchase", "T1", 5)
    work(bench)
    bench.now.advance(1)
    replay(bench, 3)
    assert work(bench)[-2:] == ["T1 bought", "T1 refunded"]
    sent = len(bench.script.sent)
    replay(bench, 3)
    assert len(work(bench)) == sent


@pytest.mark.parametrize("replayed", ["R1", "purchase", "delivery"])
def test_behind_a_refund_that_is_renewed_come_those_after_it(bench: Engine, replayed: str) -> None:
    take_tickets_word(bench)
    receive(bench, "refund", "R1", 6)
    receive(bench, "refund", "R2", 7)
    bench.script.answers = [YES, YES, YES, NO, YES]
    work(bench)
    receive(bench, "purchase", "T1", 6, 7)
    assert work(bench)[2:] == ["T1 bought", "R1 refunded", "R2 refunded"]
    if replayed == "delivery":
        assert send_again(bench, owed(bench, 3)[1].id) == Again(1, 1)
    else:
        replay(bench, 1 if replayed == "R1" else 3)
    assert work(bench)[5:] == ["R1 refunded", "R2 refunded"]
    assert is_balanced(bench)


def test_the_delivery_of_an_old_purchase_has_its_refund_behind_it(bench: Engine) -> None:
    bench.script.answers = [NO]
    receive(bench, "purchase", "T1")
    receive(bench, "refund", "T1")
    work(bench)
    assert send_again(bench, owed(bench, 1)[0].id) == Again(1, 1)
    assert work(bench)[2:] == ["T1 bought", "T1 refunded"]
    assert is_balanced(bench)


def test_each_time_that_it_is_sent_again_the_refund_is_again(bench: Engine) -> None:
    bench.script.answers = [NO, YES, NO, YES, YES, YES]
    receive(bench, "purchase", "T1")
    receive(bench, "refund", "T1")
    work(bench)
    name = owed(bench, 1)[0].id
    for _ in range(2):
        assert send_again(bench, name) == Again(1, 1)
        assert work(bench)[-2:] == ["T1 bought", "T1 refunded"]
    assert send_again(bench, name) == Again(0, 0)


def test_a_refund_that_came_first_is_behind_its_purchase_s_delivery_too(bench: Engine) -> None:
    bench.script.answers = [YES, NO]
    receive(bench, "refund", "T1")
    receive(bench, "purchase", "T1")
    work(bench)
    assert send_again(bench, owed(bench, 2)[0].id) == Again(1, 1)
    assert work(bench)[3:] == ["T1 bought", "T1 refunded"]


def test_a_purchase_that_nothing_undid_is_sent_again_alone(bench: Engine) -> None:
    bench.script.answers = [NO]
    receive(bench, "purchase", "T1")
    receive(bench, "refund", "T2")
    work(bench)
    assert send_again(bench, owed(bench, 1)[0].id) == Again(1, 0)
    assert work(bench)[2:] == ["T1 bought"]


def test_the_message_about_a_refund_is_not_posted_again(bench: Engine) -> None:
    bench.write_rules(RULES.replace("ACTION", "post"))
    bench.script.answers = [NO]
    receive(bench, "purchase", "T1")
    receive(bench, "refund", "T1")
    work(bench)
    assert send_again(bench, owed(bench, 1)[0].id) == Again(1, 0)
    assert work(bench)[2:] == ["T1 bought"]


def test_what_is_sent_again_by_many_at_once_is_undone_too(bench: Engine) -> None:
    bench.script.answers = [NO, NO]
    for number in ("T1", "T2"):
        receive(bench, "purchase", number, customer_email=f"{number}@example.com")
    for number in ("T1", "T2"):
        receive(bench, "refund", number, customer_email=f"{number}@example.com")
    work(bench)
    both = [owed(bench, number)[0].id for number in (1, 2)]
    assert send_again(bench, *both) == Again(2, 2)
    again = work(bench)[4:]
    for number in ("T1", "T2"):
        mine = [each for each in again if each.startswith(number)]
        assert mine == [f"{number} bought", f"{number} refunded"]


def test_only_what_the_refund_wrote_to_the_same_place_is_done_again(bench: Engine) -> None:
    rules = RULES.replace(
        '      - scripted.ACTION: {text: "{{ order.id }} refunded"}\n',
        """\
      - scripted.send: {text: "{{ order.id }} refunded"}
      - scripted.merge: {text: "{{ order.id }} refunded there"}
""",
    )
    bench.write_rules(rules.replace("ACTION", "send"))
    bench.script.answers = [NO]
    receive(bench, "purchase", "T1")
    work(bench)
    receive(bench, "refund", "T1")
    work(bench)
    assert send_again(bench, owed(bench, 1)[0].id) == Again(1, 1)
    assert work(bench)[3:] == ["T1 bought", "T1 refunded"]
