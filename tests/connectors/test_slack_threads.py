"""What Slack was told before: threads, changes, reactions; and people who are written to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from bridge.connector import (
    Call,
    Delivered,
    Earlier,
    Halted,
    Outcome,
    Rejected,
    Retry,
    Suppressed,
    Unknown,
)
from bridge.engine.lane_names import actions_of, lane_of
from bridge.testing.vendor import Answer, Reply, Request, Silence, VendorServer
from connectors.slack import AddReaction, PostMessage, Slack, UpdateMessage
from tests.connectors.slack_workspace import (
    BEFORE,
    DELIVERY,
    POSTED,
    REFERENCE,
    Paced,
    Workspace,
    bot,
    failed,
)

OK = Answer(200, {"ok": True})
DIGEST = Earlier(f"{BEFORE.reference}+")
ALONE = "nothing was said of this here before, so it is a message of its own"


@pytest.fixture
def vendor() -> Iterator[VendorServer]:
    with Workspace(POSTED) as server:
        yield server


def message(earlier: Earlier | None = BEFORE, **fields: Any) -> PostMessage:
    said = {"channel": "#sales", "text": "refunded", "thread_of": "transaction", **fields}
    return PostMessage.model_validate(said).for_delivery(DELIVERY, earlier=earlier)


def change(earlier: Earlier | None = BEFORE, **fields: Any) -> UpdateMessage:
    said = {"channel": "#sales", "text": "refunded", "update_of": "transaction", **fields}
    return UpdateMessage.model_validate(said).for_delivery(DELIVERY, earlier=earlier)


def reaction(earlier: Earlier | None = BEFORE, emoji: str = "tada") -> AddReaction:
    item = AddReaction(channel="#sales", reaction_to="transaction", emoji=emoji)
    return item.for_delivery(DELIVERY, earlier=earlier)


def done(vendor: VendorServer, item: PostMessage | UpdateMessage | AddReaction) -> Outcome:
    slack = Slack(bot(vendor.url))
    if isinstance(item, UpdateMessage):
        return slack.update_message([item])[0]
    if isinstance(item, AddReaction):
        return slack.add_reaction([item])[0]
    return slack.post_message([item])[0]


def paths(vendor: VendorServer) -> list[str]:
    return [request.path.removeprefix("/api/") for request in vendor.requests]


# Threads


def test_a_refund_answers_in_the_thread_of_its_purchase(vendor: VendorServer) -> None:
    assert done(vendor, message()) == Delivered(REFERENCE)
    [request] = vendor.requests
    assert request.body["channel"] == "C0123456789"
    assert request.body["thread_ts"] == "1600000000.000100"
    assert "reply_broadcast" not in request.body


def test_an_answer_can_be_shown_in_the_channel_too(vendor: VendorServer) -> None:
    done(vendor, message(broadcast=True))
    assert vendor.requests[0].body["reply_broadcast"] is True


@pytest.mark.parametrize("earlier", [None, Earlier("1600000000.000100"), Earlier("?")])
def test_where_nothing_was_said_before_a_message_stands_by_itself(
    vendor: VendorServer, earlier: Earlier | None
) -> None:
    assert done(vendor, message(earlier, broadcast=True)) == Delivered(REFERENCE, remark=ALONE)
    body = vendor.requests[0].body
    assert body["channel"] == "#sales"
    assert not {"thread_ts", "reply_broadcast"} & set(body)


def test_a_message_that_follows_nothing_has_no_remark(vendor: VendorServer) -> None:
    assert done(vendor, message(None, thread_of=None)) == Delivered(REFERENCE)


@pytest.mark.parametrize(
    "code", ["cannot_reply_to_message", "restricted_action_thread_locked", "thread_not_found"]
)
def test_where_nobody_can_answer_a_message_stands_by_itself(
    vendor: VendorServer, code: str
) -> None:
    vendor.script(failed(code), POSTED)
    outcome = done(vendor, message())
    assert isinstance(outcome, Delivered)
    assert "takes no answers" in outcome.remark
    assert "thread_ts" not in vendor.requests[1].body


LEFT = pytest.mark.parametrize("code", ["channel_not_found", "is_archived", "not_in_channel"])


@LEFT
@pytest.mark.parametrize("follows", [message, change])
def test_where_the_channel_was_replaced_the_new_one_of_that_name_is_told(
    vendor: VendorServer, code: str, follows: Callable[[], PostMessage | UpdateMessage]
) -> None:
    vendor.script(failed(code), POSTED)
    assert isinstance(done(vendor, follows()), Delivered)
    assert [request.body["channel"] for request in vendor.requests] == ["C0123456789", "#sales"]


@LEFT
def test_where_the_channel_itself_is_closed_that_is_said(vendor: VendorServer, code: str) -> None:
    vendor.script(failed(code))
    outcome = done(vendor, message())
    assert isinstance(outcome, Rejected)
    assert code in outcome.reason


def test_a_thread_can_be_that_of_a_message_about_many(vendor: VendorServer) -> None:
    done(vendor, message(DIGEST))
    assert vendor.requests[0].body["thread_ts"] == "1600000000.000100"


# Changes


def test_a_message_is_changed_as_a_whole_and_read_by_nobody_anew(vendor: VendorServer) -> None:
    assert done(vendor, change(text="refunded")) == Delivered(BEFORE.reference)
    [request] = vendor.requests
    assert request.path == "/api/chat.update"
    assert request.body == {
        "channel": "C0123456789",
        "ts": "1600000000.000100",
        "text": "refunded",
        "blocks": [],
        "parse": "none",
        "link_names": False,
    }


def test_a_long_text_of_a_change_is_cut_to_what_slack_takes_there(vendor: VendorServer) -> None:
    done(vendor, change(text="word " * 10_000))
    assert len(vendor.requests[0].body["text"]) <= 4_000


@pytest.mark.parametrize(
    "code", ["message_not_found", "cant_update_message", "edit_window_closed", "block_mismatch"]
)
def test_what_cannot_be_changed_any_more_is_told_anew(vendor: VendorServer, code: str) -> None:
    vendor.script(failed(code), POSTED)
    outcome = done(vendor, change())
    assert isinstance(outcome, Delivered)
    assert outcome.reference == REFERENCE
    assert "cannot be changed any more" in outcome.remark
    assert paths(vendor) == ["chat.update", "chat.postMessage"]
    assert vendor.requests[1].body["metadata"]["event_payload"] == {"delivery_id": DELIVERY}


def test_where_nothing_was_said_before_a_change_is_a_message(vendor: VendorServer) -> None:
    assert done(vendor, change(None)) == Delivered(REFERENCE, remark=ALONE)
    assert paths(vendor) == ["chat.postMessage"]


def test_a_message_about_many_is_answered_and_never_changed(vendor: VendorServer) -> None:
    done(vendor, change(DIGEST))
    assert paths(vendor) == ["chat.postMessage"]
    assert vendor.requests[0].body["thread_ts"] == "1600000000.000100"


@pytest.mark.parametrize("reply", [Silence.DROP, Answer(502), failed("internal_error")])
def test_a_change_of_unknown_outcome_is_made_again(vendor: VendorServer, reply: Reply) -> None:
    vendor.script(reply)
    assert isinstance(done(vendor, change()), Retry)


def test_a_message_told_anew_may_be_there_already(vendor: VendorServer) -> None:
    vendor.script(failed("message_not_found"), Silence.DROP)
    assert isinstance(done(vendor, change()), Unknown)


def test_a_change_that_slack_refuses_is_rejected(vendor: VendorServer) -> None:
    vendor.script(failed("is_inactive"))
    outcome = done(vendor, change())
    assert outcome == Rejected("Slack refuses this (is_inactive): #sales is archived")


# Reactions


def test_a_reaction_goes_below_the_message(vendor: VendorServer) -> None:
    vendor.script(OK)
    assert done(vendor, reaction()) == Delivered(BEFORE.reference)
    [request] = vendor.requests
    assert request.path == "/api/reactions.add"
    assert request.body == {
        "channel": "C0123456789",
        "timestamp": "1600000000.000100",
        "name": "tada",
    }


def test_a_reaction_that_is_there_is_done(vendor: VendorServer) -> None:
    vendor.script(failed("already_reacted"))
    assert done(vendor, reaction()) == Delivered(BEFORE.reference)


@pytest.mark.parametrize("earlier", [None, DIGEST])
def test_without_a_message_of_its_own_there_is_nothing_to_react_to(
    vendor: VendorServer, earlier: Earlier | None
) -> None:
    assert isinstance(done(vendor, reaction(earlier)), Suppressed)
    assert not vendor.requests


def test_a_message_that_is_gone_gets_no_reaction(vendor: VendorServer) -> None:
    vendor.script(failed("message_not_found"))
    assert isinstance(done(vendor, reaction()), Suppressed)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("invalid_name", "no such emoji"),
        ("too_many_reactions", "too often"),
        ("too_many_emoji", "different reactions"),
    ],
)
def test_a_reaction_that_slack_refuses_is_rejected(
    vendor: VendorServer, code: str, words: str
) -> None:
    vendor.script(failed(code))
    outcome = done(vendor, reaction())
    assert isinstance(outcome, Rejected)
    assert words in outcome.reason


def test_a_missing_scope_is_named(vendor: VendorServer) -> None:
    body = {"ok": False, "error": "missing_scope", "needed": "reactions:write"}
    vendor.script(Answer(200, body))
    with pytest.raises(Halted, match="add the scope `reactions:write`"):
        done(vendor, reaction())


@pytest.mark.parametrize("written", ["tada", ":tada:", " :TADA: "])
def test_an_emoji_has_one_name(written: str) -> None:
    assert reaction(emoji=written).emoji == "tada"


@pytest.mark.parametrize("written", ["", "::", "two words", "<!here>", "\U0001f389"])
def test_what_is_no_emojis_name_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="write the emoji's name"):
        reaction(emoji=written)


# One lane


def test_all_about_one_channel_share_a_lane() -> None:
    actions = Slack.actions()
    lanes = {
        lane_of("slack", actions[name], item, "")
        for name, item in {
            "post_message": message(),
            "update_message": change(),
            "add_reaction": reaction(),
        }.items()
    }
    assert lanes == {"slack.post_message:#sales"}
    assert len(actions_of("slack.post_message:#sales", Slack)) == 3


def test_no_lane_tells_an_address() -> None:
    item = PostMessage(person="Ada@example.com", text="hello")
    lane = lane_of("slack", Slack.actions()["post_message"], item, "")
    assert "ada" not in lane.casefold().removeprefix("slack.post_message:")
    again = PostMessage(person="ada@example.com", text="hello")
    assert lane == lane_of("slack", Slack.actions()["post_message"], again, "")


def test_each_method_has_a_pace_of_its_own(vendor: VendorServer) -> None:
    pacer = Paced()
    slack = Slack(bot(vendor.url), pacer)
    slack.post_message([message(), message(None)])
    slack.update_message([change()])
    slack.add_reaction([reaction()])
    assert pacer.lanes == ["#sales", "#sales", "chat.update", "reactions.add"]
    assert {rate.lane for rate in Slack.rates} > {"chat.update", "reactions.add"}


@pytest.mark.parametrize("busy", ["chat.update", "reactions.add"])
def test_what_has_to_wait_for_its_method_waits(vendor: VendorServer, busy: str) -> None:
    slack = Slack(bot(vendor.url), Paced(busy))
    outcomes: Sequence[Outcome] = (
        slack.update_message([change()]) if "update" in busy else slack.add_reaction([reaction()])
    )
    assert outcomes == [Retry(outcomes[0].reason, 9.0, limited=True)]  # type: ignore[union-attr]
    assert not vendor.requests


# People


class People(Workspace):
    """Ada is in the workspace, nobody else; posts arrive."""

    def __init__(self) -> None:
        super().__init__(handler=self.answer)

    def answer(self, request: Request) -> Reply:
        if request.path == "/api/users.lookupByEmail":
            known = request.body["email"] == "ada@example.com"
            return Answer(200, {"ok": True, "user": {"id": "U01"}}) if known else NOBODY
        if request.path == "/api/conversations.open":
            return Answer(200, {"ok": True, "channel": {"id": "D0000000001"}})
        return POSTED


NOBODY = failed("users_not_found")


@pytest.fixture
def people() -> Iterator[VendorServer]:
    with People() as server:
        yield server


def to(address: str) -> PostMessage:
    return PostMessage(person=address, text="hello").for_delivery(DELIVERY)


def test_a_person_is_written_to_by_address(people: VendorServer) -> None:
    assert done(people, to("ada@example.com")) == Delivered(REFERENCE)
    assert paths(people) == ["users.lookupByEmail", "conversations.open", "chat.postMessage"]
    assert people.requests[1].body == {"users": "U01"}
    assert people.requests[2].body["channel"] == "D0000000001"


def test_a_person_is_looked_up_once_in_some_minutes(people: VendorServer) -> None:
    now = [0.0]
    slack = Slack(bot(people.url), now=lambda: now[0])
    for seconds in (0.0, 599.0, 601.0):
        now[0] = seconds
        slack.post_message([to("ada@example.com"), to("Ada@example.com")])
    assert paths(people).count("users.lookupByEmail") == 2
    assert paths(people).count("chat.postMessage") == 6


def test_who_is_not_in_the_workspace_gets_nothing(people: VendorServer) -> None:
    outcome = done(people, to("eve@example.com"))
    assert outcome == Suppressed("nobody in this Slack workspace has this e-mail address")
    assert paths(people) == ["users.lookupByEmail"]


def test_who_was_deactivated_meanwhile_gets_nothing(vendor: VendorServer) -> None:
    found = Answer(200, {"ok": True, "user": {"id": "U01"}})
    vendor.script(found, failed("user_disabled"))
    assert isinstance(done(vendor, to("ada@example.com")), Suppressed)


@pytest.mark.parametrize(
    "reply", [Silence.DROP, Answer(503), Answer(200, "<html>hotel</html>"), failed("fatal_error")]
)
def test_a_person_who_cannot_be_looked_up_now_is_looked_up_later(
    vendor: VendorServer, reply: Reply
) -> None:
    vendor.script(reply)
    assert isinstance(done(vendor, to("ada@example.com")), Retry)


def test_the_scope_to_look_people_up_is_named(vendor: VendorServer) -> None:
    vendor.script(
        Answer(200, {"ok": False, "error": "missing_scope", "needed": "users:read.email"})
    )
    with pytest.raises(Halted, match=r"users:read\.email"):
        done(vendor, to("ada@example.com"))


def test_an_answer_to_a_person_needs_no_look_up(people: VendorServer) -> None:
    item = PostMessage(person="ada@example.com", text="hello", thread_of="transaction")
    done(people, item.for_delivery(DELIVERY, earlier=Earlier("D0000000001:1600000000.000100")))
    assert paths(people) == ["chat.postMessage"]
    assert people.requests[0].body["channel"] == "D0000000001"


def test_whoever_has_no_address_is_passed_over() -> None:
    with pytest.raises(ValueError, match="no e-mail address"):
        PostMessage(person=" ", text="hello")


def test_a_preview_tells_that_the_person_is_looked_up_first() -> None:
    calls: Sequence[Call] = Slack.actions()["post_message"].preview(
        bot("http://127.0.0.1:1"), to("ada@example.com")
    )
    assert [call.path for call in calls] == [
        "/api/users.lookupByEmail",
        "/api/conversations.open",
        "/api/chat.postMessage",
    ]
    assert [bool(call.when) for call in calls] == [True, True, False]


# Looking for what may be there


def history(*messages: Any) -> Answer:
    return Answer(200, {"ok": True, "messages": list(messages)})


def carrying(name: str) -> dict[str, Any]:
    payload = {"event_type": "showbridge_delivery", "event_payload": {"delivery_id": name}}
    return {"ts": "1700000000.000200", "metadata": payload}


def test_an_answer_is_looked_for_in_its_thread(vendor: VendorServer) -> None:
    vendor.script(history(carrying(DELIVERY)))
    found = Slack(bot(vendor.url)).find("post_message", message())
    assert found == Delivered("C0123456789:1700000000.000200")
    [request] = vendor.requests
    assert request.path == "/api/conversations.replies"
    assert request.body["ts"] == "1600000000.000100"


def test_what_is_not_in_its_thread_may_be_in_the_channel(vendor: VendorServer) -> None:
    vendor.script(history(), history(carrying(DELIVERY)))
    assert Slack(bot(vendor.url)).find("post_message", message())
    assert paths(vendor) == ["conversations.replies", "conversations.history"]


def test_a_direct_message_is_looked_for_where_it_went(vendor: VendorServer) -> None:
    person = Answer(200, {"ok": True, "user": {"id": "U01"}})
    opened = Answer(200, {"ok": True, "channel": {"id": "D0000000001"}})
    vendor.script(person, opened, history(carrying(DELIVERY)))
    found = Slack(bot(vendor.url)).find("post_message", to("ada@example.com"))
    assert found == Delivered("D0000000001:1700000000.000200")


def test_a_digest_is_found_as_one_about_many(vendor: VendorServer) -> None:
    vendor.script(history(carrying("digest-1")))
    item = PostMessage(channel="C0123456789", text="x").for_delivery(DELIVERY, sent_as="digest-1")
    assert Slack(bot(vendor.url)).find("post_message", item) == Delivered(
        "C0123456789:1700000000.000200+"
    )
