"""Tens of thousands of mutated requests on real connections do not shake a real receiver."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from tests.web.genuine import genuine
from tests.web.mutations import MAX_FAULTS, SERVER, Outcome, flood
from tests.web.mutator import Mutated, mutated
from tests.web.receivers import running

SEED = int(os.environ.get("SHOWBRIDGE_FUZZ_SEED", "20270703"))
REQUESTS = 50_000


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Outcome:
    folder = tmp_path_factory.mktemp("mutated")
    with running(folder, redis_url, f"sqlite:///{folder / 'ledger.db'}", SERVER) as receiver:
        return flood(receiver, REQUESTS, SEED)


@pytest.mark.xdist_group("processes")
def test_no_mutated_request_is_taken_fails_or_has_another_s_answer(outcome: Outcome) -> None:
    faults = outcome.faults[:MAX_FAULTS]
    assert not faults, "\n".join(faults)
    assert outcome.requests >= REQUESTS


@pytest.mark.xdist_group("processes")
def test_the_mutated_requests_and_the_genuine_between_them_reach_every_answer(
    outcome: Outcome,
) -> None:
    assert {200, 400, 401, 403, 404, 405, 415} <= outcome.statuses.keys()
    assert outcome.held.total() > REQUESTS / 20


@pytest.mark.xdist_group("processes")
@pytest.mark.parametrize("is_framed", [True, False])
def test_a_forgery_that_is_taken_is_found(
    tmp_path: Path, redis_url: str, *, is_framed: bool
) -> None:
    """Shown with requests that are none."""

    def make(random: Random, now: float) -> Mutated:
        return Mutated(genuine(random, "showpass", lambda: now).raw, is_framed=is_framed)

    with running(tmp_path, redis_url, f"sqlite:///{tmp_path / 'ledger.db'}", SERVER) as receiver:
        faults = flood(receiver, 80, 1, make=make).faults
    assert any("answered" in fault and "accepted" in fault for fault in faults)
    assert any("in the ledger, and never sent" in fault for fault in faults)


def test_the_same_seed_makes_the_same_mutated_requests() -> None:
    first, second, other = (
        [mutated(made, 1_700_000_000.0) for _ in range(500)]
        for made in (Random("7"), Random("7"), Random("8"))
    )
    assert first == second
    assert first != other
