"""How Slack's messages look: layouts, own blocks, and what is cut where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.connector import Delivered
from bridge.testing.vendor import VendorServer
from connectors.slack import PostMessage, Slack
from connectors.slack.text import ELLIPSIS, bearable, cut, escape_mrkdwn, length, url
from tests.connectors.slack_workspace import POSTED, Workspace, bot

EVENT: Mapping[str, Any] = {
    "event": {
        "source": "showpass",
        "type": "invoice.purchase",
        "time": "2027-03-09T16:45:00+00:00",
    },
    "contact": {"name": "Ada & Co", "email": "ada@example.com"},
    "order": {"id": "7c", "total": "236.25", "currency": "CAD"},
    "tickets": [
        {"type": "VIP", "event_name": "R&D Night"},
        {"type": "Regular", "event_name": "R&D Night"},
    ],
}
SHARE: Mapping[str, Any] = {
    "event": {"source": "showpad", "type": "shared-space-user-added"},
    "contact": {"email": "priya@example.com"},
    "space": {"name": "Spring"},
    "inviter": {"email": "marc@example.org"},
    "invitee": {"email": "priya@example.com"},
}


@pytest.fixture
def vendor() -> Iterator[VendorServer]:
    with Workspace(POSTED) as server:
        yield server


def sent(
    vendor: VendorServer, event: Mapping[str, Any] | None = None, **fields: Any
) -> Mapping[str, Any]:
    """The body of the message that is posted for these fields."""
    item = PostMessage.model_validate({"channel": "#sales", **fields})
    [outcome] = Slack(bot(vendor.url)).post_message([item.for_delivery("d", event=event)])
    assert isinstance(outcome, Delivered)
    body: Mapping[str, Any] = vendor.requests[-1].body
    return body


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def test_a_layout_needs_nothing_but_its_name(vendor: VendorServer) -> None:
    body = sent(vendor, EVENT, layout="purchase")
    header, fields, context = body["blocks"]
    title = "Ada & Co bought 2 tickets"
    assert header == {"type": "header", "text": {"type": "plain_text", "text": title}}
    assert fields["fields"] == [
        mrkdwn("*Total*\nCAD 236.25"),
        mrkdwn("*Event*\nR&amp;D Night"),
        mrkdwn("*Tickets*\nVIP, Regular"),
        mrkdwn("*Order*\n7c"),
    ]
    assert context["elements"] == [
        mrkdwn("showpass"),
        mrkdwn("<!date^1804610700^{date_short_pretty}, {time}|2027-03-09 16:45 UTC>"),
    ]
    assert body["text"].startswith("Ada &amp; Co bought 2 tickets\n*Total*\nCAD 236.25")
    assert "<!date" not in body["text"]


@pytest.mark.parametrize(
    ("layout", "event", "title", "fields"),
    [
        ("refund", EVENT, "Refund: Ada & Co", ["Total", "Event", "Tickets", "Order"]),
        ("share", SHARE, "Shared Space: Spring", ["Invited", "By"]),
        ("course", SHARE, "Course finished: without a name", ["Who"]),
        ("purchase", {}, "Someone bought", []),
    ],
)
def test_each_layout_says_what_it_is_about(
    vendor: VendorServer, layout: str, event: Mapping[str, Any], title: str, fields: list[str]
) -> None:
    blocks = sent(vendor, event, layout=layout)["blocks"]
    assert blocks[0]["text"]["text"] == title
    shown = [field["text"] for block in blocks for field in block.get("fields", ())]
    assert [text.split("*")[1] for text in shown] == fields


def test_what_the_rule_says_takes_the_place_of_what_the_layout_would(vendor: VendorServer) -> None:
    body = sent(
        vendor,
        EVENT,
        layout="purchase",
        title="Sold: R&amp;D",
        text="_well done_",
        fields={"Who": "Ada", "Nothing": " "},
        footer="Winter",
        button={"text": "Open &amp; see", "url": "https://app.example.com/1?a=1&amp;b=2"},
    )
    header, text, fields, actions, context = body["blocks"]
    assert header["text"]["text"] == "Sold: R&D"
    assert text["text"] == mrkdwn("_well done_")
    assert fields["fields"] == [mrkdwn("*Who*\nAda")]
    [button] = actions["elements"]
    assert button["text"] == {"type": "plain_text", "text": "Open & see"}
    assert button["url"] == "https://app.example.com/1?a=1&b=2"
    assert context["elements"][0]["text"] == "Winter"
    assert body["text"] == "_well done_"


def test_the_name_of_a_source_is_escaped_too(vendor: VendorServer) -> None:
    event = {"event": {"source": "R&D <shop>"}}
    [_, context] = sent(vendor, event, title="Sold")["blocks"]
    assert context["elements"] == [mrkdwn("R&amp;D &lt;shop&gt;")]


def test_a_button_can_be_a_plain_link(vendor: VendorServer) -> None:
    button = {"text": "A|B", "url": "https://app.example.com/?a=1&amp;b=|", "as_link": True}
    [section] = sent(vendor, title="Sold", button=button)["blocks"][-1:]
    assert section["text"]["text"] == "<https://app.example.com/?a=1&amp;b=%7C|A¦B>"


@pytest.mark.parametrize(
    "address",
    ["", "app.example.com", "javascript:alert(1)", "https://", "https://a@b.example/", "x" * 4000],
)
def test_what_is_no_web_address_makes_no_button(vendor: VendorServer, address: str) -> None:
    body = sent(vendor, title="Sold", button={"url": address})
    assert [block["type"] for block in body["blocks"]] == ["header"]


def test_only_ten_fields_are_shown(vendor: VendorServer) -> None:
    body = sent(vendor, title="Sold", fields={f"L{n}": "x" for n in range(20)})
    assert len(body["blocks"][1]["fields"]) == 10


def test_long_values_make_a_message_that_slack_takes_whole(vendor: VendorServer) -> None:
    long = "\U0001f3ab word &amp; " * 10_000
    body = sent(
        vendor,
        title=long,
        text=long,
        fields={f"{n} {long}": long for n in range(12)},
        footer=long,
        button={"text": long, "url": "https://example.com/1"},
    )
    assert [block["type"] for block in body["blocks"]] == [
        "header",
        "section",
        "section",
        "actions",
        "context",
    ]
    assert body["blocks"][0]["text"]["text"].endswith("word &…")


# Own blocks

OWN: list[dict[str, Any]] = [
    {"type": "header", "text": {"type": "plain_text", "text": "R&amp;D"}},
    {"type": "divider"},
    {
        "type": "section",
        "text": {"type": "mrkdwn", "text": "R&amp;D"},
        "accessory": {"type": "image", "image_url": "https://e.com/?a&amp;b", "alt_text": "&lt;"},
    },
    {"type": "context", "elements": [{"type": "mrkdwn", "text": "x", "verbatim": True}]},
    {
        "type": "rich_text",
        "elements": [
            {"type": "rich_text_section", "elements": [{"type": "text", "text": "R&amp;D"}]}
        ],
    },
]


def test_own_blocks_are_sent_with_values_as_each_place_needs_them(vendor: VendorServer) -> None:
    body = sent(vendor, blocks=OWN)
    header, divider, section, context, rich = body["blocks"]
    assert header["text"]["text"] == "R&D"
    assert divider == {"type": "divider"}
    assert section["text"] == mrkdwn("R&amp;D")
    assert section["accessory"]["image_url"] == "https://e.com/?a&b"
    assert section["accessory"]["alt_text"] == "<"
    assert context == OWN[3]
    assert rich["elements"][0]["elements"][0]["text"] == "R&D"
    assert body["text"] == "R&amp;D\nR&amp;D\nx"


def test_what_is_empty_in_own_blocks_is_left_out(vendor: VendorServer) -> None:
    empty = {"type": "mrkdwn", "text": " "}
    button = {"type": "button", "text": {"type": "plain_text", "text": "x"}, "url": "nothing"}
    blocks = [
        {"type": "section", "text": empty},
        {"type": "section", "text": empty, "fields": [empty, mrkdwn("kept")]},
        {"type": "actions", "elements": [button]},
        {"type": "image", "image_url": "", "alt_text": "x"},
        {"type": "context", "elements": [empty]},
    ]
    assert sent(vendor, blocks=blocks)["blocks"] == [
        {"type": "section", "fields": [mrkdwn("kept")]}
    ]


def test_own_blocks_of_which_nothing_is_left_are_a_text(vendor: VendorServer) -> None:
    body = sent(vendor, blocks=[{"type": "image", "image_url": "", "alt_text": "x"}])
    assert body["text"] == "A message without text"
    assert "blocks" not in body


def test_fifty_long_blocks_fit(vendor: VendorServer) -> None:
    long = {"type": "section", "text": {"type": "mrkdwn", "text": "word " * 600}}
    assert len(sent(vendor, blocks=[long] * 50)["blocks"]) == 50


def test_blocks_that_never_fit_end_early(vendor: VendorServer) -> None:
    image = {"type": "image", "image_url": "https://e.com/" + "x" * 2900, "alt_text": "x"}
    assert len(sent(vendor, blocks=[image] * 50)["blocks"]) == 3


@pytest.mark.parametrize(
    ("block", "place", "words"),
    [
        ({}, (0, "type"), "must be one of: header"),
        ({"type": "markdown", "text": "x"}, (0, "type"), "must be one of"),
        ({"type": ["section"]}, (0, "type"), "must be one of"),
        ({"type": "section"}, (0,), "must have `text` or `fields`"),
        ({"type": "section", "txt": "x", "text": mrkdwn("x")}, (0, "txt"), "is not known"),
        ({"type": "section", "text": "x"}, (0, "text"), "must have `type: mrkdwn or plain_text`"),
        ({"type": "header", "text": mrkdwn("x")}, (0, "text"), "must have `type: plain_text`"),
        ({"type": "section", "fields": []}, (0, "fields"), "at least one"),
        ({"type": "section", "fields": [mrkdwn("x")] * 11}, (0, "fields"), "at most 10"),
        ({"type": "context", "elements": [mrkdwn("x")] * 11}, (0, "elements"), "at most 10"),
        ({"type": "context", "elements": "x"}, (0, "elements"), "must be a list"),
        ({"type": "section", "text": {"type": "mrkdwn"}}, (0, "text"), "must have `text`"),
        ({"type": "section", "text": mrkdwn(7)}, (0, "text", "text"), "must be text"),  # type: ignore[arg-type]
        ({"type": "actions", "elements": [{"type": "datepicker"}]}, (0, "elements", 0), "a button"),
        (
            {"type": "actions", "elements": [{"type": "button", "text": mrkdwn("x")}]},
            (0, "elements", 0),
            "must have `url`",
        ),
        ({"type": "image", "image_url": "https://e.com"}, (0,), "must have `alt_text`"),
        ({"type": "rich_text"}, (0,), "must have `elements`"),
        ({"type": "divider", "text": "x"}, (0, "text"), "is not known"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_the_mistakes_in_own_blocks_are_told_where_they_are(
    block: Mapping[str, Any], place: tuple[str | int, ...], words: str
) -> None:
    with pytest.raises(ValidationError) as raised:
        PostMessage(channel="#sales", blocks=[dict(block)])
    found = {tuple(each["loc"]): each["msg"] for each in raised.value.errors()}
    assert words in found["blocks", *place]


def test_there_are_fifty_blocks_at_most() -> None:
    with pytest.raises(ValidationError, match="at most 50 blocks"):
        PostMessage(channel="#sales", blocks=[{"type": "divider"}] * 51)


@pytest.mark.parametrize("fields", [{"layout": "plain"}, {"text": " "}, {"fields": {"A": " "}}])
def test_a_message_that_says_nothing_is_skipped(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="the message is empty for this event"):
        PostMessage.model_validate({"channel": "#sales", **fields})


def test_a_stored_item_is_the_same_item() -> None:
    """The ledger keeps items as JSON."""
    item = PostMessage.model_validate(
        {"channel": "#a", "layout": "plain", "title": "x", "button": {"url": "https://e.com"}}
    )
    assert PostMessage.model_validate(item.model_dump(mode="json")) == item


# Cutting

FAMILY = "\U0001f468‍\U0001f469‍\U0001f467"
FLAG = "\U0001f1e9\U0001f1ea"
THUMB = "\U0001f44d\U0001f3fd"
whole = st.sampled_from(
    [FAMILY, FLAG, THUMB, "e\u0301", "&amp;", "&lt;", "<https://e.com|a b>", ":tada:", "word", " "]
)


@given(st.lists(whole, max_size=60), st.integers(1, 60))
def test_nothing_that_belongs_together_is_cut_apart(pieces: list[str], longest: int) -> None:
    text = "".join(pieces)
    short = cut(text, longest)
    assert length(short) <= longest
    if short != text:
        kept = short.removesuffix(ELLIPSIS)
        assert short.endswith(ELLIPSIS)
        assert text.startswith(kept)
        ends = {len("".join(pieces[:n]).rstrip()) for n in range(len(pieces) + 1)}
        assert len(kept) in ends or kept[-1:].isalpha()


@given(st.text(max_size=300), st.integers(0, 100))
def test_any_text_is_cut_to_its_length(text: str, longest: int) -> None:
    assert length(cut(text, longest)) <= max(longest, 0)
    assert length(cut(escape_mrkdwn(text), longest)) <= max(longest, 0)


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("a word too many", "a word too…"),
        ("a wordthatislongerthanall", "a wordthatislonge…"[:11] + "…"),
        ("aaaaaaaaaa" + FAMILY, "aaaaaaaaaa…"),
        ("aaaaaaaaaae\u0301\u0301", "aaaaaaaaaa…"),
        ("aaaaaaaaaa\U0001f600x", "aaaaaaaaaa…"),
        ("aaaaaaaa&amp;b", "aaaaaaaa…"),
    ],
)
def test_texts_are_cut_after_a_word_or_a_whole_character(text: str, short: str) -> None:
    assert cut(text, 12) == short


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("a\0b\x1b[31m", "ab[31m"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("\u202eevil\u202c \u2066x\u2069", "evil x"),
        ("\ud800", "\ufffd"),
        ("שלום\u200f " + FAMILY, "שלום\u200f " + FAMILY),
    ],
)
def test_what_hides_or_turns_other_text_is_taken_out(text: str, clean: str) -> None:
    assert bearable(text) == clean


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://e.com/a b?q=é", "https://e.com/a%20b?q=%C3%A9"),
        ("https://e.com:8080/?a&amp;b", "https://e.com:8080/?a&b"),
        ("https://e.com/%20", "https://e.com/%20"),
        ('https://e.com/"&gt;&lt;', "https://e.com/%22%3E%3C"),
        ("https://good.example@evil.example/", ""),
        ("ftp://e.com", ""),
    ],
)
def test_an_address_is_made_one_that_slack_takes(text: str, address: str) -> None:
    assert url(text) == address
