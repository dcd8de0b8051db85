"""What is wrong with Redis: in its own words, and what to do about it. Pure."""

from __future__ import annotations

from redis import exceptions

AWAY, LATE = "it cannot be reached", "it does not answer in time"
_LONGEST = 200

_REMEDIES = {
    "OOM": "It is full (maxmemory): give it more memory, or take out what is not Showbridge's.",
    "READONLY": "It is a read-only replica: let REDIS_URL name the primary.",
    "NOREPLICAS": "It misses replicas (min-replicas-to-write): bring them back, or set that to 0; "
    "Showbridge needs none.",
    "MISCONF": "It cannot save to its disk: make room there, or switch saving off; Showbridge "
    "needs none.",
    "NOAUTH": "REDIS_URL lacks its password: redis://:PASSWORD@host:6379/0.",
    "WRONGPASS": "The password or user in REDIS_URL is wrong.",
    "NOPERM": "The user in REDIS_URL may not write: let it (`ACL SETUSER`).",
    "LOADING": "It reads what it had saved; wait until it is done.",
    "MASTERDOWN": "It is a replica without its primary: let REDIS_URL name the primary.",
    AWAY: "See that it runs, and that REDIS_URL names it.",
    LATE: "See what it is busy with, and whether it is stopped.",
}


def in_its_words(error: Exception) -> str:
    """`OOM command not allowed ...`; of a Redis that is away no address."""
    text = " ".join(str(error).split()).rstrip(".")[:_LONGEST]
    # redis-py takes the first word off what it knows.
    code = str(getattr(error, "status_code", "") or "")
    if text.partition(" ")[0] in _REMEDIES:
        return text
    if isinstance(error, exceptions.AuthenticationError):
        return f"{code if code in _REMEDIES else 'NOAUTH'} {text}"
    if code in _REMEDIES:
        return f"{code} {text}"
    if isinstance(error, exceptions.ResponseError):
        return text or type(error).__name__
    return LATE if isinstance(error, exceptions.TimeoutError | TimeoutError) else AWAY


def remedy(words: str) -> str:
    """What to do; empty where nobody knows."""
    return _REMEDIES.get(words) or _REMEDIES.get(words.partition(" ")[0], "See its own log.")
