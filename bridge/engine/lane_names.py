"""How lanes are named: `account.action[:value][#shard]`. Pure."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Mapping

from bridge.connector import Action, Connector, Item

VALUE_LENGTH = 120


def lane_of(account: str, action: Action, item: Item, order_key: str) -> str:
    """`account.action`, with the value that must not be mixed and the person's shard."""
    lane = f"{account}.{action.together or action.name}"
    if action.lane is not None:
        lane += f":{short(str(getattr(item, action.lane)))}"
    if action.shards > 1:
        lane += f"#{zlib.crc32(order_key.encode()) % action.shards}"
    return lane


def account_of(lane: str) -> str:
    return lane.partition(".")[0]


def actions_of(lane: str, kind: type[Connector]) -> Mapping[str, Action]:
    """The actions whose deliveries share the lane, by name."""
    group = lane.partition(".")[2].partition(":")[0].partition("#")[0]
    return {
        name: action
        for name, action in kind.actions().items()
        if (action.together or name) == group
    }


def value_of(lane: str, actions: Iterable[Action]) -> str:
    """What the lane's deliveries share, as `short` has it; empty where that is nothing."""
    value = lane.partition(":")[2]
    sharded = any(action.shards > 1 for action in actions)
    return value.rpartition("#")[0] if sharded else value


def short(value: str) -> str:
    """Short enough for an index, and still one lane for each value."""
    if len(value) <= VALUE_LENGTH and "\x00" not in value:
        return value
    kept = value[:VALUE_LENGTH].replace("\x00", "")
    return f"{kept}~{hashlib.sha256(value.encode()).hexdigest()[:12]}"
