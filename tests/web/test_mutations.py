"""Tens of thousands of mutated requests on real connections do not shake a real receiver."""

from __future__ import annotations

import os
from random import Random

import pytest

from tests.web.mutations import MAX_FAULTS, SERVER, Outcome, flood
from tests.web.mutator import mutated
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


def test_the_same_seed_makes_the_same_mutated_requests() -> None:
    first, second, other = (
        [mutated(made, 1_700_000_000.0) for _ in range(500)]
        for made in (Random("7"), Random("7"), Random("8"))
    )
    assert first == second
    assert first != other
