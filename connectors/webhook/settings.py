"""What an account of the webhook connector is told: whereto, what proves it, what answers mean."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from ipaddress import ip_network
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from bridge.connector import ConnectorSettings, Field, SecretStr
from connectors.webhook.addresses import Network, is_disguised

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}", re.ASCII)
_VALUE = re.compile(r"[\x20-\x7e]{0,8000}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]+\]", re.ASCII)
# The connector writes these itself, or they would change where a request ends.
_RESERVED = re.compile(
    "host|connection|keep-alive|content-(?:length|type|encoding)|transfer-encoding|te|trailer"
    "|upgrade|expect|accept-encoding|webhook-.*|proxy-.*|http2-settings",
    re.IGNORECASE,
)
_CREDENTIAL = re.compile("auth|token|secret|password|cookie|key", re.IGNORECASE)
_CODES = re.compile(r"([2-5][0-9]{2})(?:-([2-5][0-9]{2}))?", re.ASCII)
_WIDEST = {4: 8, 6: 7}


def _code(value: Any) -> str:
    text = str(value).replace(" ", "") if isinstance(value, str | int) else ""
    found = _CODES.fullmatch(text)
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if first > last:
        raise ValueError("write a status code like 429, or several like 500-599")
    if first < 400 and last >= 300:
        raise ValueError("redirects (300-399) are never followed, so they cannot be told apart")
    return text


def _network(value: Any) -> Network:
    try:
        network = ip_network(value.strip() if isinstance(value, str) else "")
    except ValueError:
        raise ValueError(
            "write the address or network of your application, like 192.168.1.20 or 10.0.0.0/8"
        ) from None
    if network.prefixlen < _WIDEST[network.version]:
        raise ValueError("this network is too wide to be your own; name the one that is")
    return network


def _plain_value(value: str) -> str:
    if not _VALUE.fullmatch(value):
        raise ValueError("a header is one line of plain characters, without line breaks")
    return value.strip()


def _secret_value(value: SecretStr) -> SecretStr:
    return SecretStr(_plain_value(value.get_secret_value()))


Code = Annotated[str, BeforeValidator(_code)]
OwnNetwork = Annotated[Any, BeforeValidator(_network), WithJsonSchema({"type": "string"})]
PlainValue = Annotated[str, AfterValidator(_plain_value)]
SecretValue = Annotated[SecretStr, AfterValidator(_secret_value)]


class WebhookSettings(ConnectorSettings):
    """One receiver. Without its `url` the account is in preview."""

    lives_by: ClassVar[tuple[str, ...]] = ("url",)

    url: SecretStr | None = Field(
        default=None,
        description="The receiver's address, as Zapier, Make, n8n or your own application shows "
        "it. Whoever knows it can write there, so it is a secret.",
    )
    signing_secret: SecretStr | None = Field(
        default=None,
        description="Signs each request as Standard Webhooks does, so that the receiver can tell "
        "that it comes from you: `whsec_` and 24 to 64 bytes in Base64.",
    )
    method: Literal["POST", "PUT", "PATCH"] = Field(
        default="POST", description="The method of each request."
    )
    headers: Mapping[str, PlainValue] = Field(
        default_factory=dict, description="More headers for each request, none of them a secret."
    )
    secret_headers: Mapping[str, SecretValue | None] = Field(
        default_factory=dict,
        description="More headers whose values are secrets, such as `Authorization`.",
    )
    allow_private: tuple[OwnNetwork, ...] = Field(
        default=(),
        description="Addresses or networks of your own that requests may go to, where the "
        "receiver is not on the Internet.",
    )
    success: tuple[Code, ...] = Field(
        default=("200-299",), description="The status codes that mean that it was taken."
    )
    retry: tuple[Code, ...] = Field(
        default=("408", "425", "429", "500-599"),
        description="The status codes after which it is sent again later.",
    )
    halt: tuple[Code, ...] = Field(
        default=("401", "403", "410"),
        description="The status codes after which the account rests until a person acts. "
        "Whatever is in none of these lists is refused for good.",
    )

    timeout: float = Field(
        default=20.0,
        gt=0,
        le=60,
        description="Seconds that a whole exchange with the receiver may take.",
    )

    @field_validator("base_url")
    @classmethod
    def _not_needed(cls, given: str | None) -> str | None:
        if given is not None:
            raise ValueError("`url` is the whole address; take this line out")
        return given

    @field_validator("url")
    @classmethod
    def _whole(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            _check_url(url.get_secret_value())
        return url

    @field_validator("signing_secret")
    @classmethod
    def _of_standard_webhooks(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and not 24 <= len(_key(secret.get_secret_value())) <= 64:
            raise ValueError("a signing secret is `whsec_` and then 24 to 64 bytes in Base64")
        return secret

    @field_validator("headers", "secret_headers")
    @classmethod
    def _named_well(cls, headers: Mapping[str, Any]) -> Mapping[str, Any]:
        for name in headers:
            if not _NAME.fullmatch(name):
                raise ValueError("a header's name holds letters, digits and hyphens")
            if _RESERVED.fullmatch(name):
                raise ValueError(f"`{name}` is written by the bridge itself; take it out")
        if len({name.lower() for name in headers}) < len(headers):
            raise ValueError("a header is named twice")
        return headers

    @field_validator("headers")
    @classmethod
    def _no_secret(cls, headers: Mapping[str, Any]) -> Mapping[str, Any]:
        for name in headers:
            if _CREDENTIAL.search(name):
                raise ValueError(f"`{name}` looks like a secret; write it below `secret_headers`")
        return headers

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.url is None:
            return self
        if self.target.scheme == "http" and not self.allow_private:
            raise ValueError(
                "`url` must begin with https://; http:// is for receivers in your own network, "
                "which `allow_private` names"
            )
        for name, value in self.secret_headers.items():
            if value is None:
                raise ValueError(f"the header `{name}` has no value: set its variable")
        if {name.lower() for name in self.headers} & {name.lower() for name in self.secret_headers}:
            raise ValueError("a header is in `headers` and in `secret_headers`")
        return self

    @cached_property
    def target(self) -> SplitResult:
        """The parts of `url`; without one, of an address that nobody has."""
        return urlsplit(self.url.get_secret_value() if self.url else "https://receiver.invalid/")

    def own_headers(self) -> dict[str, str]:
        """All headers that the account adds, secrets in the clear."""
        secret = {name: one.get_secret_value() for name, one in self.secret_headers.items() if one}
        return {**self.headers, **secret}


def within(status: int, codes: Sequence[str]) -> bool:
    """Whether a status is among codes as the settings write them."""
    bounds = [code.partition("-") for code in codes]
    return any(int(first) <= status <= int(last or first) for first, _, last in bounds)


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(
            "this is no address; it looks like https://hooks.example.com/..."
        ) from None
    written = parts.netloc.rpartition("@")[2]
    if parts.scheme not in ("https", "http") or port == 0 or "\\" in url:
        raise ValueError("a receiver's address begins with https://")
    if "@" in parts.netloc:
        raise ValueError("user and password do not go into `url`, but into `secret_headers`")
    if parts.fragment or not _HOST.fullmatch(re.sub(r":[0-9]*$", "", written)) or not host:
        raise ValueError("this is no address; it looks like https://hooks.example.com/...")
    if is_disguised(host):
        raise ValueError("write the host by its name, or as four plain numbers")


def _key(secret: str) -> bytes:
    """The bytes of a secret, none where it is not one."""
    if not secret.startswith("whsec_"):
        return b""
    text = secret.removeprefix("whsec_")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""
