"""`showbridge connectors`: what there is to do, and what each action takes."""

from __future__ import annotations

import json

import pytest
import yaml

from bridge.cli.reference_pages import page
from bridge.registry import installed
from tests.cli.house import House


def told(house: House, *arguments: str) -> str:
    result = house.run("connectors", *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_every_connector_is_listed_with_its_actions(house: House) -> None:
    listed = told(house)
    for name, connector in installed().connectors.items():
        assert connector.title in listed
        assert all(f"{name}.{action}" in listed for action in connector.actions())


def test_an_action_says_its_fields_and_an_example_to_copy(house: House) -> None:
    shown = told(house, "slack.post_message")
    assert "text, required" in told(house, "slack.update_message")
    example = shown.partition("For example\n")[2]
    ((name, fields),) = yaml.safe_load(example)[0].items()
    assert name == "slack.post_message"
    assert fields["channel"] == "#tickets"
    assert "{{ tickets | length }}" in fields["title"]


def test_a_connector_says_what_an_account_needs(house: House) -> None:
    shown = told(house, "hubspot")
    assert "An account in bridge.yaml" in shown
    assert "access_token" in shown
    assert "base_url" not in shown


def test_programs_get_objects(house: House) -> None:
    objects = [json.loads(line) for line in told(house, "mailchimp", "--json").splitlines()]
    assert [each["name"] for each in objects] == sorted(each["name"] for each in objects)
    subscribe = next(each for each in objects if each["name"] == "mailchimp.subscribe")
    email = next(each for each in subscribe["fields"] if each["path"] == "email")
    assert (email["kind"], email["required"]) == ("text", True)


def test_the_reference_of_a_page_can_be_had_alone(house: House) -> None:
    assert told(house, "webhook", "--markdown") == page(installed().connectors["webhook"])


@pytest.mark.parametrize(
    ("asked", "advice"),
    [
        ("hubspott", "did you mean `hubspot`?"),
        ("slack.post_mesage", "did you mean `slack.post_message`?"),
    ],
)
def test_what_is_not_there_is_answered_with_the_nearest(
    house: House, asked: str, advice: str
) -> None:
    result = house.run("connectors", asked)
    assert result.exit_code == 2
    assert advice in result.output
