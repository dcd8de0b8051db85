"""Accounts that may not send right now, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, delete, select

from bridge.ledger.alerts import clear_alert
from bridge.ledger.tables import accounts, live_accounts
from bridge.ledger.upsert import insert


@dataclass(frozen=True)
class Standing:
    """Why an account rests: until `rest_until`, or, where halted, until a person acts."""

    name: str
    halted: bool
    rest_until: float
    rests: int
    reason: str
    since: float
    fingerprint: str


def standings(connection: Connection, now: float) -> list[Standing]:
    """The accounts that may not send now."""
    query = select(accounts).where(accounts.c.halted | (accounts.c.rest_until > now))
    return [_standing(row) for row in connection.execute(query).mappings()]


def standing(connection: Connection, account: str) -> Standing | None:
    """How the account stands since its last success; None: well."""
    query = select(accounts).where(accounts.c.name == account)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _standing(row)


def may_send(known: Standing | None, fingerprint: str, now: float) -> bool:
    """False while the account rests. A halt ends by itself when the credentials changed."""
    if known is None:
        return True
    if known.halted:
        return known.fingerprint != fingerprint
    return known.rest_until <= now


def halt(connection: Connection, account: str, reason: str, fingerprint: str, now: float) -> None:
    _stop(connection, Standing(account, True, now, 0, reason, now, fingerprint))


def rest(connection: Connection, account: str, reason: str, until: float, now: float) -> None:
    """Until then nobody sends; each rest that follows without a success counts."""
    known = standing(connection, account)
    rests = known.rests + 1 if known else 1
    _stop(connection, Standing(account, False, until, rests, reason, now, ""))


def note_success(connection: Connection, account: str, fingerprint: str) -> bool:
    """The vendor takes calls again. True where that ended a halt or a row of rests.

    A halt that came meanwhile, by another call with the same credentials, stays.
    """
    over = accounts.c.halted.is_(False) | (accounts.c.fingerprint != fingerprint)
    statement = delete(accounts).where(accounts.c.name == account, over)
    return connection.execute(statement).rowcount == 1


def resume(connection: Connection, account: str) -> bool:
    """Let a resting account send again; False where it was not resting."""
    clear_alert(connection, kind="halted", subject=account)
    return connection.execute(delete(accounts).where(accounts.c.name == account)).rowcount == 1


def note_live(connection: Connection, account: str, now: float) -> None:
    """The account has credentials, so that a preview later on would be a mistake."""
    statement = insert(connection, live_accounts).values(name=account, since=now)
    connection.execute(statement.on_conflict_do_nothing(index_elements=["name"]))


def was_live(connection: Connection, account: str) -> bool:
    query = select(live_accounts.c.name).where(live_accounts.c.name == account)
    return connection.execute(query).first() is not None


def _standing(row: Mapping[Any, Any]) -> Standing:
    return Standing(**row)


def _stop(connection: Connection, new: Standing) -> None:
    values = {name: value for name, value in asdict(new).items() if name != "name"}
    statement = insert(connection, accounts).values(name=new.name, **values)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["name"],
            set_=values,
            # A halt outlasts the rests of calls that were under way.
            where=accounts.c.halted.is_(False) | new.halted,
        )
    )
