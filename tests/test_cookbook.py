"""The cookbook's recipes do what they say, alone and beside the rules that ship with the bridge."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
import yaml

from bridge import config, rules
from bridge.engine.rehearse import Stage
from bridge.engine.rule_tests import rehearsed, run_tests, sampled
from bridge.event import Event, Webhook
from bridge.rules import Rule, RuleSet
from tests.test_documents import ROOT, RULES, Block

PAGE = ROOT / "docs" / "cookbook.md"
TEXT = PAGE.read_text("utf-8")
FEWEST = 24

RECIPES = [block for block in RULES if block.file == PAGE]
TESTED = [block for block in RULES if re.search(r"^rules:.*^tests:", block.text, re.M | re.S)]
SECTIONS = re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)

# Showpad does not publish these types, so there is no sample of them.
WITHOUT_SAMPLE = "Content viewed"


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> config.Config:
    """With an account of every connector."""
    folder = tmp_path_factory.mktemp("config")
    whole = yaml.safe_load((ROOT / "config" / config.FILE).read_text("utf-8"))
    whole["accounts"] |= {"email": {}, "webhook": {}}
    (folder / config.FILE).write_text(yaml.safe_dump(whole))
    return config.load({"SHOWBRIDGE_DATA": str(folder / "data")}, folder)


def beside_the_shipped_rules(block: Block, shipped: config.Config) -> RuleSet:
    own = (ROOT / "config" / "rules.yaml").read_text("utf-8")
    files = {"rules.yaml": own, "rules/recipe.yaml": block.text}
    return rules.compile_files(files, config.world(shipped))


def test_there_are_recipes_for_many_things() -> None:
    assert len(SECTIONS) >= FEWEST


@pytest.mark.parametrize(("title", "text"), SECTIONS, ids=[title for title, _ in SECTIONS])
def test_a_recipe_says_what_for_and_what_to_adapt(title: str, text: str) -> None:
    beginning = text.strip().splitlines()[0]
    assert beginning.endswith("."), "what it is for, in one line"
    assert "\n*Adapt:* " in text
    assert text.count("```yaml\n") >= 1


def test_the_table_at_the_top_leads_to_every_recipe() -> None:
    top = TEXT.partition("\n## ")[0]
    linked = set(re.findall(r"\]\(#([^)]+)\)", top))
    anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title, _ in SECTIONS}
    assert linked == anchors


@pytest.mark.parametrize("block", TESTED, ids=str)
def test_what_a_document_expects_comes_out(block: Block, shipped: config.Config) -> None:
    compiled = beside_the_shipped_rules(block, shipped)
    results = run_tests(compiled, shipped)
    assert results
    failed = [(each.test.name, each.complaints) for each in results if each.state != "passed"]
    assert not failed


@pytest.mark.parametrize("block", RECIPES, ids=str)
def test_every_rule_of_a_recipe_is_shown_by_a_sample(block: Block, shipped: config.Config) -> None:
    compiled = rules.compile_rules(block.text, str(block), config.world(shipped))
    shown = {
        verdict.rule
        for event in (*from_tests(compiled, shipped), *from_samples(compiled, shipped))
        for verdict in rules.judge(compiled, event)
        if verdict.matched
    }
    assert shown == {rule.name for rule in compiled.rules}


def test_only_what_no_sample_shows_has_no_tests() -> None:
    untested = [block.text for block in RECIPES if block not in TESTED]
    assert len(untested) == 1
    assert f"name: {WITHOUT_SAMPLE}\n" in untested[0]


def from_tests(compiled: RuleSet, shipped: config.Config) -> Iterator[Event]:
    stage = Stage.of(shipped, compiled)
    for test in compiled.tests:
        source = shipped.sources[test.given.source].source
        waiting = sampled(test.given.source, source, test.given)
        for each in rehearsed(stage, test.given, waiting).events:
            yield each.event


def from_samples(compiled: RuleSet, shipped: config.Config) -> Iterator[Event]:
    """As they are; those of a source with open types also as every type that a rule names."""
    for name, source in shipped.sources.items():
        for sample in source.source.samples():
            webhook = Webhook(name, sample.text.encode(), {}, source.source.sampled_at.timestamp())
            for event in source.source.normalise(webhook):
                received = replace(event, received_at=webhook.received_at)
                yield received
                if source.source.types_are_open:
                    yield from (replace(received, type=one) for one in _types(compiled.rules))


def _types(of_rules: tuple[Rule, ...]) -> list[str]:
    return [one for rule in of_rules for one in rule.events if not set("*?") & set(one)]
