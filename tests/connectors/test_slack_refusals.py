"""What rules ask of Slack that can never be is told when they are read, with its line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from pydantic import SecretStr

from bridge.config import load, world
from bridge.connector import Refusal
from bridge.errors import ConfigurationError, Mistake
from bridge.rules import World, compile_rules
from bridge.sources.showpass import Showpass
from connectors.slack import Slack, SlackSettings

BOT = SlackSettings(bot_token=SecretStr("xoxb-1"))
HOOK = SecretStr("https://hooks.slack.com/services/T/B/X")
WEBHOOK = SlackSettings(webhook_url=HOOK, webhook_channel="sales")
NAMELESS = SlackSettings(webhook_url=HOOK)

HEAD = """rules:
  - name: A rule
    when: {source: showpass}
    do:
      - slack."""


def mistakes(step: str, settings: SlackSettings | None = BOT) -> Sequence[Mistake]:
    """Of a rule with this step; its first line is line 5 of the file."""
    known = {} if settings is None else {"slack": settings}
    world = World({"showpass": Showpass}, {"slack": Slack}, known)
    try:
        compile_rules(HEAD + step + "\n", "rules.yaml", world)
    except ConfigurationError as error:
        return error.mistakes
    return []


def told(step: str, settings: SlackSettings | None = BOT) -> str:
    [mistake] = mistakes(step, settings)
    return f"{mistake.line}: {mistake.what}; {mistake.advice}"


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (
            'update_message: {channel: "#sales", update_of: transaction, text: x}',
            "5: a webhook URL cannot change a message; use a bot token",
        ),
        (
            'add_reaction: {channel: "#sales", reaction_to: transaction, emoji: tada}',
            "5: a webhook URL cannot add a reaction; use a bot token",
        ),
        (
            (
                'post_message:\n          channel: "#sales"\n          text: x\n'
                "          thread_of: transaction"
            ),
            "8: a webhook URL cannot answer in a thread; use a bot token",
        ),
        (
            'post_message:\n          text: x\n          person: "{{ contact.email }}"',
            "7: a webhook URL cannot write to a person; use a bot token",
        ),
        (
            'post_message:\n          text: x\n          channel: "#vip"',
            "7: this account's webhook URL posts to #sales, and cannot post elsewhere",
        ),
        (
            'post_daily_digest:\n          channel: "{{ order.id }}"',
            "6: this account's webhook URL posts to #sales",
        ),
    ],
)
def test_what_a_webhook_cannot_do_is_refused(step: str, words: str) -> None:
    assert told(step, WEBHOOK).startswith(words)
    assert mistakes(step, BOT) == []
    assert mistakes(step, SlackSettings()) == []
    assert mistakes(step, None) == []


def test_a_webhook_whose_channel_nobody_named_is_asked_for_it() -> None:
    step = 'post_message:\n          text: x\n          channel: "#sales"'
    assert told(step, NAMELESS) == (
        "7: a webhook URL posts to the one channel that it was made for; name that channel "
        "as `webhook_channel` of the account, or use a bot token"
    )


@pytest.mark.parametrize("channel", ["#sales", "sales", " #Sales"])
def test_a_webhook_posts_to_its_channel_however_it_is_written(channel: str) -> None:
    assert mistakes(f'post_message: {{channel: "{channel}", text: x}}', WEBHOOK) == []


def test_a_token_beside_a_webhook_can_do_all() -> None:
    both = SlackSettings(bot_token=SecretStr("xoxb-1"), webhook_url=HOOK)
    assert mistakes('post_message: {channel: "#vip", text: x}', both) == []


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (
            'post_message: {channel: a, person: "{{ contact.email }}", text: x}',
            "a message goes to a channel or to a person; take `channel` or `person` out",
        ),
        ('post_message: {text: "{{ order.id }}"}', "`channel` is missing; add a line `channel"),
        ("post_message: {text: x}", "`channel` is missing"),
        ('post_message: {channel: "{{ order.id }}"}', "the message is empty; add `text`"),
        ("post_message: {channel: a}", "the message is empty"),
        (
            "post_message: {channel: a, text: x, title: T, blocks: [{type: divider}]}",
            "`blocks` are a message of their own, so `title` would not be seen",
        ),
        ("post_message: {channel: a, text: x, broadcast: true}", "add `thread_of`"),
        (
            "post_message: {channel: a, title: x, button: {url: example.com}}",
            "this is no web address; write one that begins with https://",
        ),
        (f"post_message: {{channel: a, title: {'x' * 151}}}", "150 characters here at most"),
        (
            (
                f"post_message: {{channel: a, title: x, button: {{text: {'x' * 76}, "
                "url: https://e.com}}"
            ),
            "75 characters",
        ),
        (
            f"post_message: {{channel: a, layout: plain, text: {'x' * 3001}}}",
            "3,000 characters",
        ),
        (f"post_message: {{channel: a, text: {'x' * 40_001}}}", "40,000 characters"),
        (
            f"update_message: {{channel: a, update_of: space, text: {'x' * 4_001}}}",
            "4,000 characters",
        ),
        (
            "post_message: {channel: a, title: x, fields: {"
            + ", ".join(f"L{n}: x" for n in range(11))
            + "}}",
            "10 fields at most",
        ),
        (
            (
                "post_message: {channel: a, blocks: [{type: header, text: {type: plain_text, "
                f"text: {'x' * 151}}}}}]}}"
            ),
            "is longer than Slack takes here; shorten it",
        ),
        (
            "post_message: {channel: a, blocks: [{type: image, alt_text: x, image_url: nowhere}]}",
            "this is no web address",
        ),
        ("post_message: {channel: a, layout: sale, text: x}", "must be 'purchase'"),
        ("add_reaction: {channel: a, reaction_to: transaction, emoji: a b}", "the emoji's name"),
        ("post_daily_digest: {channel: a, at: noon}", 'write a time such as "09:00"'),
        ("post_daily_digest: {channel: a, time_zone: Berlin}", "there is no such time zone"),
    ],
    ids=lambda value: value[:50],
)
def test_what_can_never_be_right_is_told(step: str, words: str) -> None:
    assert words in told(step)


def test_what_is_filled_in_is_cut_and_not_refused() -> None:
    long = f"{'x' * 4_000} {{{{ contact.name }}}}"
    block = f'{{type: header, text: {{type: plain_text, text: "{long}"}}}}'
    assert mistakes(f'post_message: {{channel: a, title: "{long}", text: "{long}"}}') == []
    assert mistakes(f"post_message: {{channel: a, blocks: [{block}]}}") == []


def test_a_mistake_in_own_blocks_is_told_with_its_line() -> None:
    step = (
        "post_message:\n          channel: a\n          blocks:\n            - type: section\n"
        '              text: {type: mrkdwn, text: "{{ contact.name }}"}\n'
        "            - type: header\n              text: {type: mrkdwn, text: x}"
    )
    [mistake] = mistakes(step)
    assert (mistake.line, mistake.what) == (
        11,
        "`blocks.1.text` must have `type: plain_text` and a line `text: ...`",
    )


# Where the settings come from

SHIPPED = Path(__file__).parent.parent.parent / "config"
HOOK_SET = {"SLACK_WEBHOOK_URL": HOOK.get_secret_value()}


def test_what_the_account_is_told_decides_what_its_rules_may_ask(tmp_path: Path) -> None:
    loaded = load({**HOOK_SET, "SHOWBRIDGE_DATA": str(tmp_path)}, SHIPPED)
    text = (SHIPPED / "rules.yaml").read_text("utf-8")
    with pytest.raises(ConfigurationError) as raised:
        compile_rules(text, "rules.yaml", world(loaded))
    told = {mistake.what for mistake in raised.value.mistakes}
    assert told == {"a webhook URL posts to the one channel that it was made for"}
    assert len(raised.value.mistakes) == text.partition("\ntests:")[0].count("slack.post_message:")


def test_without_credentials_the_shipped_rules_are_right(tmp_path: Path) -> None:
    loaded = load({"SHOWBRIDGE_DATA": str(tmp_path)}, SHIPPED)
    assert compile_rules((SHIPPED / "rules.yaml").read_text("utf-8"), "r", world(loaded)).rules


def test_alerts_cannot_be_told_where_the_webhook_does_not_post(tmp_path: Path) -> None:
    settings = yaml.safe_load((SHIPPED / "bridge.yaml").read_text("utf-8"))
    settings["accounts"]["slack"]["webhook_channel"] = "#tickets"
    settings["alerts"] = {"tell": [{"slack.post_message": {"channel": "#ops"}}]}
    (tmp_path / "bridge.yaml").write_text(yaml.safe_dump(settings))
    environ = {"SHOWBRIDGE_DATA": str(tmp_path)}
    assert load(environ, tmp_path).alerts.tell
    with pytest.raises(ConfigurationError, match="webhook URL posts to #tickets"):
        load({**environ, **HOOK_SET}, tmp_path)


def test_a_bug_in_asking_hides_no_other_mistake() -> None:
    class Broken(Slack):
        @classmethod
        def refuses(cls, settings: object, action: str, fields: object) -> list[Refusal]:
            raise KeyError(action)

    known = World({"showpass": Showpass}, {"slack": Broken})
    with pytest.raises(ConfigurationError) as raised:
        compile_rules(f"{HEAD}post_message: {{channel: a, txt: x}}\n", "rules.yaml", known)
    assert "no field `txt`" in str(raised.value)


def warnings(text: str) -> list[str]:
    """Of a rule that posts this text, which is taken."""
    step = f"post_message: {{channel: here, text: {json.dumps(text)}}}"
    known = World({"showpass": Showpass}, {"slack": Slack}, {"slack": BOT})
    return [one.what for one in compile_rules(HEAD + step + "\n", "rules.yaml", known).warnings]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("**Sold!**", "Slack shows two stars as they are written"),
        ("[Open](https://example.com)", "Slack shows a link in [ ] and ( ) as it is written"),
        ("@here sold", "@here tells nobody in a message from a program"),
    ],
)
def test_what_looks_otherwise_in_slack_is_sent_with_a_warning(text: str, what: str) -> None:
    """A message may speak of such signs: what is sent is what stands there."""
    assert warnings(text) == [what]


@pytest.mark.parametrize(
    "text",
    ["*Sold!*", "`2**3**4` is 2417", "a ** b ** c", "<!here> sold", "<https://a.example|Open>"],
)
def test_what_slack_shows_as_it_is_meant_gets_no_warning(text: str) -> None:
    assert warnings(text) == []
