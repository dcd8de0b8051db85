"""The books as people read them: the sum that should come out, and what a difference means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.text import Text

from bridge.cli.screen import clean, counted
from bridge.ledger.books import Book, Books

_ADVICE = "`showbridge verify` looks for more. Compare with a backup before you change anything."


def book_text(books: Books) -> Text:
    """The verdict, and both sums below it."""
    if books.are_balanced:
        text = Text("balanced", style="green")
    else:
        text = Text("not balanced", style="bold red")
    text.append(f"\n{_sum('acknowledged', books.webhooks)}", _style(books.webhooks))
    return text.append(f"\n{_sum('planned', books.deliveries)}", _style(books.deliveries))


def book_differences(books: Books) -> Iterator[str]:
    """A sentence for each thing that is wrong: what it means, and what to do."""
    for book, noun, done in (
        (books.webhooks, "webhook", "acknowledged"),
        (books.deliveries, "delivery", "planned"),
    ):
        if book.difference < 0:
            yield (
                f"{counted(-book.difference, noun)} that had been {done} cannot be found any more: "
                f"rows were deleted by hand, or the database lost some. {_ADVICE}"
            )
        if book.difference > 0:
            yield (
                f"{counted(book.difference, noun)} can be found that had never been {done}: rows "
                f"were added by hand, or the table `tallies` lost some. {_ADVICE}"
            )
        if book.astray:
            yield (
                f"{counted(book.astray, noun)} in a state that this version does not know "
                f"({_strange(book)}): another version wrote them, or somebody did by hand. "
                "Nothing will happen to them."
            )


def book_object(books: Books) -> dict[str, object]:
    """What `--json` prints of them; `stored` is all that is there, whatever its state."""
    return {
        "webhooks": {"acknowledged": books.webhooks.counted, **_numbers(books.webhooks)},
        "deliveries": {"planned": books.deliveries.counted, **_numbers(books.deliveries)},
    }


def _numbers(book: Book) -> dict[str, object]:
    every: Mapping[str, int] = dict.fromkeys(book.known, 0)
    return {
        "stored": book.stored,
        "pruned": book.pruned,
        "difference": book.difference,
        "states": {**every, **book.states},
    }


def _sum(word: str, book: Book) -> str:
    """`acknowledged 15 = routed 12 + unrouted 1 + quarantined 0 + waiting 2`."""
    parts = {state: book.states.get(state, 0) for state in book.known}
    # A delivery under way has not ended either.
    parts["waiting"] += parts.pop("sending", 0)
    if not parts.get("scheduled"):
        parts.pop("scheduled", None)
    if book.pruned:
        parts["pruned"] = book.pruned
    equal = "=" if book.is_balanced else "≠"
    return f"{word} {book.counted:,} {equal} " + " + ".join(
        f"{state} {count:,}" for state, count in parts.items()
    )


def _style(book: Book) -> str:
    return "dim" if book.is_balanced else "red"


def _strange(book: Book) -> str:
    return ", ".join(clean(state, 40) for state in sorted(book.states.keys() - {*book.known}))
