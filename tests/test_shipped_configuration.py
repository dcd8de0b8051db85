"""The files in `config/`, as a newcomer finds them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge import config, rules
from bridge.event import Event, Webhook

FOLDER = Path(__file__).parent.parent / "config"


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> config.Config:
    data = tmp_path_factory.mktemp("data")
    return config.load({"SHOWBRIDGE_DATA": str(data)}, FOLDER)


@pytest.fixture(scope="module")
def live(shipped: config.Config) -> rules.RuleSet:
    text = shipped.rules_file.read_text("utf-8")
    return rules.compile_rules(text, "config/rules.yaml", config.world(shipped))


def events(shipped: config.Config) -> list[Event]:
    return [
        event
        for name, source in shipped.sources.items()
        for sample in source.source.samples()
        for event in source.source.normalise(Webhook(name, sample.text.encode(), {}, 0.0))
    ]


def test_it_has_no_mistake_and_no_warning(live: rules.RuleSet) -> None:
    assert live.warnings == ()


def test_without_credentials_every_account_is_a_preview(shipped: config.Config) -> None:
    assert all(account.preview for account in shipped.accounts.values())


def test_every_shipped_sample_is_matched_and_filled_in(
    shipped: config.Config, live: rules.RuleSet
) -> None:
    steps = {rule.name: rule.steps for rule in live.rules}
    for event in events(shipped):
        matched = [one.rule for one in rules.judge(live, event) if one.matched]
        assert matched, event.type
        for name in matched:
            for step in steps[name]:
                rules.fill(step, event)


def test_every_rule_is_shown_by_a_sample(shipped: config.Config, live: rules.RuleSet) -> None:
    shown = {
        verdict.rule
        for event in events(shipped)
        for verdict in rules.judge(live, event)
        if verdict.matched
    }
    assert shown == {rule.name for rule in live.rules}


def test_messages_are_on_one_line_and_say_something(
    shipped: config.Config, live: rules.RuleSet
) -> None:
    for event in events(shipped):
        matched = {one.rule for one in rules.judge(live, event) if one.matched}
        for step in (s for rule in live.rules if rule.name in matched for s in rule.steps):
            if step.action == "post_message":
                text = rules.fill(step, event).model_dump()["text"]
                assert "\n" not in text
                assert "  " not in text
                assert "None" not in text
