"""Writing a note once, and finding one of which nobody knows whether it was written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bridge.connector import Delivered, Halted, Outcome, Rejected, Retry, Unknown
from connectors.hubspot.answers import Answer, outcome
from connectors.hubspot.calls import Line, Turn
from connectors.hubspot.deal_calls import READ, to_read
from connectors.hubspot.deal_plans import Planner
from connectors.hubspot.deals import DEAL
from connectors.hubspot.definitions import dicts
from connectors.hubspot.notes import NOTE, NOTES, AddNote, carries, to_create
from connectors.hubspot.people import key_of, known, made_sure
from connectors.hubspot.schema import NotRead, Schema

PAGE = 500
AT_ONCE = 100
MOST_NOTES = 1_000
"""So many notes of a contact are looked through."""


def add(line: Line, schema: Schema, item: AddNote) -> Outcome:
    """Raises Halted."""
    refused = _unusable(schema, item) if item.names_deal else None
    if refused:
        return refused
    turn = Turn(line, NOTE)
    contact = made_sure(turn, [item.email])[key_of(item.email)]
    if not isinstance(contact, str):
        return contact
    deal = _deal(Turn(line, DEAL), item) if item.names_deal else ""
    if not isinstance(deal, str):
        return deal
    came_to = _written(turn.request("POST", NOTES, to_create(item, contact, deal)))
    if isinstance(came_to, Delivered) and item.names_deal and not deal:
        remark = "there is no such deal, so the note is on the contact alone"
        return Delivered(came_to.reference, remark=remark)
    return came_to


def find(line: Line, item: AddNote) -> Delivered | Retry | Unknown | None:
    """Look through the contact's notes.

    By its associations, not by a search: what was written a moment ago is not
    in HubSpot's search yet, so that absence there says nothing
    (https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm).
    """
    turn = Turn(line, NOTE)
    try:
        contact = known(turn, [item.email]).get(key_of(item.email))
        if isinstance(contact, Retry):
            return contact
        return _among(turn, contact, item) if isinstance(contact, str) else None
    except Halted as refused:
        return Retry(str(refused))


def _unusable(schema: Schema, item: AddNote) -> Retry | Rejected | None:
    try:
        return Planner(schema).unusable(item.deal_id_property)
    except NotRead as later:
        return later.retry


def _deal(turn: Turn, item: AddNote) -> str | Retry | Rejected:
    """The deal's id; empty where it is not there."""
    answer = turn.request("POST", READ, to_read(item.deal_id_property, [item.deal_id]))
    if answer.ok and isinstance(answer.body.get("results"), list):
        found = dicts(answer.body["results"])
        return str(found[0].get("id") or "") if found else ""
    came_to = outcome(answer, [item.deal_id_property], DEAL)
    if isinstance(came_to, Retry | Rejected):
        return came_to
    return Retry("HubSpot's answer makes no sense")


def _written(answer: Answer) -> Outcome:
    if answer.unheard and answer.trouble:
        return Unknown(answer.trouble.reason)
    came_to = outcome(answer, about=NOTE)
    may_be_there = answer.ok or answer.status >= 500 or answer.status == 408
    if isinstance(came_to, Retry) and may_be_there:
        return Unknown(came_to.reason)
    return came_to


def _among(turn: Turn, contact: str, item: AddNote) -> Delivered | Retry | Unknown | None:
    notes = _notes_of(turn, contact)
    if isinstance(notes, Retry | Unknown):
        return notes
    for some in _portions(notes):
        answer = turn.request("POST", f"{NOTES}/batch/read", _reading(some))
        if not (answer.ok and isinstance(answer.body.get("results"), list)):
            return _unseen(answer)
        for note in dicts(answer.body["results"]):
            if carries(str(_properties(note).get("hs_note_body")), item):
                return Delivered(str(note.get("id") or ""))
    return None


def _notes_of(turn: Turn, contact: str) -> list[str] | Retry | Unknown:
    """Their ids."""
    notes: list[str] = []
    after = ""
    while True:
        query = {"limit": str(PAGE)} | ({"after": after} if after else {})
        path = f"/crm/v4/objects/contacts/{contact}/associations/notes"
        answer = turn.request("GET", path, query=query)
        if not (answer.ok and isinstance(answer.body.get("results"), list)):
            return _unseen(answer)
        notes += [str(each.get("toObjectId")) for each in dicts(answer.body["results"])]
        after = _next(answer)
        if not after:
            return notes
        if len(notes) >= MOST_NOTES:
            return Unknown("this contact has too many notes to look through")


def _unseen(answer: Answer) -> Retry:
    came_to = outcome(answer, about=NOTE)
    if isinstance(came_to, Retry):
        return came_to
    return Retry("HubSpot's answer makes no sense")


def _next(answer: Answer) -> str:
    paging = answer.body.get("paging")
    following = paging.get("next") if isinstance(paging, dict) else None
    return str(following.get("after") or "") if isinstance(following, dict) else ""


def _reading(notes: list[str]) -> dict[str, Any]:
    return {"properties": ["hs_note_body"], "inputs": [{"id": each} for each in notes]}


def _properties(note: Any) -> dict[str, Any]:
    found = note.get("properties")
    return found if isinstance(found, dict) else {}


def _portions(notes: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(notes), AT_ONCE):
        yield notes[start : start + AT_ONCE]
