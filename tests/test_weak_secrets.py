"""Which signing secrets could be guessed."""

from __future__ import annotations

import secrets

import pytest

from bridge.weak_secrets import is_placeholder, miscopied, weakness


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


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        ("\u201cabc\u201d", "holds a curly quotation mark"),
        ("\u2018abc\u2019", "holds a curly quotation mark"),
        ("\u201eabc\u201c", "holds a curly quotation mark"),
        ("\u00ababc\u00bb", "holds a curly quotation mark"),
        ("abc\u200b", "holds a character that cannot be seen"),
        ("a\u00a0bc", "holds a character that cannot be seen"),
        ("\ufeffabc", "holds a character that cannot be seen"),
        ('"abc"', "stands in quotation marks"),
        ("`abc`", "stands in quotation marks"),
    ],
)
def test_what_was_not_copied_well_is_told(secret: str, why: str) -> None:
    """The kind: https://github.com/docker/docs/issues/123 and
    https://github.com/n3d1117/chatgpt-telegram-bot/issues/170 (quotation marks are kept).
    """
    assert miscopied(secret).startswith(why)


def test_keys_that_were_copied_well_are_no_matter() -> None:
    for _ in range(2000):
        assert not miscopied(secrets.token_urlsafe(32))
    assert not miscopied('it\'s "quoted" within')
