"""What the process environment says: folders, port, database and Redis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

DEFAULT_PORT = 8000

_POSTGRES = ("postgres", "postgresql", "postgresql+psycopg")
_REDIS = ("redis", "rediss", "unix")


@dataclass(frozen=True)
class Environment:
    """An unset variable and an empty one are the same; `complaints` say what is wrong."""

    data: Path
    port: int
    database_url: str = field(repr=False)
    redis_url: str | None = field(repr=False)
    complaints: tuple[str, ...] = ()


def read_environment(environ: Mapping[str, str]) -> Environment:
    """Never raises, and repeats no URL in a complaint: they hold passwords."""
    said = {name: value.strip() for name, value in environ.items()}
    data = Path(said.get("SHOWBRIDGE_DATA") or "data")
    port = said.get("PORT", "")
    database_url = said.get("DATABASE_URL", "")
    redis_url = said.get("REDIS_URL", "")
    complaints = (*_about_port(port), *_about_database(database_url), *_about_redis(redis_url))
    return Environment(
        data=data,
        port=DEFAULT_PORT if complaints or not port else int(port),
        database_url=_normal(database_url) or f"sqlite:///{data / 'ledger.db'}",
        redis_url=redis_url or None,
        complaints=complaints,
    )


def _about_port(port: str) -> Iterator[str]:
    digits = port.isascii() and port.isdigit() and len(port) <= 5
    if port and not (digits and 0 < int(port) < 65536):
        yield "PORT must be a number from 1 to 65535"


def _about_database(url: str) -> Iterator[str]:
    scheme, separator, rest = url.partition("://")
    if not url:
        return
    if not separator or scheme not in ("sqlite", *_POSTGRES):
        yield "DATABASE_URL must begin with postgresql:// or sqlite:/// (or be left out)"
    elif scheme == "sqlite" and (not rest.startswith("/") or rest in ("/", "/:memory:")):
        yield "DATABASE_URL must name a file, like sqlite:///data/ledger.db"
    elif scheme in _POSTGRES and not _is_whole(url):
        yield (
            "DATABASE_URL cannot be read; it looks like postgresql://user:password@host:5432/name, "
            "with %40 for an @ in the password"
        )


def _is_whole(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.port != 0 and len(parts.path) > 1 and "@" not in parts.path
    except ValueError:
        return False


def _about_redis(url: str) -> Iterator[str]:
    if url and url.partition("://")[0] not in _REDIS:
        yield "REDIS_URL must begin with redis://, rediss:// or unix://"
    elif url and not _has_port(url):
        yield (
            "REDIS_URL cannot be read; it looks like redis://user:password@host:6379/0, "
            "with %40 for an @ in the password"
        )


def _has_port(url: str) -> bool:
    """Or none at all, which is the usual one."""
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def _normal(url: str) -> str:
    """One spelling and one driver for PostgreSQL, whatever the host calls it."""
    scheme, separator, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if separator and scheme in _POSTGRES else url
