"""Which signing secrets could be guessed."""

from __future__ import annotations

import secrets

import pytest

from bridge.weak_secrets import is_placeholder, weakness


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        ("a", "is shorter than 16 characters"),
        ("0f8a1c3e5b7d9f2", "is shorter than 16 characters"),
        ("a" * 40, "repeats itself"),
        ("ab12" * 10, "repeats itself"),
        ("0000000000000001", "repeats itself"),
        ("changeme-changeme-changeme", "holds a word that everybody tries first"),
        ("My-Password-2026-11", "holds a word that everybody tries first"),
        ("0123456789abcdef", "holds a word that everybody tries first"),
        ("our-showpass-secret", "is made of words"),
    ],
)
def test_what_could_be_guessed_is_told_with_the_reason(secret: str, why: str) -> None:
    assert weakness(secret) == why


def test_keys_as_vendors_and_the_first_run_make_them_are_no_matter() -> None:
    for _ in range(2000):
        assert not weakness(secrets.token_hex(16))
        assert not weakness(secrets.token_urlsafe(32))
        assert not weakness(f"whsec_{secrets.token_urlsafe(24)}")


def test_the_examples_of_the_documents_are_known() -> None:
    for example in ("the-secret-key", "the-signature-key", "The-New-Key", " the-old-key "):
        assert is_placeholder(example)
    assert not is_placeholder("the-secret-key-of-ours-4711")
