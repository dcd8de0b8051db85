"""Accounts that may not send right now, and why.

While workers are restarted one by one with a corrected credential, some still
have the one that was refused. So the refused one is remembered for a while
after its halt is over: who has it waits, and who has another one sends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, delete, select, update

from bridge.ledger.alerts import HALTED, RESTING, clear_alert, drop_alert
from bridge.ledger.tables import accounts, live_accounts
from bridge.ledger.upsert import insert

# Longer than a rolling restart takes; then a refused credential may be tried again.
REPLACED_SECONDS = 600.0
# What waits is tried as soon as a rest is over. After a longer pause nothing was there to be sent,
# and another rest says nothing of the time before.
LULL_SECONDS = 600.0


@dataclass(frozen=True)
class Standing:
    """Why an account rests: until `rest_until`, or, where halted, until a person acts.

    `since`: when it was halted, or for how long, rest after rest, nothing has got through.
    `fingerprint` is of the settings that were refused, "" where it is all the same.
    """

    name: str
    halted: bool
    rest_until: float
    rests: int
    reason: str
    since: float
    fingerprint: str


def standings(connection: Connection, now: float) -> list[Standing]:
    """The accounts that may not send now."""
    query = _resting(select(accounts), now)
    return [_standing(row) for row in connection.execute(query).mappings()]


def resting(now: float) -> Select[Any]:
    """The names of the accounts that may not send now."""
    return _resting(select(accounts.c.name), now)


def standing(connection: Connection, account: str) -> Standing | None:
    """How the account stands since its last success; None: well."""
    row = connection.execute(_ONE, {"name_": account}).mappings().one_or_none()
    return None if row is None else _standing(row)


# Asked for each batch.
_ONE = select(accounts).where(accounts.c.name == bindparam("name_"))


def long_at_rest(connection: Connection, since: float, now: float) -> list[Standing]:
    """Accounts whose vendors have taken nothing since then or earlier, rest after rest."""
    goes_on = (accounts.c.rest_until > now - LULL_SECONDS) & (accounts.c.fingerprint == "")
    query = select(accounts).where(~accounts.c.halted, goes_on, accounts.c.since <= since)
    return [_standing(row) for row in connection.execute(query).mappings()]


def held(connection: Connection, account: str) -> Standing | None:
    """The same as `standing`, and nobody changes it before the transaction is over."""
    query = select(accounts).where(_is(account)).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _standing(row)


def may_send(known: Standing | None, fingerprint: str, now: float) -> bool:
    """False while the account rests. A halt is for who has the settings that were refused."""
    if known is None or known.fingerprint not in ("", fingerprint):
        return True
    return not known.halted and known.rest_until <= now


def is_replaced(known: Standing | None, fingerprint: str, now: float) -> bool:
    """Others send with other settings already: that these are refused is no news."""
    return (
        known is not None
        and not known.halted
        and known.fingerprint == fingerprint
        and known.rest_until > now
    )


def halt(connection: Connection, account: str, reason: str, fingerprint: str, now: float) -> None:
    _stop(connection, Standing(account, True, now, 0, reason, now, fingerprint))
    drop_alert(connection, kind=RESTING, subject=account)


def rest(
    connection: Connection,
    account: str,
    reason: str,
    until: float,
    now: float,
    *,
    reached: bool = False,
) -> None:
    """Until then nobody sends; each rest that follows without a success counts.

    `reached`: the vendor took something first, and then no more.
    """
    known = None if reached else standing(connection, account)
    rests = known.rests + 1 if known else 1
    since = known.since if known and _goes_on(known, now) else now
    _stop(connection, Standing(account, False, until, rests, reason, since, ""))
    if reached:
        clear_alert(connection, kind=RESTING, subject=account)


def note_success(connection: Connection, account: str, fingerprint: str, now: float) -> bool:
    """The vendor takes calls again. True where that ended a halt or a row of rests.

    What came meanwhile, by another call, stays: a halt of the same credentials, or a
    rest that is not over.
    """
    known = standing(connection, account)
    if known is None or (known.halted and known.fingerprint == fingerprint):
        return False
    if known.fingerprint == "":
        return _got_through(connection, known, now)
    if known.fingerprint == fingerprint:
        return connection.execute(delete(accounts).where(_is(account))).rowcount == 1
    return known.halted and replace_refused(connection, account, now)


def _got_through(connection: Connection, known: Standing, now: float) -> bool:
    if known.rest_until > now:
        connection.execute(update(accounts).where(_is(known.name)).values(since=now))
        ended = False
    else:
        ended = connection.execute(delete(accounts).where(_is(known.name))).rowcount == 1
    clear_alert(connection, kind=RESTING, subject=known.name)
    return ended


def replace_refused(connection: Connection, account: str, now: float) -> bool:
    """End a halt for all but those who still have what was refused."""
    values = {"halted": False, "rest_until": now + REPLACED_SECONDS}
    halted = _is(account) & accounts.c.halted
    ended = connection.execute(update(accounts).where(halted).values(**values)).rowcount == 1
    # The account before its alert, as everywhere: else two could wait for each other.
    clear_alert(connection, kind=HALTED, subject=account)
    return ended


def resume(connection: Connection, account: str) -> bool:
    """Let a resting account send again; False where it was not resting."""
    ended = connection.execute(delete(accounts).where(_is(account))).rowcount == 1
    for kind in (HALTED, RESTING):
        clear_alert(connection, kind=kind, subject=account)
    return ended


def note_live(connection: Connection, account: str, now: float) -> None:
    """The account has credentials, so that a preview later on would be a mistake."""
    statement = insert(connection, live_accounts).values(name=account, since=now)
    connection.execute(statement.on_conflict_do_nothing(index_elements=["name"]))


def was_live(connection: Connection, account: str) -> bool:
    query = select(live_accounts.c.name).where(live_accounts.c.name == account)
    return connection.execute(query).first() is not None


def note_signed(connection: Connection, source: str, now: float) -> None:
    """The source has a secret of its sender's, so that a random one later on would be a mistake."""
    note_live(connection, _of_source(source), now)


def was_signed(connection: Connection, source: str) -> bool:
    return was_live(connection, _of_source(source))


def _of_source(source: str) -> str:
    """Among the accounts that have had credentials; no account's name has a blank."""
    return f"source {source}"


def _is(account: str) -> ColumnElement[bool]:
    return accounts.c.name == account


def _resting(query: Select[Any], now: float) -> Select[Any]:
    """What was refused and replaced rests for some workers, but the account does not."""
    rests = (accounts.c.rest_until > now) & (accounts.c.fingerprint == "")
    return query.where(accounts.c.halted | rests)


def _goes_on(known: Standing, now: float) -> bool:
    rests = not known.halted and known.fingerprint == ""
    return rests and now <= known.rest_until + LULL_SECONDS


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
