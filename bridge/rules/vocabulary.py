"""What a rule may name: the fields that its sources declare for its events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Literal

from bridge.event import Contact
from bridge.rules.conditions import glob
from bridge.source import Field, FieldKind, Source
from bridge.wording import meant, quoted

Kind = FieldKind | Literal["group"]


@dataclass(frozen=True)
class Shape:
    """What stands at a path: a value of a kind, a group of named parts, a list of such groups."""

    kind: Kind
    parts: Mapping[str, Shape] = field(default_factory=dict)

    @property
    def free(self) -> bool:
        """Whether anything may be below: nobody declares what."""
        return self.kind == "anything"

    @property
    def member(self) -> Shape:
        """One member, where this is a list."""
        if self.kind != "list":
            return FREE
        return Shape("group", self.parts) if self.parts else FREE


FREE = Shape("anything")

ALIASES: Mapping[str, str] = {
    **dict.fromkeys(("customer", "buyer", "client", "person", "recipient", "guest"), "contact"),
    **dict.fromkeys(("user", "subscriber", "purchaser", "attendee"), "contact"),
    **dict.fromkeys(("purchase", "invoice", "transaction", "sale", "basket"), "order"),
    **dict.fromkeys(("full_name", "fullname", "display_name"), "name"),
    **dict.fromkeys(("given_name", "forename", "fname", "vorname"), "first_name"),
    **dict.fromkeys(("surname", "family_name", "lname", "nachname"), "last_name"),
    **dict.fromkeys(("mail", "e_mail", "e-mail", "email_address", "emailaddress"), "email"),
    **dict.fromkeys(("mobile", "telephone", "tel", "phone_number", "phonenumber"), "phone"),
    **dict.fromkeys(("amount", "total_amount", "total_price", "sum", "net_sales"), "total"),
    **dict.fromkeys(("opt_in", "optin", "marketing_consent", "newsletter"), "consent"),
}
"""What other programs call a group, or a field of it."""

_EVENT = Shape(
    "group",
    {
        "id": Shape("text"),
        "type": Shape("text"),
        "source": Shape("text"),
        "time": Shape("date"),
    },
)
_CONTACT = Shape(
    "group",
    {one.name: Shape("yes/no" if one.name == "consent" else "text") for one in fields(Contact)},
)


@dataclass(frozen=True)
class Vocabulary:
    """The names of one rule; `about` says whose they are, for mistakes.

    `entry_of` is the list of whose entries they are the own fields.
    """

    root: Shape
    about: str
    elsewhere: Mapping[str, str]
    entry_of: str = ""

    def find(self, path: str) -> Shape | None:
        """The shape at a dotted path, through lists; None: there is no such field."""
        shape = self.root
        for name in path.split("."):
            if shape.free:
                return FREE
            below = shape.parts.get(name)
            if below is None:
                return None
            shape = below
        return shape

    def is_single(self, path: str) -> bool:
        """Whether an event has one value there at most; not certain below what is free."""
        names = path.split(".")
        shapes = (self.find(".".join(names[: at + 1])) for at in range(len(names)))
        return all(shape and shape.kind != "list" and not shape.free for shape in shapes)

    def paths(self) -> list[str]:
        """Every field that can be named."""
        return list(_paths(self.root, ""))

    def with_member(self, name: str, path: str) -> Vocabulary:
        """The same with one member of the list at `path` under a name of its own."""
        shape = self.find(path)
        member = shape.member if shape else FREE
        root = Shape("group", {**self.root.parts, name: member})
        return Vocabulary(root, self.about, self.elsewhere)

    def of_entry(self, path: str) -> Vocabulary:
        """The names that one entry of the list at `path` has for its own fields."""
        shape = self.find(path)
        return Vocabulary(shape.member if shape else FREE, f"an entry of `{path}`", {}, path)

    def with_texts(self, texts: Iterable[str]) -> Vocabulary:
        """The same with the named texts, which templates may insert."""
        named = Shape("group", {name: Shape("text") for name in texts})
        root = Shape("group", {**self.root.parts, "texts": named})
        return Vocabulary(root, self.about, self.elsewhere)

    def dates(self) -> list[str]:
        """The paths of all dates."""
        return [path for path in self.paths() if self._kind(path) == "date"]

    def _kind(self, path: str) -> Kind | None:
        shape = self.find(path)
        return shape.kind if shape else None

    @cached_property
    def _lists(self) -> list[str]:
        return [path for path in self.paths() if self._is_list(path)]

    def lists(self) -> list[str]:
        """The paths of all lists of groups."""
        return list(self._lists)

    def _is_list(self, path: str) -> bool:
        shape = self.find(path)
        return shape is not None and shape.kind == "list" and bool(shape.parts)

    def unknown(self, path: str) -> tuple[str, str]:
        """What to say of a path that `find` does not know."""
        if self.entry_of:
            return self._no_field_of_entry(path)
        if path in self.elsewhere:
            return f"{quoted(path)} does not come with {self.about}", self.elsewhere[path]
        known = self.by_member(path)
        if known:
            return f"{quoted(path)} is known only with `for_each: {known}`", (
                f"add `for_each: {known}` to the rule; for any of them write "
                f"{known}.{path.partition('.')[2]}"
            )
        if path in ("contact.country", "contact.country_code", "order.country"):
            what = f"there is no field {quoted(path)} in {self.about}"
            return (
                what,
                "write `contact.phone: {country: ...}` for the country of a telephone number",
            )
        near = self._by_another_name(path) or meant(path, self.paths())
        if not near.endswith("?"):
            near = "`showbridge rules fields` lists what there is"
        return f"there is no field {quoted(path)} in {self.about}", near

    def _no_field_of_entry(self, path: str) -> tuple[str, str]:
        what = f"{quoted(path)} is no field of {self.about}"
        own = path.removeprefix(f"{self.entry_of}.")
        if own != path and self.find(own):
            return what, f"write `{own}`: what stands here is about one entry of `{self.entry_of}`"
        near = meant(path, self.paths())
        if not near.endswith("?") and "." in path:
            near = f"write it beside `{self.entry_of}:`, not in its `where`"
        return what, near

    def _by_another_name(self, path: str) -> str:
        """`customer.mail` -> `contact.email`."""
        group, _, name = path.rpartition(".")
        group = ALIASES.get(group.casefold(), group) or "contact"
        alias = f"{group}.{ALIASES.get(name.casefold(), name)}"
        return f"did you mean `{alias}`?" if alias != path and self.find(alias) else ""

    def called(self, name: str) -> str | None:
        """The one field that has this name, or one like it, in its group; a person's first."""
        plain = _plain(ALIASES.get(name.casefold(), name))
        found = [path for path in self.paths() if _plain(path.rpartition(".")[2]) == plain]
        found = [path for path in found if path.startswith("contact.")] or found
        return found[0] if len(found) == 1 else None

    def by_member(self, path: str) -> str | None:
        """The list whose entries a rule would call so, if it went through them."""
        name, _, rest = path.partition(".")
        for known in self.lists():
            if member_name(known) == name and (not rest or self.find(f"{known}.{rest}")):
                return known
        return None


def _plain(name: str) -> str:
    return name.replace("_", "").casefold()


def member_name(path: str) -> str:
    """`tickets` -> `ticket`, `order.items` -> `item`."""
    name = path.rpartition(".")[2]
    return name[:-1] if name.endswith("s") and len(name) > 2 else f"each_{name}"


def _paths(shape: Shape, prefix: str) -> Iterator[str]:
    for name, below in shape.parts.items():
        if below.kind != "group":
            yield prefix + name
        yield from _paths(below, f"{prefix}{name}.")


def vocabulary(
    world: Mapping[str, type[Source]], sources: Iterable[str], events: tuple[str, ...]
) -> Vocabulary:
    """What events of these sources that match one of the globs can hold; no globs: all events."""
    chosen = {name: world[name] for name in sources}
    known = [
        one for source in chosen.values() for one in source.fields if _carried(one, source, events)
    ]
    elsewhere = {
        one.path: _whence(name, one) for name, source in world.items() for one in source.fields
    }
    return Vocabulary(_root(known), _about(chosen, events), elsewhere)


def _whence(name: str, one: Field) -> str:
    return f"{name} sends it" + ("" if "*" in one.events else f" with {' or '.join(one.events)}")


def _about(chosen: Iterable[str], events: tuple[str, ...]) -> str:
    whose = " or ".join(chosen) or "any source"
    return f"{' or '.join(events)} of {whose}" if events else f"events of {whose}"


def _carried(one: Field, source: type[Source], events: tuple[str, ...]) -> bool:
    types = [name for name in source.event_types if not events or _fits(name, events)]
    # What is asked for by name need not be published; an open source sends more than it tells.
    types += [event for event in events if not set("*?") & set(event)]
    open_ended = source.types_are_open and (not events or any(set("*?") & set(e) for e in events))
    return open_ended or any(_fits(name, one.events) for name in types)


def _fits(name: str, globs: Iterable[str]) -> bool:
    return any(glob(name, pattern) for pattern in globs)


def _root(known: Iterable[Field]) -> Shape:
    tree: dict[str, _Node] = {}
    for one in known:
        *groups, last = one.path.split(".")
        level = tree
        for name in groups:
            level = level.setdefault(name, _Node()).parts
        level.setdefault(last, _Node()).kinds.add(one.kind)
    return Shape(
        "group",
        {
            **{name: node.shape() for name, node in tree.items()},
            "contact": _CONTACT,
            "event": _EVENT,
            "raw": FREE,
        },
    )


@dataclass
class _Node:
    """A shape in the making."""

    kinds: set[FieldKind] = field(default_factory=set)
    parts: dict[str, _Node] = field(default_factory=dict)

    def shape(self) -> Shape:
        parts = {name: node.shape() for name, node in self.parts.items()}
        if len(self.kinds) > 1:
            return FREE
        kind: Kind = next(iter(self.kinds), "group")
        return Shape(kind, parts)
