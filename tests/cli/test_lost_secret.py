"""A source that had its sender's secret gets no random one: genuine webhooks would be refused.

A secret that is made anew in silence is a common way to lose what it protects:
https://github.com/n8n-io/n8n/issues/713, https://github.com/wso2/labs-agentic-engineer/issues/421.
"""

from __future__ import annotations

import pytest

from bridge.cli.start import require_own_secrets
from bridge.errors import OperatorError
from bridge.first_run import make_missing_secrets
from tests.cli.house import House, Ledger

VARIABLE = "SHOWPASS_SECRETS"


def start(house: House, ledger: Ledger) -> None:
    """What `showbridge run` does with secrets."""
    require_own_secrets(house.config, ledger.database)
    make_missing_secrets(house.config)


def test_the_first_run_makes_a_secret_and_the_next_ones_keep_it(
    house: House, ledger: Ledger
) -> None:
    house.environ[VARIABLE] = None
    for _ in range(2):
        start(house, ledger)
        (secret,) = house.config.sources["showpass"].secrets
        assert house.config.sources["showpass"].trial
    assert secret == (house.config.data / "secrets" / "showpass").read_text().strip()


def test_a_variable_that_is_gone_is_named_and_no_secret_is_made(
    house: House, ledger: Ledger
) -> None:
    start(house, ledger)
    house.environ[VARIABLE] = ""
    with pytest.raises(OperatorError, match="SHOWPASS_SECRETS is not set") as refused:
        start(house, ledger)
    assert "genuine one would be refused" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not (house.config.data / "secrets").exists()


def test_a_trial_secret_of_before_does_not_come_back(house: House, ledger: Ledger) -> None:
    real, house.environ[VARIABLE] = house.environ[VARIABLE], None
    start(house, ledger)
    house.environ[VARIABLE] = real
    start(house, ledger)
    house.environ[VARIABLE] = None
    with pytest.raises(OperatorError, match="showpass"):
        start(house, ledger)


def test_what_an_earlier_version_took_was_signed_too(house: House, ledger: Ledger) -> None:
    ledger.receive()
    house.environ[VARIABLE] = None
    with pytest.raises(OperatorError, match="showpass"):
        start(house, ledger)


def test_another_source_without_a_secret_is_tried_out_beside_it(
    house: House, ledger: Ledger
) -> None:
    house.environ["SHOWPAD_SECRETS"] = None
    start(house, ledger)
    assert house.config.sources["showpad"].trial
    assert not house.config.sources["showpass"].trial


def test_check_warns_of_it_before_the_start(house: House, ledger: Ledger) -> None:
    start(house, ledger)
    assert "were signed" not in house.run("check").stdout
    house.environ[VARIABLE] = None
    checked = house.run("check")
    assert checked.exit_code == 0, checked.output
    told = " ".join(checked.stdout.split())
    assert "webhooks of showpass were signed with the sender's secret until now" in told
    assert "SHOWPASS_SECRETS is not set" in told


def test_check_says_nothing_of_a_secret_that_was_never_there(house: House) -> None:
    house.environ[VARIABLE] = None
    assert "were signed" not in house.run("check").stdout
