"""What every connector must do, as tests that its author inherits.

    class TestAcme(ConnectorConformance):
        connector = Acme

        def settings(self, base_url, timeout):
            return Acme.Settings(api_key=SecretStr("k-123"), base_url=base_url, timeout=timeout)

        def item(self, action):
            return {"email": "ada@example.com"}

        def refused_item(self, action):
            return {"email": "refused@example.com"}

        def vendor(self, action, request):
            return Answer(400, {...}) if "refused@" in str(request) else Answer(200, {"id": 1})

Nothing is mocked: the connector's own SDK speaks HTTP to a server on this machine.
"""

from __future__ import annotations

import logging
import time
from typing import ClassVar

import pytest
from pydantic import ValidationError

from bridge.connector import (
    Action,
    Delivered,
    Halted,
    Item,
    Rejected,
    Retry,
    Suppressed,
    Unknown,
)
from bridge.testing.batches import BatchConformance
from bridge.testing.bench import HURRY, PATIENCE
from bridge.testing.probes import (
    HOSTILE,
    addresses,
    call,
    holds_none,
    hostile_items,
    run,
    same_body,
    same_path,
    secrets,
    told,
)
from bridge.testing.vendor import Answer, Silence, closed_url

_OUTCOMES = (Delivered, Retry, Rejected, Suppressed, Unknown)


class ConnectorConformance(BatchConformance):
    """Inherit, set `connector`, fill in the four methods of `ConnectorBench`.

    `unauthorised` and `throttled`: what this vendor says of bad credentials and too many calls.
    `harmless_first`: actions that are not idempotent, but whose first call is.
    """

    unauthorised: ClassVar[Answer] = Answer(401, {"message": "unauthorised"})
    throttled: ClassVar[Answer] = Answer(429, {"message": "slow down"}, {"Retry-After": "7"})
    harmless_first: ClassVar[frozenset[str]] = frozenset()

    # What is declared

    def test_every_action_tells_marketers_what_it_does(self) -> None:
        assert self._actions(), "the connector declares no action"
        for action in self._actions():
            assert action.about, f"{action.name} has no docstring"
            assert len(action.about) <= 120, f"{action.name}: the docstring's first line is long"

    def test_every_item_refuses_fields_that_it_does_not_know(self) -> None:
        for action in self._actions():
            assert issubclass(action.item, Item)
            with pytest.raises(ValidationError):
                action.item.model_validate({**self.item(action.name), "no_such_field": "x"})

    def test_lane_and_consent_name_fields_of_the_item(self) -> None:
        for action in self._actions():
            for named in (action.lane, action.consent_for):
                computed = isinstance(getattr(action.item, named or "", None), property)
                known = named is None or named in action.item.model_fields or computed
                assert known, (action.name, named)

    def test_escaping_leaves_plain_words_alone(self) -> None:
        for action in self._actions():
            escape = action.item.escape
            if escape is not None:
                assert escape("Ada Lovelace, 36") == "Ada Lovelace, 36"
                assert all(isinstance(escape(hostile), str) for hostile in HOSTILE)

    def test_an_account_without_secrets_can_preview(self) -> None:
        settings = self.connector.Settings()
        self.connector(settings)
        assert not secrets(settings), "a secret has a value of its own"
        for action in self._actions():
            action.preview(settings, self._item(action))

    # The preview

    def test_a_preview_sends_nothing_and_stays_the_same(self) -> None:
        for action in self._actions():
            with self._serving(action) as (connector, server):
                item = self._item(action)
                before = item.model_dump()
                first = list(action.preview(connector.settings, item))
                assert first == list(action.preview(connector.settings, item))
                assert item.model_dump() == before, "the preview changed its item"
                assert not server.requests, "the preview called the vendor"

    def test_a_preview_tells_the_requests_that_a_new_item_makes(self) -> None:
        for action in self._actions():
            with self._serving(action) as (connector, server):
                item = self._item(action)
                run(connector, action, item)
                preview = list(action.preview(connector.settings, item))
                assert [step.method for step in preview] == [r.method for r in server.requests]
                for step, request in zip(preview, server.requests, strict=True):
                    assert same_path(step.path, request.path), (step.path, request.path)
                    assert dict(step.query) == dict(request.query)
                    assert same_body(step.body, request.body), (step.body, request.body)

    def test_a_preview_shows_no_secret(self) -> None:
        for action in self._actions():
            with self._serving(action) as (connector, _):
                preview = list(action.preview(connector.settings, self._item(action)))
                holds_none(repr(preview), secrets(connector.settings))

    # Items and outcomes

    def test_a_new_item_is_delivered_to_the_given_address(self) -> None:
        for action in self._actions():
            with self._serving(action) as (connector, server):
                assert isinstance(run(connector, action, self._item(action)), Delivered)
                assert server.requests, "delivered, but not to `base_url`"

    def test_an_item_with_its_delivery_id_is_delivered(self) -> None:
        for action in self._actions():
            with self._serving(action) as (connector, _):
                item = self._item(action, "0123456789abcdef")
                assert isinstance(run(connector, action, item), Delivered)

    def test_a_refused_item_is_rejected_and_its_neighbours_delivered(self) -> None:
        """Three items in one call, even where `batch` is 1: a batch may grow."""
        for action in self._actions():
            with self._serving(action) as (connector, _):
                good = self._item(action)
                bad = self._refused(action)
                outcomes = call(connector, action, [good, bad, good])
                kinds = [type(outcome) for outcome in outcomes]
                assert kinds == [Delivered, Rejected, Delivered], (action.name, outcomes)

    def test_hostile_texts_never_raise(self) -> None:
        for action in self._actions():
            with self._serving(action) as (connector, _):
                for item in hostile_items(action.item, self.item(action.name)):
                    action.preview(connector.settings, item)
                    outcomes = call(connector, action, [item])
                    assert len(outcomes) == 1, "one outcome for each item"
                    assert isinstance(outcomes[0], _OUTCOMES), outcomes

    # Refusals and failures

    def test_too_many_calls_are_retried_later_and_not_at_once(self) -> None:
        for action in self._actions():
            outcome, count = self._against(action, self.throttled)
            assert isinstance(outcome, Retry), outcome
            assert outcome.whole_account, "the next delivery would run into the same wall"
            assert count == 1, f"{count} requests: only the engine retries"

    def test_a_server_error_is_left_to_the_engine(self) -> None:
        for action in self._actions():
            for answer in (Answer(500), Answer(503, "<html>down</html>", {"Retry-After": "1"})):
                outcome, count = self._against(action, answer)
                allowed = Retry if action.idempotent else (Retry, Unknown)
                assert isinstance(outcome, allowed), outcome
                assert count == 1, f"{count} requests: only the engine retries"

    def test_a_closed_port_is_retried(self) -> None:
        for action in self._actions():
            connector = self.connector(self.settings(closed_url(), PATIENCE))
            outcome = run(connector, action, self._item(action))
            assert isinstance(outcome, Retry), outcome

    def test_a_dropped_connection_is_not_repeated(self) -> None:
        for action in self._actions():
            outcome, count = self._against(action, Silence.DROP)
            assert isinstance(outcome, self._when_unanswered(action)), outcome
            assert count == 1, f"{count} requests: only the engine retries"

    def test_a_vendor_that_hangs_is_given_up(self) -> None:
        for action in self._actions():
            started = time.monotonic()
            outcome, count = self._against(action, Silence.HANG, HURRY)
            # A busy machine may take its time; who keeps no timeout waits for ever.
            assert time.monotonic() - started < 4 * HURRY + 4, "`timeout` is not kept"
            assert isinstance(outcome, self._when_unanswered(action)), outcome
            assert count == 1, f"{count} requests: only the engine retries"

    def test_refused_credentials_halt_the_account(self) -> None:
        for action in self._actions():
            with self._serving(action) as (connector, server):
                server.script(self.unauthorised)
                with pytest.raises(Halted):
                    call(connector, action, [self._item(action)])

    def test_nonsense_is_no_delivery(self) -> None:
        html = Answer(200, "<html>Welcome to our hotel</html>", {"Content-Type": "text/html"})
        for nonsense in (html, Answer(200, [1, 2]), Answer(200, b"{\xff"), Answer(200, "null")):
            for action in self._actions():
                outcome, _ = self._against(action, nonsense)
                assert isinstance(outcome, _OUTCOMES), outcome
                assert not isinstance(outcome, Delivered), (nonsense, outcome)

    def test_looking_a_delivery_up_never_raises(self) -> None:
        for reply in (Answer(500), Answer(200, "?"), self.unauthorised, Silence.DROP):
            for action in self._actions():
                with self._serving(action) as (connector, server):
                    server.script(reply)
                    item = self._item(action, "0123456789abcdef")
                    found = connector.find(action.name, item)
                    assert not isinstance(found, Delivered), "found what was never sent"

    def _when_unanswered(self, action: Action) -> type[Retry | Unknown]:
        """What the first call comes to, where nobody can tell whether it was done."""
        harmless = action.idempotent or action.name in self.harmless_first
        return Retry if harmless else Unknown

    # What nobody may see

    def test_no_reason_tells_a_secret_or_an_address(self) -> None:
        for action in self._actions():
            item = self._refused(action)
            private = addresses(item)
            for reply in (None, self.unauthorised, self.throttled, Answer(500), Silence.DROP):
                with self._serving(action) as (connector, server):
                    if reply is not None:
                        server.script(reply)
                    said = f"{told(connector, action, item)} {connector!r} {connector.settings!r}"
                    holds_none(said, [*secrets(connector.settings), *private])

    def test_nothing_private_is_logged_or_printed(
        self, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
    ) -> None:
        caplog.set_level(logging.DEBUG)
        for action in self._actions():
            item = self._item(action)
            for reply in (None, self.unauthorised, Answer(500, str(item)), Silence.DROP):
                with self._serving(action) as (connector, server):
                    if reply is not None:
                        server.script(reply)
                    told(connector, action, item)
                    printed = capsys.readouterr()
                    seen = f"{caplog.text} {printed.out} {printed.err}"
                    holds_none(seen, [*secrets(connector.settings), *addresses(item)])
