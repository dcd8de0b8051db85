from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.house import House, Ledger


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    # No `.env` of whoever runs the tests.
    monkeypatch.chdir(tmp_path)
    return House(tmp_path)


@pytest.fixture
def ledger(house: House) -> Iterator[Ledger]:
    opened = house.open()
    yield opened
    opened.database.close()
