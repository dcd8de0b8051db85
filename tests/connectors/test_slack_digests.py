"""Slack when a channel cannot keep up: its pace, and one message for many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bridge.connector import Delivered, Gist, Halted, Item, Rejected, Retry, Unknown
from bridge.testing.vendor import Answer, Silence, VendorServer
from connectors.slack import PostMessage, Slack, SlackSettings
from connectors.slack.digest import LONGEST_LINE, digest_text, plural, summary, time_in_words
from connectors.slack.limits import LONGEST_TEXT
from connectors.slack.text import cut, escape_mrkdwn, one_line
from tests.connectors.slack_workspace import HOOK, POSTED, REFERENCE, Paced, Workspace

NAME = "0123456789abcdef"


@pytest.fixture
def vendor() -> Iterator[VendorServer]:
    with Workspace(POSTED) as server:
        yield server


def bot(vendor: VendorServer) -> SlackSettings:
    return SlackSettings(bot_token=SecretStr("xoxb-secret-0001"), base_url=vendor.url)


def hook(vendor: VendorServer) -> SlackSettings:
    return SlackSettings(webhook_url=SecretStr(vendor.url + HOOK))


def purchase(amount: str | None = "111.35", currency: str = "CAD") -> Gist:
    return Gist("purchase", None if amount is None else Decimal(amount), currency)


def messages(count: int, gist: Gist | None = None, channel: str = "#sales") -> list[PostMessage]:
    items = [PostMessage(channel=channel, text=f"order {number}") for number in range(count)]
    return [
        item.for_delivery(f"delivery-{number}", sent_as=NAME, gist=gist)
        for number, item in enumerate(items)
    ]


# What the channel reads


def test_a_digest_reads_as_a_person_would_write_it() -> None:
    texts = [
        f"*{escape_mrkdwn(name)}* bought {tickets}"
        for name, tickets in [("Ada", 2), ("R&D <Lab>", 5), ("Cem", 1), ("Dot", 1), ("Eve", 3)]
    ]
    texts += ["*Fay* bought 1"] * 32
    gists = [purchase()] * 34 + [Gist("refund", Decimal("20"), "CAD")] * 3
    assert digest_text(texts, gists, 42.0) == (
        "*34 purchases, CAD 3,785.90 and 3 refunds, CAD 60.00, in the last minute*\n"
        "_This channel was behind: Slack takes one message a second, so these come together._\n"
        "• *Ada* bought 2\n"
        "• *R&amp;D &lt;Lab&gt;* bought 5\n"
        "• *Cem* bought 1\n"
        "• *Dot* bought 1\n"
        "• *Eve* bought 3\n"
        "and 32 more"
    )


def test_a_few_messages_are_all_shown() -> None:
    told = digest_text(["hello"] * 5, [None] * 5, 42.0)
    assert told.splitlines()[2:] == ["• hello"] * 5


@pytest.mark.parametrize(
    ("gists", "words"),
    [
        ([None], "1 message"),
        ([None] * 5, "5 messages"),
        ([purchase()], "1 purchase, CAD 111.35"),
        ([purchase("2060"), purchase("2060")], "2 purchases, CAD 4,120.00"),
        ([purchase("1"), purchase(None)], "2 purchases, CAD 1.00"),
        ([purchase(None)] * 1200, "1,200 purchases"),
        ([purchase("1"), purchase("2", "usd")], "2 purchases, CAD 1.00 + USD 2.00"),
        ([purchase("1250", "JPY")], "1 purchase, JPY 1,250"),
        ([purchase("1.2345", "KWD")], "1 purchase, KWD 1.235"),
        ([purchase("3", "")], "1 purchase, 3.00"),
        ([purchase("NaN"), purchase("1E+99")], "2 purchases"),
        ([purchase("-5")], "1 purchase, CAD -5.00"),
        ([purchase(None), None], "1 purchase and 1 other message"),
        (
            [purchase(None), Gist("refund"), Gist("entry"), Gist("entry"), None, None],
            "1 purchase, 1 refund, 2 entries and 2 other messages",
        ),
        ([purchase(None, "CAD"), Gist("<!here>")], "1 purchase and 1 &lt;!here&gt;"),
        ([purchase("1", "<!h")], "1 purchase, &lt;!H 1.00"),
        ([Gist(" ")], "1 message"),
    ],
)
def test_what_came_is_summed_up(gists: Sequence[Gist | None], words: str) -> None:
    assert summary(gists) == words


@pytest.mark.parametrize(
    ("one", "many"),
    [("purchase", "purchases"), ("entry", "entries"), ("day", "days"), ("pass", "passes")],
)
def test_many_of_a_kind(one: str, many: str) -> None:
    assert plural(one) == many


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "in the last minute"),
        (62, "in the last minute"),
        (89, "in the last minute"),
        (90, "in the last 2 minutes"),
        (12 * 60, "in the last 12 minutes"),
        (60 * 60, "in the last hour"),
        (75 * 60, "in the last 75 minutes"),
        (90 * 60, "in the last 2 hours"),
        (3 * 60 * 60, "in the last 3 hours"),
        (35 * 60 * 60, "in the last 35 hours"),
        (36 * 60 * 60, "in the last 2 days"),
        (72 * 60 * 60, "in the last 3 days"),
    ],
)
def test_the_time_is_told_as_a_person_would(seconds: float, words: str) -> None:
    assert time_in_words(seconds) == words


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("one\n\ntwo\tthree", "one two three"),
        ("before ```code``` after", "before code after"),
        ("twenty characters ok", "twenty characters ok"),
        ("words that are too many", "words that are too…"),
        ("exactly twenty chars more", "exactly twenty…"),
        ("averyveryverylongwordindeed", "averyveryverylongwo…"),
        ("R&amp;D &amp; &amp; &lt;Lab", "R&amp;D &amp; &amp;…"),
        ("&amp;&amp;&amp;&amp;&amp;&amp;", "&amp;&amp;&amp;…"),
        ("see <https://x.yz|my order> now", "see…"),
        ("<https://x.yz|a b>, and more", "<https://x.yz|a b>,…"),
        ("see <https://x.yz/" + "x" * 120 + "|the order>", "see the order"),
    ],
)
def test_a_line_is_cut_after_a_word_and_nothing_is_cut_apart(text: str, line: str) -> None:
    assert one_line(text, 20) == line


pieces = st.sampled_from(
    ["word", " ", "&amp;", "&lt;", "<https://x.yz/1|my order>", "<@U1>", "\n", "é", "x" * 30]
)


@given(st.lists(pieces, max_size=40).map("".join), st.integers(1, 80))
def test_whatever_is_cut_stays_whole_and_short(text: str, longest: int) -> None:
    for short in (cut(text, longest), one_line(text, longest)):
        assert len(short) <= longest
        kept = short.removesuffix("…")
        assert kept.count("<") == kept.count(">")
        assert kept.count("&") == kept.count(";")


def test_two_hundred_long_messages_are_one_short_one() -> None:
    told = digest_text(["x " * LONGEST_TEXT] * 200, [None] * 200, 42.0)
    assert all(len(line) <= LONGEST_LINE + 2 for line in told.splitlines())
    assert told.endswith("and 195 more")


# What is sent


def test_many_messages_are_posted_as_one(vendor: VendorServer) -> None:
    items = messages(37, purchase())
    assert Slack(bot(vendor)).post_digest(items, 42.0) == Delivered(f"{REFERENCE}+")
    [request] = vendor.requests
    assert request.body == {
        "channel": "#sales",
        "text": digest_text([item.text for item in items], [purchase()] * 37, 42.0),
        "unfurl_links": False,
        "unfurl_media": False,
        "metadata": {
            "event_type": "showbridge_delivery",
            "event_payload": {"delivery_id": NAME},
        },
    }


def test_a_digest_is_found_by_each_of_its_items(vendor: VendorServer) -> None:
    slack, items = Slack(bot(vendor)), messages(3)
    slack.post_digest(items, 42.0)
    posted = {**vendor.requests[0].body, "ts": "1700000000.000100"}
    vendor.script(Answer(200, {"ok": True, "messages": [posted]}))
    assert {slack.find("post_message", item) for item in items} == {Delivered(f"{REFERENCE}+")}


def test_a_webhook_gets_the_digest_too(vendor: VendorServer) -> None:
    vendor.script(Answer(200, "ok"))
    assert Slack(hook(vendor)).post_digest(messages(9, purchase()), 42.0) == Delivered()
    [request] = vendor.requests
    assert request.path == HOOK
    assert request.body["text"].startswith("*9 purchases, CAD 1,002.15, in the last minute*")


@pytest.mark.parametrize("settings", [bot, hook])
def test_the_preview_of_a_digest_tells_what_is_sent(vendor: VendorServer, settings: Any) -> None:
    digest = Slack.actions()["post_message"].digest
    assert digest is not None
    items, account = messages(37, purchase()), settings(vendor)
    [call] = digest.preview(account, items, 42.0)
    getattr(Slack(account), digest.method)(items, 42.0)
    [request] = vendor.requests
    assert (call.method, call.body) == (request.method, request.body)
    assert "secret" not in str(call)


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (Answer(200, {"ok": False, "error": "is_archived"}), Rejected),
        (Answer(429, {}, {"Retry-After": "3"}), Retry),
        (Silence.DROP, Unknown),
    ],
)
def test_a_digest_can_fail_like_any_message(
    vendor: VendorServer, reply: Any, outcome: type
) -> None:
    vendor.script(reply)
    assert isinstance(Slack(bot(vendor)).post_digest(messages(3), 42.0), outcome)


def test_a_digest_halts_with_the_account() -> None:
    with pytest.raises(Halted):
        Slack(SlackSettings()).post_digest(messages(3), 42.0)


# The pace


def test_messages_are_paced_by_their_channel(vendor: VendorServer) -> None:
    pacer = Paced()
    slack = Slack(bot(vendor), pacer)
    slack.post_message([*messages(1, channel="#sales"), *messages(1, channel="#vip")])
    slack.post_digest(messages(2, channel="#late"), 42.0)
    assert pacer.lanes == ["#sales", "#vip", "#late"]


def test_a_webhook_has_one_pace_whatever_channels_the_rules_name(vendor: VendorServer) -> None:
    vendor.script(Answer(200, "ok"))
    pacer = Paced()
    slack = Slack(hook(vendor), pacer)
    slack.post_message([*messages(1, channel="#sales"), *messages(1, channel="#vip")])
    assert len(set(pacer.lanes)) == 1


def test_a_channel_that_has_to_wait_holds_up_no_other(vendor: VendorServer) -> None:
    slack = Slack(bot(vendor), Paced("#sales"))
    waits, goes = slack.post_message([*messages(1), *messages(1, channel="#vip")])
    assert isinstance(waits, Retry)
    assert (waits.after, waits.limited, waits.whole_account) == (9.0, True, False)
    assert isinstance(goes, Delivered)
    assert len(vendor.requests) == 1


def test_a_digest_waits_like_a_message(vendor: VendorServer) -> None:
    outcome = Slack(bot(vendor), Paced("#sales")).post_digest(messages(3), 42.0)
    assert isinstance(outcome, Retry)
    assert outcome.limited
    assert not vendor.requests


def looked_up(vendor: VendorServer, pacer: Paced, item: Item) -> Any:
    channels = {"ok": True, "channels": [{"id": "C0123456789", "name": "sales"}]}
    vendor.script(Answer(200, channels), Answer(200, {"ok": True, "messages": []}))
    return Slack(bot(vendor), pacer).find("post_message", item)


def test_looking_up_takes_no_turn_of_the_channels(vendor: VendorServer) -> None:
    pacer = Paced("#sales")
    assert looked_up(vendor, pacer, messages(1)[0]) is None
    assert pacer.lanes == ["conversations.list", "conversations.history"]


@pytest.mark.parametrize("busy", ["conversations.list", "conversations.history"])
def test_a_look_up_that_has_to_wait_is_made_later(vendor: VendorServer, busy: str) -> None:
    outcome = looked_up(vendor, Paced(busy), messages(1)[0])
    assert isinstance(outcome, Retry)
    assert (outcome.after, outcome.limited, outcome.whole_account) == (9.0, True, False)
