"""The shape of `bridge.yaml`: which keys there are, of what type, with what defaults."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from bridge.hosts import read_host, read_listening

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_ADDRESS = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+", re.ASCII)
_DURATION = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)\s*([a-z]+?)s?", re.ASCII | re.IGNORECASE)


def seconds(value: Any) -> Any:
    """`3 days`, `90 seconds`, `1.5 hours` or a plain number of seconds, as seconds."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError('write a duration like "3 days" or "90 seconds"')  # noqa: TRY004  # for pydantic
    if not isinstance(value, str):
        return value
    found = _DURATION.fullmatch(value.strip())
    unit = _UNITS.get(found[2].lower()) if found else None
    if found is None or unit is None:
        raise ValueError('write a duration like "3 days" or "90 seconds"')
    return float(found[1]) * unit


def network(value: Any) -> Network:
    """An address or a network: `34.83.8.110`, `10.0.0.0/8`."""
    if not isinstance(value, str):
        raise ValueError("write an address like 34.83.8.110 or a network like 10.0.0.0/8")  # noqa: TRY004  # for pydantic
    try:
        return _unmapped(ipaddress.ip_network(value.strip()))
    except ValueError:
        pass
    try:
        wide = ipaddress.ip_network(value.strip(), strict=False)
    except ValueError:
        raise ValueError("write an address like 34.83.8.110 or a network like 10.0.0.0/8") from None
    raise ValueError(f"it has bits set beyond its length; {wide} would be the network")


def _unmapped(given: Network) -> Network:
    """IPv4 written as IPv6, `::ffff:10.0.0.0/104`: clients are compared by their IPv4 address."""
    first = given.network_address
    if isinstance(first, ipaddress.IPv6Address) and first.ipv4_mapped and given.prefixlen >= 96:
        return ipaddress.IPv4Network((int(first.ipv4_mapped), given.prefixlen - 96))
    return given


Seconds = Annotated[float, BeforeValidator(seconds), Field(gt=0, le=366 * 86400)]


def age(value: Any) -> Any:
    """A duration, or `never`, which no age reaches."""
    if isinstance(value, str) and value.strip().lower() == "never":
        return math.inf
    try:
        return seconds(value)
    except ValueError:
        raise ValueError('write a duration like "90 days", or never') from None


def _at_least(days: int) -> Callable[[float], float]:
    def check(value: float) -> float:
        if value < days * 86400:
            raise ValueError(f'write at least "{days} days", or never')
        return value

    return check


_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([KMG]?)B", re.IGNORECASE)


def size(value: Any) -> Any:
    """`200 MB`, `1.5 GB` or a plain number of bytes, as bytes."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError('write a size like "200 MB"')
    return int(float(found[1]) * 1000 ** " KMG".index(found[2].upper() or " "))


Size = Annotated[int, BeforeValidator(size), Field(ge=0)]
Networks = tuple[Annotated[Any, BeforeValidator(network)], ...]


def _named_senders(value: Any) -> Any:
    """Without the line anybody may send; a line from which all addresses were taken is a slip."""
    if value is None:
        raise ValueError("write addresses like [34.83.8.110], or take the line out: then all may")
    return value


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class SourceText(_Strict):
    """What every source has; the other keys are for its kind.

    `secrets` and `path_secret` are read before, from the environment or a file.
    """

    kind: str | None = None
    secrets: str | None = None
    path_secret: str | None = None
    allow_from: Annotated[Networks | None, BeforeValidator(_named_senders)] = None
    bad_signature_status: int = Field(default=401, ge=200, le=599)
    accept_gzip: bool = False
    max_body: int = Field(default=1_000_000, ge=1_000, le=20_000_000)


class ServerText(_Strict):
    """`server:`, all of it optional."""

    host: Annotated[str, AfterValidator(read_listening)] = "127.0.0.1"
    trusted_proxies: Networks = ()
    web_workers: int = Field(default=2, ge=1, le=64)
    threads: int = Field(default=2, ge=1, le=512)
    request_seconds: Seconds = 10.0
    most_waiting: int = Field(default=200_000, ge=1)
    least_free_disk: Size = 200_000_000


class DeliveryText(_Strict):
    """`delivery:`, all of it optional; durations like `3 days`."""

    workers: int = Field(default=4, ge=1, le=64)
    attempts: int = Field(default=12, ge=1, le=100)
    max_age: Seconds = 3 * 86400.0
    backoff: Seconds = 2.0
    backoff_cap: Seconds = 3600.0
    lease: Seconds = Field(default=10.0, ge=2, le=300)
    digest_after: Seconds = 60.0


def _addresses(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _address(value: Any) -> Any:
    if isinstance(value, str) and not _ADDRESS.fullmatch(value.strip()):
        raise ValueError("write an e-mail address like ops@example.com")
    return value.strip() if isinstance(value, str) else value


Address = Annotated[str, BeforeValidator(_address)]


def _mail_host(text: str) -> str:
    return read_host(text, "`port`, a line of its own")


class EmailText(_Strict):
    """`email:` below `alerts.tell`; `user` and `password` are read before, from elsewhere."""

    to: Annotated[tuple[Address, ...], BeforeValidator(_addresses), Field(min_length=1)]
    sender: Address = Field(alias="from")
    host: Annotated[str, AfterValidator(_mail_host)]
    port: int | None = Field(default=None, ge=1, le=65535)
    encryption: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password: str | None = None


class AlertsText(_Strict):
    """`alerts:`, all of it optional; each entry of `tell` is read on its own."""

    tell: tuple[Any, ...] = ()
    again: Seconds = Field(default=86400.0, ge=60)
    resting_after: Seconds = Field(default=900.0, ge=60)
    waiting_after: Seconds = Field(default=30.0, ge=5)
    machine: str = Field(default="", max_length=100)


class RetentionText(_Strict):
    """`retention:`, all of it optional; durations like `90 days`, or `never`."""

    bodies: Annotated[float, BeforeValidator(age), AfterValidator(_at_least(1))] = 90 * 86400.0
    # For as long a redelivery is known to be one.
    finished: Annotated[float, BeforeValidator(age), AfterValidator(_at_least(30))] = 400 * 86400.0
    quarantine: Annotated[float, BeforeValidator(age), AfterValidator(_at_least(1))] = 90 * 86400.0
    # Of each source; one body of the largest size fits in any case, which `bridge.config` checks.
    quarantine_size: Annotated[int, BeforeValidator(size), Field(ge=1_000_000)] = 100_000_000
    quarantine_webhooks: int = Field(default=10_000, ge=100, le=100_000)


class PublishingText(_Strict):
    """`rules:` of bridge.yaml, all of it optional."""

    publish: Literal["when_saved", "by_command"] = "when_saved"


class BridgeText(_Strict):
    """The whole file; each source and account is read on its own."""

    sources: Mapping[str, Mapping[str, Any] | None] = Field(default_factory=dict)
    accounts: Mapping[str, Mapping[str, Any] | None] = Field(default_factory=dict)
    server: ServerText = ServerText()
    delivery: DeliveryText = DeliveryText()
    alerts: AlertsText = AlertsText()
    retention: RetentionText = RetentionText()
    rules: PublishingText = PublishingText()
