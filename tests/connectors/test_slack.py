"""Slack through its own SDK, against a server on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from bridge.connector import Action, Delivered, Earlier, Halted, Outcome, Rejected, Retry, Unknown
from bridge.testing.vendor import Answer, Reply, Request, Silence, VendorServer, closed_url
from connectors.slack import PostMessage, Slack, SlackSettings
from connectors.slack.limits import LONGEST_TEXT
from connectors.slack.text import escape_mrkdwn
from tests.connectors.slack_workspace import (
    BEFORE,
    DELIVERY,
    HOOK,
    POSTED,
    REFERENCE,
    TOKEN,
    SlackConformance,
    Workspace,
    bot,
    failed,
    hook,
)


@pytest.fixture
def vendor() -> Iterator[VendorServer]:
    with Workspace(POSTED) as server:
        yield server


def message(text: str = "hello", channel: str = "#vip-sales") -> PostMessage:
    return PostMessage(channel=channel, text=text)


def post(settings: SlackSettings, item: PostMessage | None = None) -> Outcome:
    [outcome] = Slack(settings).post_message([item or message()])
    return outcome


ITEMS: Mapping[str, Mapping[str, Any]] = {
    "post_message": {"channel": "#vip-sales", "text": "*Ada* bought 2 tickets"},
    "update_message": {
        "channel": "#vip-sales",
        "update_of": "transaction",
        "layout": "refund",
        "title": "Refunded",
        "fields": {"Total": "12.00"},
        "button": {"text": "Open", "url": "https://example.com/1"},
    },
    "add_reaction": {"channel": "#vip-sales", "reaction_to": "transaction", "emoji": "tada"},
    "post_daily_digest": {
        "channel": "#vip-sales",
        "group_by": "Winter Jazz",
        "amount": "12.00",
        "currency": "CAD",
    },
}


class TestBotConformance(SlackConformance):
    connector = Slack
    unauthorised = failed("invalid_auth")
    throttled = failed("ratelimited", 429, {"Retry-After": "30"})

    def settings(self, base_url: str, timeout: float) -> SlackSettings:
        return bot(base_url, timeout)

    def item(self, action: str) -> Mapping[str, Any]:
        return ITEMS[action]

    def refused_item(self, action: str) -> Mapping[str, Any]:
        refused = {"emoji": "no-such"} if action == "add_reaction" else {"channel": "#no-such"}
        return {**ITEMS[action], **refused}

    def earlier(self, action: str) -> Earlier | None:
        return BEFORE if action == "add_reaction" else None

    def vendor(self, action: str, request: Request) -> Reply:
        if request.path == "/api/reactions.add":
            return (
                failed("invalid_name") if "no-such" in str(request) else Answer(200, {"ok": True})
            )
        if request.path != "/api/chat.postMessage":
            return failed("missing_scope")
        return failed("channel_not_found") if "no-such" in str(request) else POSTED


class TestAnsweringConformance(TestBotConformance):
    """What is there already is answered in its thread, changed, or reacted to."""

    harmless_first = frozenset({"update_message"})

    def refused_item(self, action: str) -> Mapping[str, Any]:
        refused = {"emoji": "no-such"} if action == "add_reaction" else {"title": "no-such"}
        return {**self.item(action), **refused}

    def item(self, action: str) -> Mapping[str, Any]:
        thread = {"thread_of": "transaction", "broadcast": True}
        return {**ITEMS[action], **(thread if action == "post_message" else {})}

    def earlier(self, action: str) -> Earlier | None:
        return BEFORE

    def vendor(self, action: str, request: Request) -> Reply:
        if "no-such" in str(request):
            return failed("invalid_name" if action == "add_reaction" else "invalid_blocks")
        return POSTED if "history" not in request.path else failed("missing_scope")

    def test_a_preview_tells_the_requests_that_a_new_item_makes(self) -> None:
        """Without those that are made only where Slack does not take the first."""
        for action in self._actions():
            with self._serving(action) as (connector, server):
                item = self._item(action)
                told = [one for one in action.preview(connector.settings, item) if not one.when]
                assert len(told) == 1
                getattr(connector, action.name)([item])
                [request] = server.requests
                assert (told[0].path, told[0].body) == (request.path, request.body)


class TestPersonConformance(TestBotConformance):
    """Direct messages, to the person with an address."""

    harmless_first = frozenset({"post_message", "update_message", "post_daily_digest"})

    def item(self, action: str) -> Mapping[str, Any]:
        fields = {name: value for name, value in ITEMS[action].items() if name != "channel"}
        return {**fields, "person": "ada@example.com"}

    def refused_item(self, action: str) -> Mapping[str, Any]:
        refused = {"emoji": "no-such"} if action == "add_reaction" else {"title": "no-such"}
        return {**self.item(action), **refused}

    def vendor(self, action: str, request: Request) -> Reply:
        if "no-such" in str(request):
            return failed("invalid_name" if action == "add_reaction" else "invalid_blocks")
        if request.path == "/api/users.lookupByEmail":
            return Answer(200, {"ok": True, "user": {"id": "U0000000001"}})
        if request.path == "/api/conversations.open":
            return Answer(200, {"ok": True, "channel": {"id": "D0000000001"}})
        return POSTED


class TestWebhookConformance(SlackConformance):
    connector = Slack
    unauthorised = Answer(403, "invalid_token")

    def settings(self, base_url: str, timeout: float) -> SlackSettings:
        return hook(base_url, timeout)

    def _actions(self) -> list[Action]:
        """A webhook URL can do no other."""
        return [one for one in super()._actions() if one.name.startswith("post_")]

    def item(self, action: str) -> Mapping[str, Any]:
        return ITEMS[action]

    def refused_item(self, action: str) -> Mapping[str, Any]:
        return {**ITEMS[action], "title": "refused"}

    def vendor(self, action: str, request: Request) -> Reply:
        return Answer(400, "invalid_payload") if "refused" in str(request) else Answer(200, "ok")


def test_a_message_carries_its_delivery_id(vendor: VendorServer) -> None:
    outcome = post(bot(vendor.url), message().for_delivery(DELIVERY))
    assert outcome == Delivered(REFERENCE)
    [request] = vendor.requests
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.body == {
        "channel": "#vip-sales",
        "text": "hello",
        "unfurl_links": False,
        "unfurl_media": False,
        "metadata": {
            "event_type": "showbridge_delivery",
            "event_payload": {"delivery_id": DELIVERY},
        },
    }


def test_a_message_is_found_by_the_name_that_it_was_sent_as(vendor: VendorServer) -> None:
    item = message().for_delivery(DELIVERY, sent_as="another")
    post(bot(vendor.url), item)
    payload = vendor.requests[0].body["metadata"]["event_payload"]
    assert payload == {"delivery_id": "another"}
    vendor.script(history(posted("another")))
    channel = item.model_copy(update={"channel": "C0123456789"})
    assert isinstance(Slack(bot(vendor.url)).find("post_message", channel), Delivered)


def test_what_comes_from_outside_can_neither_mention_nor_link() -> None:
    escape = PostMessage.escape
    assert escape is escape_mrkdwn
    assert escape("<!channel> <@U1> <https://evil.example|Pay> R&D") == (
        "&lt;!channel&gt; &lt;@U1&gt; &lt;https://evil.example|Pay&gt; R&amp;D"
    )


def test_what_the_rule_says_stays(vendor: VendorServer) -> None:
    post(bot(vendor.url), message("*bold* <https://example.com|here>"))
    assert vendor.requests[0].body["text"] == "*bold* <https://example.com|here>"


def test_a_long_text_is_cut_and_no_escaped_character_with_it(vendor: VendorServer) -> None:
    post(bot(vendor.url), message("x" * (LONGEST_TEXT - 3) + escape_mrkdwn("&&&")))
    sent = vendor.requests[0].body["text"]
    assert sent == "x" * (LONGEST_TEXT - 3) + "…"


@pytest.mark.parametrize("text", ["", " \n", "\0"])
def test_an_empty_text_is_skipped_with_a_reason(text: str) -> None:
    with pytest.raises(ValidationError, match="the message is empty"):
        message(text)


def test_a_channel_has_a_name() -> None:
    with pytest.raises(ValidationError, match="at least 1"):
        message(channel=" ")


@pytest.mark.parametrize(
    "code",
    [
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "missing_scope",
        "not_allowed_token_type",
    ],
)
def test_a_token_that_is_refused_halts_the_account(vendor: VendorServer, code: str) -> None:
    vendor.script(failed(code))
    with pytest.raises(Halted, match=code) as caught:
        post(bot(vendor.url))
    assert caught.value.__context__ is None, "the SDK's exception holds the token"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("channel_not_found", "sees no channel #vip-sales"),
        ("not_in_channel", "not in #vip-sales"),
        ("is_archived", "#vip-sales is archived"),
        ("no_permission", "may not post in #vip-sales"),
        ("restricted_action", "does not let the bot post in #vip-sales"),
        ("msg_too_long", "too long"),
        ("no_text", "no text"),
        ("invalid_blocks", "does not take these blocks"),
        ("msg_blocks_too_long", "too long together"),
        ("invalid_arguments", "look this word up"),
        ("something_new", "look this word up"),
    ],
)
def test_what_slack_never_takes_is_rejected(vendor: VendorServer, code: str, words: str) -> None:
    vendor.script(failed(code))
    outcome = post(bot(vendor.url))
    assert isinstance(outcome, Rejected)
    assert code in outcome.reason
    assert words in outcome.reason


def test_a_reason_does_not_repeat_an_odd_channel(vendor: VendorServer) -> None:
    vendor.script(failed("channel_not_found"))
    outcome = post(bot(vendor.url), message(channel="ada@example.com"))
    assert isinstance(outcome, Rejected)
    assert "ada" not in outcome.reason


@pytest.mark.parametrize(
    ("answer", "after"),
    [
        (failed("ratelimited", 429, {"Retry-After": "30"}), 30.0),
        (failed("rate_limited", 200, {"retry-after": "2"}), 2.0),
        (Answer(429), None),
    ],
)
def test_too_many_messages_wait_as_long_as_slack_says(
    vendor: VendorServer, answer: Answer, after: float | None
) -> None:
    vendor.script(answer)
    reason = "Slack wants fewer calls for a while"
    assert post(bot(vendor.url)) == Retry(reason, after, whole_account=True)


@pytest.mark.parametrize(
    "answer",
    [
        failed("request_timeout"),
        failed("service_unavailable", 503),
        Answer(404, "<html>proxy</html>"),
    ],
)
def test_what_was_surely_not_posted_is_retried(vendor: VendorServer, answer: Answer) -> None:
    vendor.script(answer)
    assert isinstance(post(bot(vendor.url)), Retry)
    assert len(vendor.requests) == 1


@pytest.mark.parametrize(
    "reply",
    [
        Answer(500, "<html>oops</html>"),
        Answer(502),
        Answer(503, "upstream"),
        failed("internal_error"),
        failed("fatal_error", 500),
        Answer(504, "timeout"),
        Answer(200, "<html>hotel</html>"),
        Answer(200, {}),
        Answer(200, {"ok": False}),
        Answer(200, "text", {"Content-Type": "text/plain; charset=no-such"}),
        Silence.DROP,
    ],
)
def test_what_may_have_been_posted_is_unknown(vendor: VendorServer, reply: Reply) -> None:
    vendor.script(reply)
    assert isinstance(post(bot(vendor.url)), Unknown)
    assert len(vendor.requests) == 1


@pytest.mark.parametrize("host", ["http://slack.invalid", "http://x:y"])
def test_an_address_that_leads_nowhere_was_never_called(host: str) -> None:
    outcome = post(bot(host))
    assert outcome == Retry("Slack could not be reached", whole_account=True)


def test_an_address_without_its_scheme_is_refused() -> None:
    with pytest.raises(ValidationError, match="base_url"):
        SlackSettings(base_url="slack.example")


def test_without_any_secret_the_account_halts() -> None:
    with pytest.raises(Halted, match="neither a bot token nor a webhook URL"):
        post(SlackSettings())


def test_with_both_secrets_the_token_is_used(vendor: VendorServer) -> None:
    both = SlackSettings(
        bot_token=SecretStr(TOKEN), webhook_url=SecretStr(vendor.url + HOOK), base_url=vendor.url
    )
    post(both)
    assert [request.path for request in vendor.requests] == ["/api/chat.postMessage"]


# The webhook URL


def test_a_webhook_posts_to_its_own_channel(vendor: VendorServer) -> None:
    vendor.script(Answer(200, "ok"))
    assert post(hook(vendor.url), message().for_delivery(DELIVERY)) == Delivered()
    [request] = vendor.requests
    assert request.path == HOOK
    assert request.body == {"text": "hello", "unfurl_links": False, "unfurl_media": False}


def test_a_webhook_url_is_whole_whatever_the_base_url(vendor: VendorServer) -> None:
    vendor.script(Answer(200, "ok"))
    url = SecretStr(vendor.url + HOOK)
    assert post(SlackSettings(webhook_url=url, base_url=closed_url())) == Delivered()


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (403, "invalid_token"),
        (404, "no_service"),
        (404, "no_team"),
        (404, "channel_not_found"),
        (410, "channel_is_archived"),
        (403, "action_prohibited"),
        (403, "posting_to_general_channel_denied"),
    ],
)
def test_a_webhook_whose_channel_or_url_is_gone_halts_the_account(
    vendor: VendorServer, status: int, code: str
) -> None:
    vendor.script(Answer(status, code))
    with pytest.raises(Halted, match=f"{code}.*make a new webhook URL"):
        post(hook(vendor.url))


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (Answer(400, "invalid_payload"), Rejected),
        (Answer(400, "too_many_attachments"), Rejected),
        (Answer(500, "rollup_error"), Unknown),
        (Answer(503), Unknown),
        (Answer(429, "rate_limited", {"Retry-After": "9"}), Retry),
        (Answer(403, "<html>proxy</html>"), Retry),
        (Answer(200, "<html>hotel</html>"), Unknown),
        (Answer(200), Unknown),
        (Silence.DROP, Unknown),
    ],
)
def test_what_a_webhook_answers(vendor: VendorServer, reply: Reply, outcome: type[Outcome]) -> None:
    vendor.script(reply)
    assert isinstance(post(hook(vendor.url)), outcome)


def test_a_webhook_url_that_is_none_is_refused_without_being_shown() -> None:
    with pytest.raises(ValidationError, match="a webhook URL is https://hooks") as caught:
        SlackSettings.model_validate({"webhook_url": "hooksecret0001"})
    assert "hooksecret0001" not in str(caught.value)


# Looking up what may have been posted


def posted(delivery_id: str, ts: str = "1700000000.000200") -> dict[str, Any]:
    payload = {"delivery_id": delivery_id}
    metadata = {"event_type": "showbridge_delivery", "event_payload": payload}
    return {"type": "message", "text": "hello", "ts": ts, "metadata": metadata}


def history(*messages: Any, cursor: str = "") -> Answer:
    more = {"response_metadata": {"next_cursor": cursor}}
    return Answer(200, {"ok": True, "messages": list(messages), **more})


def find(vendor: VendorServer, channel: str = "C0123456789") -> Delivered | Retry | Unknown | None:
    item = message(channel=channel).for_delivery(DELIVERY)
    return Slack(bot(vendor.url)).find("post_message", item)


@pytest.mark.parametrize("written", ["sales", "#sales", " #Sales "])
def test_one_channel_has_one_name_however_it_is_written(written: str) -> None:
    assert message(channel=written).channel == "#sales"
    assert message(channel="C0123456789").channel == "C0123456789"


def test_no_more_of_the_channel_is_read_than_since_the_message_was_planned(
    vendor: VendorServer,
) -> None:
    vendor.script(history())
    item = message(channel="C0123456789").for_delivery(DELIVERY, planned_at=1_700_000_000.0)
    assert Slack(bot(vendor.url)).find("post_message", item) is None
    [request] = vendor.requests
    said = request.body if isinstance(request.body, dict) else request.query
    assert float(said["oldest"]) == 1_700_000_000.0 - 300


def test_a_message_that_was_posted_is_found(vendor: VendorServer) -> None:
    vendor.script(history({"text": "hi"}, posted("another"), posted(DELIVERY)))
    assert find(vendor) == Delivered("C0123456789:1700000000.000200")
    [request] = vendor.requests
    assert request.path == "/api/conversations.history"
    assert request.body == {"channel": "C0123456789", "include_all_metadata": "1", "limit": "200"}


def test_older_messages_are_looked_through(vendor: VendorServer) -> None:
    vendor.script(history(posted("another"), cursor="abc"), history(posted(DELIVERY)))
    assert find(vendor) == Delivered("C0123456789:1700000000.000200")
    assert vendor.requests[1].body["cursor"] == "abc"


def test_a_channel_that_never_ends_is_given_up(vendor: VendorServer) -> None:
    vendor.script(history(posted("another"), cursor="again"))
    assert isinstance(find(vendor), Unknown)
    assert len(vendor.requests) == 5


def test_a_channel_is_found_by_its_name(vendor: VendorServer) -> None:
    channels = [{"id": "C0000000001", "name": "general"}, {"id": "C0000000002", "name": "vip"}]
    vendor.script(Answer(200, {"ok": True, "channels": channels}), history(posted(DELIVERY)))
    assert find(vendor, "#vip") == Delivered("C0000000002:1700000000.000200")
    assert vendor.requests[1].body["channel"] == "C0000000002"


def test_a_channel_that_was_posted_to_is_known(vendor: VendorServer) -> None:
    slack = Slack(bot(vendor.url))
    slack.post_message([message()])
    vendor.script(history(posted(DELIVERY)))
    assert slack.find("post_message", message().for_delivery(DELIVERY))
    assert vendor.requests[-1].body["channel"] == "C0123456789"


def test_a_message_that_is_not_there_may_be_sent(vendor: VendorServer) -> None:
    odd = [{"metadata": "?"}, {"metadata": {"event_type": 1}}, "?"]
    vendor.script(history(posted("another"), *odd))
    assert find(vendor) is None


@pytest.mark.parametrize(
    "reply",
    [
        failed("ratelimited", 429),
        failed("internal_error"),
        Answer(503, "busy"),
        Answer(200, {"ok": True, "messages": None, "response_metadata": None}),
        Answer(200, {"ok": True, "messages": 7, "response_metadata": [7]}),
        Silence.DROP,
    ],
)
def test_what_cannot_be_looked_up_now_is_looked_up_later(
    vendor: VendorServer, reply: Reply
) -> None:
    vendor.script(reply)
    assert isinstance(find(vendor), Retry)


@pytest.mark.parametrize(
    ("reply", "limited"),
    [(failed("ratelimited", 429), True), (failed("ratelimited"), True), (Answer(503), False)],
)
def test_a_limit_of_looking_up_is_no_failure_of_the_message(
    vendor: VendorServer, reply: Reply, limited: bool
) -> None:
    vendor.script(reply)
    outcome = find(vendor)
    assert isinstance(outcome, Retry)
    assert outcome.limited is limited


@pytest.mark.parametrize("reply", [failed("missing_scope"), failed("not_in_channel")])
def test_what_may_not_be_looked_at_stays_unknown(vendor: VendorServer, reply: Reply) -> None:
    vendor.script(reply)
    assert isinstance(find(vendor), Unknown)


def test_a_webhook_can_look_nothing_up(vendor: VendorServer) -> None:
    item = message().for_delivery(DELIVERY)
    assert isinstance(Slack(hook(vendor.url)).find("post_message", item), Unknown)
    assert not vendor.requests
