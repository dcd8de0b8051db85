"""Signing secrets that somebody could guess. Pure; says nothing of what they are."""

from __future__ import annotations

import math
import re
from collections import Counter

# As the documents write them, to be replaced by the vendor's.
_PLACEHOLDERS = frozenset({"the-secret-key", "the-signature-key", "the-new-key", "the-old-key"})
MIN_LENGTH = 16
# A random key of 16 hexadecimal digits has about 50 by this count.
MIN_BITS = 40.0
_MAX_WORDS = 32
_QUOTES = frozenset("\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a")
_UNSEEN = frozenset("\u00a0\u00ad\u200b\u200c\u200d\u200e\u200f\u202f\u2060\ufeff")
_WORDS = re.compile(r"[A-Za-z]+(?:[-_ .][A-Za-z]+)+")
_COMMON = (
    "changeme",
    "change-me",
    "change_me",
    "password",
    "placeholder",
    "0123456789",
    "abcdefgh",
)


def is_placeholder(secret: str) -> bool:
    """Whether it was copied from the documents."""
    return secret.strip().casefold() in _PLACEHOLDERS


def miscopied(secret: str) -> str:
    """What is in it that no vendor puts there, as the end of a sentence; empty if nothing is."""
    if any(character in _QUOTES for character in secret):
        return "holds a curly quotation mark, as word processors and chats make them"
    if any(character in _UNSEEN for character in secret):
        return "holds a character that cannot be seen, such as a no-break space"
    if len(secret) > 1 and secret[0] == secret[-1] and secret[0] in "\"'`":
        return "stands in quotation marks that are taken for a part of it"
    return ""


def weakness(secret: str) -> str:
    """Why it could be guessed, as the end of a sentence; empty if it looks random enough."""
    lower = secret.casefold()
    if len(secret) < MIN_LENGTH:
        return f"is shorter than {MIN_LENGTH} characters"
    if any(each in lower for each in _COMMON):
        return "holds a word that everybody tries first"
    if len(secret) < _MAX_WORDS and _WORDS.fullmatch(secret):
        return "is made of words"
    if _bits(secret) < MIN_BITS:
        return "repeats itself"
    return ""


def _bits(secret: str) -> float:
    """The entropy of its characters, of a repeated part once."""
    part = secret[: (secret + secret).find(secret, 1)]
    counts = Counter(part)
    return -sum(many * math.log2(many / len(part)) for many in counts.values())
