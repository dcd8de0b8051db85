"""Notes through HubSpot's own SDK: escaped, cut, once, and found again where nobody knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.connector import Delivered, Halted, Rejected, Retry, Unknown
from bridge.testing.probes import HOSTILE
from bridge.testing.vendor import Answer, Reply, Silence, closed_url
from connectors.hubspot import HubSpot
from connectors.hubspot.deals import UpsertDeal
from connectors.hubspot.notes import LONGEST, AddNote, body, cut
from tests.connectors.hubspot_bench import BARRED, LIMITED, Hub, HubSpotConformance, hub, settings
from tests.connectors.hubspot_crm import Crm

DELIVERY = "0123456789abcdef01234567"
EVENT = {"event": {"id": "e1", "time": "2026-03-01T10:00:00+00:00", "type": "x", "source": "y"}}
NOTES = "POST /crm/v3/objects/notes"
PEOPLE = [f"POST /crm/v3/objects/contacts/batch/{name}" for name in ("read", "create")]
DEAL = "POST /crm/v3/objects/deals/batch/read"


@pytest.fixture
def there() -> Iterator[Hub]:
    with hub(Crm()) as found:
        yield found


def note(text: str = "Bought two tickets", delivery: str = DELIVERY, **fields: Any) -> AddNote:
    item = AddNote.model_validate({"email": "ada@example.com", "text": text, **fields})
    return item.for_delivery(delivery, event=EVENT)


def on_deal(text: str = "Bought two tickets", order: str = "A-1") -> AddNote:
    return note(text, deal_id_property="order_number", deal_id=order)


class TestConformance(HubSpotConformance):
    action = "add_note"
    harmless_first = frozenset({"add_note"})

    def prepare(self, crm: Crm) -> None:
        crm.deal("A-1")

    def item(self, action: str) -> Mapping[str, Any]:
        return {
            "email": "ada+tag@example.com",
            "text": "Bought two tickets",
            "deal_id_property": "order_number",
            "deal_id": "A-1",
            "time": "2026-03-01",
        }

    def refused_item(self, action: str) -> Mapping[str, Any]:
        return {**self.item(action), "text": "poison"}


# What is written


def test_a_note_is_on_the_contact_and_the_deal_at_the_time_it_happened(there: Hub) -> None:
    key = there.crm.deal("A-1")
    there.crm.account.add("ada@example.com")
    item = on_deal().model_copy(update={"time": "2026-02-28T20:00:00+02:00"})
    outcome = there.one("add_note", item.for_delivery(DELIVERY, event=EVENT))
    ((reference, written),) = there.crm.notes.items()
    assert outcome == Delivered(reference)
    assert written["deals"] == [key]
    assert written["hs_timestamp"] == "2026-02-28T18:00:00.000Z"
    assert there.crm.notes_of("ada@example.com") == [written]
    assert there.calls() == [PEOPLE[0], DEAL, NOTES]


def test_without_a_time_it_is_when_the_event_was_received(there: Hub) -> None:
    for time in ("", "2022-15-30T06:45:00.250Z"):
        there.one("add_note", note(time=time))
    times = {each["hs_timestamp"] for each in there.crm.notes.values()}
    assert times == {"2026-03-01T10:00:00.000Z"}


def test_who_is_no_contact_yet_becomes_a_bare_one(there: Hub) -> None:
    there.one("add_note", note())
    assert there.crm.account.people() == {"ada@example.com": {"email": "ada@example.com"}}
    assert there.calls() == [*PEOPLE, NOTES]


def test_without_its_deal_a_note_is_on_the_contact_alone(there: Hub) -> None:
    outcome = there.one("add_note", on_deal(order="B-2"))
    (written,) = there.crm.notes_of("ada@example.com")
    assert written["deals"] == []
    assert isinstance(outcome, Delivered)
    assert outcome.remark == "there is no such deal, so the note is on the contact alone"


def test_a_deal_needs_its_property() -> None:
    with pytest.raises(ValidationError, match="needs `deal_id_property`"):
        note(deal_id="A-1")
    assert not note(deal_id_property="order_number", deal_id="").names_deal


class _Reader(HTMLParser):
    """What a browser makes of a note."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.text += "\n" if tag == "br" else ""
        assert not attrs

    def handle_data(self, data: str) -> None:
        self.text += data


@examples(max_examples=60, deadline=None)
@given(
    text=st.one_of(
        st.text(max_size=300),
        st.sampled_from(HOSTILE),
        st.sampled_from(["&", "<", "\U0001f600", "\n", "é"]).map(lambda one: one * 70_000),
    ).filter(lambda text: bool(text.strip()))
)
def test_no_text_breaks_out_of_its_note(text: str) -> None:
    """No markup of its own, no overlong note, no half entity; the foot is always whole."""
    written = body(note(text))
    assert len(written.encode("utf-16-le")) // 2 <= LONGEST
    read = _Reader(written)
    assert set(read.tags) <= {"br", "em"}
    assert read.tags.count("em") == 1
    assert read.text.endswith(f"Showbridge {DELIVERY}")
    assert not set(read.text) & set("\0\x1b\u202e\ud800")
    told = read.text.rpartition("\n\nShowbridge")[0].removesuffix("…")
    kept = [each for each in text.strip() if each in told or each == "\r"]
    assert len(told) >= min(len(kept), 10_000) * 0.9


def test_what_is_cut_ends_in_an_ellipsis_between_characters() -> None:
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abcdefg", 6) == "abcde…"
    assert cut("a&b", 6) == "a…"
    assert cut("a&b", 7) == "a&amp;b"
    assert cut("\U0001f600" * 4, 6) == "\U0001f600\U0001f600…"
    assert cut("a\nb", 6) == "a<br>b"


# Once


@pytest.mark.parametrize(
    "reply", [Silence.DROP, Answer(500), Answer(503), Answer(408), Answer(200, "<html>")], ids=repr
)
def test_where_nobody_knows_it_is_looked_for_before_it_is_written(there: Hub, reply: Reply) -> None:
    item = on_deal()
    there.crm.deal("A-1")
    there.instead("objects/notes", reply)
    assert isinstance(there.one("add_note", item), Unknown)
    assert there.hubspot.find("add_note", item) is None
    done = there.one("add_note", item)
    assert isinstance(done, Delivered)
    assert there.hubspot.find("add_note", item) == Delivered(done.reference)
    assert there.hubspot.find("add_note", on_deal().for_delivery("f" * 24)) is None


def test_what_was_written_although_the_answer_was_lost_is_found(there: Hub) -> None:
    def lost(request: Any) -> Reply:
        there.crm.answer(request)
        return Silence.DROP if request.path.endswith("/notes") else there.crm.answer(request)

    there.server.handler = lost
    assert isinstance(there.one("add_note", note()), Unknown)
    there.server.handler = there.crm.answer
    assert there.hubspot.find("add_note", note()) == Delivered(next(iter(there.crm.notes)))


@pytest.mark.parametrize(
    "reply", [Answer(429, LIMITED), Answer(423, {"status": "error"}), Answer(404, {"x": 1})]
)
def test_what_was_surely_not_written_is_tried_again(there: Hub, reply: Answer) -> None:
    there.instead("objects/notes", reply)
    assert isinstance(there.one("add_note", note()), Retry)


def test_where_hubspot_cannot_be_reached_nothing_was_written() -> None:
    outcomes = HubSpot(settings(closed_url())).add_note([note()])
    assert [type(each) for each in outcomes] == [Retry]


@pytest.mark.parametrize(
    "path", ["contacts/batch/read", "contacts/batch/create", "deals/batch/read"]
)
@pytest.mark.parametrize("reply", [Silence.DROP, Answer(500), Answer(429, LIMITED)], ids=repr)
def test_before_the_note_itself_nothing_is_in_doubt(there: Hub, path: str, reply: Reply) -> None:
    there.instead(path, reply)
    assert isinstance(there.one("add_note", on_deal()), Retry)
    assert not there.crm.notes


# Looking for it


def test_looking_makes_no_contact(there: Hub) -> None:
    assert there.hubspot.find("add_note", note()) is None
    assert there.calls() == [PEOPLE[0]]


def test_all_notes_are_looked_through_a_hundred_at_a_time(there: Hub) -> None:
    contact = there.crm.account.add("ada@example.com")
    told = {"contacts": [contact], "hs_note_body": "by hand"}
    for _ in range(150):
        there.crm._new(there.crm.notes, told)
    there.one("add_note", note())
    there.calls()
    assert isinstance(there.hubspot.find("add_note", note()), Delivered)
    assert there.calls() == [
        PEOPLE[0],
        f"GET /crm/v4/objects/contacts/{contact}/associations/notes",
        *["POST /crm/v3/objects/notes/batch/read"] * 2,
    ]


def test_with_too_many_notes_a_person_decides(there: Hub) -> None:
    contact = there.crm.account.add("ada@example.com")
    for _ in range(1_001):
        there.crm._new(there.crm.notes, {"contacts": [contact], "hs_note_body": "by hand"})
    assert there.hubspot.find("add_note", note()) == Unknown(
        "this contact has too many notes to look through"
    )


@pytest.mark.parametrize("path", ["contacts/batch/read", "associations/notes", "notes/batch/read"])
@pytest.mark.parametrize(
    "reply",
    [Silence.DROP, Answer(500), Answer(429, LIMITED), Answer(200, "<html>"), BARRED],
    ids=repr,
)
def test_while_it_cannot_be_looked_for_nothing_is_written(
    there: Hub, path: str, reply: Reply
) -> None:
    there.one("add_note", note())
    there.instead(path, reply)
    assert isinstance(there.hubspot.find("add_note", note()), Retry)
    assert len(there.crm.notes) == 1


def test_what_is_no_note_is_not_looked_for(there: Hub) -> None:
    item = UpsertDeal(id_property="order_number", id="A-1", stage="x").for_delivery(DELIVERY)
    assert isinstance(there.hubspot.find("upsert_deal", item), Unknown)
    assert isinstance(there.hubspot.find("add_note", note(delivery="")), Unknown)


# What HubSpot says


def test_a_note_that_is_refused_is_told(there: Hub) -> None:
    refused = there.one("add_note", note("poison"))
    assert isinstance(refused, Rejected)
    assert refused.reason.startswith("HubSpot refuses the note (400 VALIDATION_ERROR")


def test_a_deal_property_that_is_not_unique_is_told(there: Hub) -> None:
    refused = there.one("add_note", note(deal_id_property="remark", deal_id="x"))
    assert isinstance(refused, Rejected)
    assert "lets two deals have the same `remark`" in refused.reason
    with hub(there.crm) as anew:
        anew.instead("properties/deals", Answer(500))
        assert isinstance(anew.one("add_note", on_deal()), Retry)
    assert not there.crm.notes


@pytest.mark.parametrize(
    ("path", "scope"), [("objects/notes", "contacts"), ("deals/batch/read", "deals")]
)
def test_a_token_without_the_scopes_halts_the_account(there: Hub, path: str, scope: str) -> None:
    there.instead(path, BARRED)
    with pytest.raises(Halted, match=rf"crm\.objects\.{scope}\.write"):
        there.one("add_note", on_deal())
