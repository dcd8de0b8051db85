"""The calls for deals: their paths and bodies, and what a preview shows of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bridge.connector import Call
from connectors.hubspot import people
from connectors.hubspot.deals import NAME, OBJECT, PIPELINE, STAGE, MoveDeal, UpsertDeal

DEALS = "/crm/v3/objects/deals"
READ, UPSERT, UPDATE = (f"{DEALS}/batch/{name}" for name in ("read", "upsert", "update"))
ASSOCIATE = "/crm/v4/associations/deals/contacts/batch/associate/default"

NOT_REMEMBERED = "unless it was asked in the last minutes"
"""When the calls that read an account's own names and types are made."""


def to_read(id_property: str, ids: Iterable[str]) -> dict[str, Any]:
    """Asks where deals stand."""
    return {
        "idProperty": id_property,
        "properties": [id_property, PIPELINE, STAGE],
        "inputs": [{"id": each} for each in ids],
    }


def to_associate(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Deals and contacts, by their ids."""
    return {"inputs": [{"from": {"id": deal}, "to": {"id": one}} for deal, one in pairs]}


def preview_upsert(_: Any, item: UpsertDeal) -> list[Call]:
    """As for a new deal; the stage stands here as the rule names it."""
    new = {NAME: item.id, **item.written, item.id_property: item.id, **_placed(item)}
    upsert = {"idProperty": item.id_property, "id": item.id, "properties": new}
    linked = people.preview(item.email) if item.email else []
    links = [Call("POST", ASSOCIATE, body=to_associate([("***", "***")]))] if item.email else []
    return [*_looked_up(item), *linked, Call("POST", UPSERT, body=_batch(upsert)), *links]


def preview_move(_: Any, item: MoveDeal) -> list[Call]:
    """The stage stands here as the rule names it."""
    update = {"id": "***", "properties": item.written | _placed(item)}
    when = "the deal is there, and not at a later stage"
    return [*_looked_up(item), Call("POST", UPDATE, body=_batch(update), when=when)]


def _looked_up(item: MoveDeal) -> list[Call]:
    return [
        Call("GET", f"/crm/v3/properties/{OBJECT}", when=NOT_REMEMBERED),
        Call("GET", f"/crm/v3/pipelines/{OBJECT}", when=NOT_REMEMBERED),
        Call("POST", READ, body=to_read(item.id_property, [item.id])),
    ]


def _placed(item: MoveDeal) -> dict[str, str]:
    return {PIPELINE: item.pipeline or "***", STAGE: item.stage}


def _batch(body: Mapping[str, Any]) -> dict[str, Any]:
    return {"inputs": [{**body, "objectWriteTraceId": "0"}]}
