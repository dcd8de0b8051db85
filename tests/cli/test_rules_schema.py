"""`showbridge rules schema`: for the accounts that are there, and the documents are green by it."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from bridge.registry import installed
from bridge.rules import World
from bridge.rules.editor import schema
from bridge.yaml_text import read
from tests.cli.house import BRIDGE, RULES, House
from tests.test_documents import ROOT, Block
from tests.test_documents import RULES as SNIPPETS


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    known = installed()
    return Draft202012Validator(schema(World(sources=known.sources, accounts=known.connectors)))


def steps(text: str) -> set[str]:
    return set(json.loads(text)["$defs"]["step"]["properties"])


def test_it_knows_the_accounts_by_their_own_names(house: House) -> None:
    house.write("bridge.yaml", BRIDGE.replace("  slack:", "  crew: {connector: slack}\n  slack:"))
    made = house.run("rules", "schema").stdout
    assert {"crew.post_message", "slack.post_message", "hubspot.upsert_contact"} <= steps(made)
    assert not any(name.startswith("mailchimp.") for name in steps(made))
    Draft202012Validator.check_schema(json.loads(made))


def test_it_is_the_same_each_time(house: House) -> None:
    assert house.run("rules", "schema").stdout == house.run("rules", "schema").stdout


def test_the_rules_of_the_house_are_green_by_it(house: House) -> None:
    made = json.loads(house.run("rules", "schema").stdout)
    assert Draft202012Validator(made).is_valid(read(RULES, "rules.yaml").value)


def test_without_bridge_yaml_it_knows_all_that_is_installed(house: House) -> None:
    (house.folder / "config" / "bridge.yaml").unlink()
    result = house.run("rules", "schema")
    assert result.exit_code == 0
    assert "All that is installed, since bridge.yaml cannot be used" in result.stderr
    assert {name.partition(".")[0] for name in steps(result.stdout)} == set(installed().connectors)


def test_it_is_written_to_a_file_whole(house: House) -> None:
    file = house.folder / "config" / "rules.schema.json"
    file.write_text("an older one")
    result = house.run("rules", "schema", "--output", str(file))
    assert result.exit_code == 0
    assert "# yaml-language-server: $schema=rules.schema.json" in result.stdout
    assert steps(file.read_text())
    assert [each.name for each in file.parent.iterdir() if each.name.startswith(".")] == []


def test_a_place_that_cannot_be_written_says_so(house: House) -> None:
    result = house.run("rules", "schema", "--output", str(house.folder / "no" / "x.json"))
    assert result.exit_code == 2
    assert "cannot be written: No such file or directory" in result.output


def test_the_line_for_editors_is_no_mistake(house: House) -> None:
    house.write("rules.yaml", f"# yaml-language-server: $schema=rules.schema.json\n{RULES}")
    assert house.run("rules", "check").exit_code == 0


def test_a_schema_beside_the_rules_is_none_of_them(house: House) -> None:
    (house.folder / "config" / "rules").mkdir()
    house.run("rules", "schema", "--output", str(house.folder / "config/rules/rules.schema.json"))
    assert house.run("rules", "check").exit_code == 0


@pytest.mark.parametrize("block", SNIPPETS, ids=str)
def test_every_snippet_of_the_documents_is_green(
    block: Block, validator: Draft202012Validator
) -> None:
    found = list(validator.iter_errors(read(block.text, str(block)).value))
    assert not found, [(list(each.absolute_path), each.message) for each in found]


def test_there_are_snippets_with_tests_among_them() -> None:
    assert sum("\ntests:" in block.text for block in SNIPPETS) >= 20


def test_the_rules_that_ship_are_green(validator: Draft202012Validator) -> None:
    text = (ROOT / "config" / "rules.yaml").read_text("utf-8")
    assert validator.is_valid(read(text, "rules.yaml").value)


@pytest.mark.parametrize(
    "name", [f"{c.name}.{a}" for c in installed().connectors.values() for a in c.actions()]
)
def test_every_example_of_an_action_is_green_and_its_misspelling_red(
    name: str, validator: Draft202012Validator
) -> None:
    account, _, action = name.partition(".")
    example = dict(installed().connectors[account].actions()[action].item.example)

    def with_step(step: object) -> object:
        return {"rules": [{"name": "One", "when": {"source": "showpass"}, "do": [step]}]}

    assert validator.is_valid(with_step({name: example}))
    assert not validator.is_valid(with_step({f"{name}s": example}))
    assert not validator.is_valid(with_step({name: {**example, "no_such_field": "x"}}))


def test_nothing_need_stand_below_an_action_without_a_field_that_it_needs(
    validator: Draft202012Validator,
) -> None:
    text = "rules: [{name: One, when: {source: showpass}, do: [{%s: }]}]"
    assert validator.is_valid(read(text % "webhook.post", "rules.yaml").value)
    assert not validator.is_valid(read(text % "hubspot.upsert_contact", "rules.yaml").value)


def test_a_key_that_is_misspelt_is_red_in_every_snippet(validator: Draft202012Validator) -> None:
    misspelt = [block for block in SNIPPETS if "    do:\n" in block.text]
    assert len(misspelt) > 20
    for block in misspelt:
        text = block.text.replace("    do:\n", "    doo:\n")
        assert not validator.is_valid(read(text, str(block)).value), str(block)
