"""The HTTP calls that the HubSpot connector makes, through the SDK and at the account's pace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Protocol

import urllib3
from hubspot import Client
from hubspot.crm.contacts.exceptions import OpenApiException

from bridge.connector import Halted, NotNow, Pacer, Retry, SecretStr
from connectors.hubspot.answers import CONTACT, Answer, Subject, outcome, seen

PATIENCE = 2
"""So many calls without an answer, and the rest of a batch is left for later."""


class CallSettings(Protocol):
    """What of an account's settings the calls need."""

    @property
    def access_token(self) -> SecretStr | None: ...
    @property
    def base_url(self) -> str | None: ...
    @property
    def timeout(self) -> float: ...


class Line:
    """The line to one account, kept open between batches."""

    def __init__(self, settings: CallSettings, pacer: Pacer) -> None:
        self._settings = settings
        self._pacer = pacer

    @cached_property
    def one_by_one(self) -> Any:
        """The SDK opens new connections for each of these objects: made once."""
        return self._client.crm.contacts.basic_api

    @cached_property
    def in_batches(self) -> Any:
        return self._client.crm.contacts.batch_api

    def request(
        self, method: str, path: str, body: Any = None, query: Mapping[str, str] | None = None
    ) -> Answer:
        """Any request of HubSpot's API; what stands in `path` is quoted already.

        Through the HTTP client below the SDK's methods: its `api_request` knows
        no timeout, and prints what goes wrong. Raises Halted without a token.
        """
        return self.ask(
            self.one_by_one.api_client.call_api,
            path,
            method,
            query_params=list((query or {}).items()),
            header_params={"Accept": "application/json", "Content-Type": "application/json"},
            body=body,
            auth_settings=["oauth2"],
        )

    def access_token(self) -> str:
        """For the one question that wants it in its body. Raises Halted."""
        token = self._settings.access_token
        if token is None:
            raise Halted("no access token is set; put one into `access_token` of this account")
        return token.get_secret_value()

    @cached_property
    def _client(self) -> Client:
        host = (self._settings.base_url or "").rstrip("/") or None
        retry = urllib3.Retry(0, redirect=0)  # the engine alone retries
        return Client.create(access_token=self.access_token(), host=host, retry=retry)

    def ask(self, call: Callable[..., Any], *args: Any, **options: Any) -> Answer:
        """One HTTP request, in its turn."""
        seconds = self._settings.timeout
        # Unparsed: the SDK's models take a page of HTML for a contact without fields.
        options |= {"_request_timeout": (seconds, seconds), "_preload_content": False}
        try:
            with self._pacer.call():
                answer = _answer(lambda: call(*args, **options))
        except NotNow as busy:
            return Answer(trouble=Retry(str(busy), busy.after, whole_account=True))
        if limits := seen(answer.headers):
            self._pacer.learn(limits)
        return answer


class Turn:
    """The calls for one batch of items.

    Nothing more goes out once the whole account has to wait, or HubSpot keeps
    silent; what was not sent gets the answer that stopped it.
    """

    def __init__(self, line: Line, about: Subject = CONTACT) -> None:
        self._line = line
        self._about = about
        self._silences = 0
        self._last: Answer | None = None

    def request(
        self, method: str, path: str, body: Any = None, query: Mapping[str, str] | None = None
    ) -> Answer:
        """As `Line.request`, but silent once it is time to stop. Raises Halted."""
        return self._ask(self._line.request, method, path, body, query)

    def update(self, contact: str, properties: dict[str, str], **options: str) -> Answer:
        """`contact` is an id, or what `id_property` says."""
        return self._typed(self._line.one_by_one.update, contact, _body(properties), **options)

    def create(self, properties: dict[str, str]) -> Answer:
        return self._typed(self._line.one_by_one.create, _body(properties))

    def batch(self, name: str, body: dict[str, Any]) -> Answer:
        """`name`: read, create or update. Raises Halted."""
        return self._typed(getattr(self._line.in_batches, name), body)

    def _typed(self, call: Callable[..., Any], *args: Any, **options: Any) -> Answer:
        return self._ask(self._line.ask, call, *args, **options)

    def _ask(self, ask: Callable[..., Answer], *args: Any, **options: Any) -> Answer:
        if self._last:
            return self._last
        answer = ask(*args, **options)
        came_to = outcome(answer, about=self._about)
        self._silences += answer.trouble is not None
        whole_account = isinstance(came_to, Retry) and came_to.whole_account
        if whole_account or self._silences >= PATIENCE:
            self._last = answer
        return answer


def _body(properties: dict[str, str]) -> dict[str, Any]:
    return {"properties": properties}


def _answer(call: Callable[[], Any]) -> Answer:
    try:
        response = call()
        return Answer(response.status, response.data.decode(errors="replace"), response.headers)
    except OpenApiException as error:
        # One class per SDK package, and status 0 where TLS failed.
        status = getattr(error, "status", None) or 0
        text, headers = getattr(error, "body", None), getattr(error, "headers", None)
        if status:
            return Answer(status, text if isinstance(text, str) else "", headers or {})
        return Answer(trouble=Retry("no safe connection to HubSpot could be made"))
    except urllib3.exceptions.MaxRetryError as error:
        away = isinstance(error.reason, urllib3.exceptions.NewConnectionError)
        return Answer(trouble=Retry("HubSpot could not be reached", whole_account=away))
    except urllib3.exceptions.HTTPError:
        unheard = Retry("HubSpot did not answer in time, or the connection broke")
        return Answer(trouble=unheard, unheard=True)
    except ValueError:
        return Answer(trouble=Retry("HubSpot's answer could not be read"), unheard=True)
