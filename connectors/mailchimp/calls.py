"""The line to one Mailchimp account: the vendor's SDK, one HTTP request at a time."""

from __future__ import annotations

from functools import cached_property
from operator import attrgetter
from typing import Any

from mailchimp_marketing import Client

from bridge.connector import Halted, NotNow, Pacer, Retry
from connectors.mailchimp.answers import Answer, answered
from connectors.mailchimp.settings import MailchimpSettings


class Line:
    """The SDK keeps nothing between its calls, so that several may be under way at once."""

    def __init__(self, settings: MailchimpSettings, pacer: Pacer) -> None:
        self._settings = settings
        self._pacer = pacer

    def ask(self, method: str, *args: Any, **options: Any) -> Answer:
        """Call a method of the SDK, such as `lists.get_list`. Raises Halted without a key."""
        call = attrgetter(method)(self._client)
        try:
            with self._pacer.call():
                return answered(lambda: call(*args, **options))
        except NotNow as busy:
            return Answer(trouble=Retry(str(busy), busy.after, whole_account=True))

    @cached_property
    def _client(self) -> Any:
        settings = self._settings
        if settings.api_key is None:
            raise Halted("no API key is set; put one into `api_key` of this account")
        key, seconds = settings.api_key.get_secret_value(), settings.timeout
        # With a `server`, the SDK would replace that very word wherever a URL holds it.
        client = Client({"api_key": key, "server": "", "timeout": seconds})
        host = settings.base_url or f"https://{settings.centre}.api.mailchimp.com"
        client.api_client.host = f"{host.rstrip('/')}/3.0"
        return client
