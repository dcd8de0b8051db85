"""Reads `alerts.tell`: whom a person's attention is asked through, in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bridge.connector import Action
from bridge.findings import Findings
from bridge.secret_values import References
from bridge.settings import AccountConfig, ActionTarget, EmailTarget
from bridge.settings_schema import EmailText
from bridge.weak_secrets import miscopied
from bridge.wording import meant, quoted
from bridge.yaml_text import Path

EMAIL = "email"
_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_PATH = ("alerts", "tell")
_SHAPE = "an entry of `tell` is `account.action:` or `email:`, with its fields below"


class TellReader:
    """Reads one list; what is wrong is left out and found."""

    def __init__(
        self, findings: Findings, references: References, accounts: Mapping[str, AccountConfig]
    ) -> None:
        self._findings = findings
        self._references = references
        self._accounts = accounts

    def read(self, entries: Any) -> tuple[ActionTarget | EmailTarget, ...]:
        if not isinstance(entries, list):
            return ()
        return tuple(
            target
            for number, entry in enumerate(entries)
            for target in self._entry(entry, (*_PATH, number))
        )

    def _entry(self, entry: Any, path: Path) -> Iterator[ActionTarget | EmailTarget]:
        if not isinstance(entry, dict) or len(entry) != 1:
            self._findings.add(path, _SHAPE)
            return
        ((name, fields),) = entry.items()
        place = (*path, name)
        if fields is not None and not isinstance(fields, dict):
            self._findings.add(place, f"the fields of {quoted(name)} must be `name: value` lines")
        elif name == EMAIL:
            yield from self._email(fields or {}, place)
        else:
            yield from self._action(name, fields or {}, place)

    def _email(self, fields: Mapping[str, Any], path: Path) -> Iterator[EmailTarget]:
        given = fields.get("password")
        if given is not None and not (isinstance(given, dict) and {"env", "file"} & set(given)):
            what = "`password`: secrets never stand in YAML"
            advice = "write {env: SMTP_PASSWORD} and set that variable"
            self._findings.add((*path, "password"), what, advice)
            return
        found = self._references.resolved(dict(fields), path)
        if why := miscopied(str(found.get("password") or "")):
            self._findings.add((*path, "password"), f"`password` {why}", "copy it once more")
        text = self._findings.validated(EmailText, found, path)
        if text and self._may_log_in(text, path):
            port = text.port or _PORTS[text.encryption]
            yield EmailTarget(
                text.to, text.sender, text.host, port, text.encryption, text.user, text.password
            )

    def _may_log_in(self, text: EmailText, path: Path) -> bool:
        place = (*path, "user")
        if (text.user is None) != (text.password is None):
            lacking = "user" if text.user is None else "password"
            variable = self._references.named.get((*path, lacking))
            advice = f"set {variable}" if variable else f"add a line `{lacking}: {{env: ...}}`"
            self._findings.add(path, f"`email` needs `user` and `password`, or neither: {advice}")
        elif text.user is not None and text.encryption == "none":
            what = "a password is not sent over a connection that anybody can read"
            self._findings.add(place, what, "write `encryption: starttls`, or take both out")
        else:
            return True
        return False

    def _action(self, name: str, fields: Mapping[str, Any], path: Path) -> Iterator[ActionTarget]:
        account, _, action = name.partition(".")
        declared = self._telling().get(name)
        if declared is None and account in self._misread():
            return
        if declared is None:
            what = f"there is no {quoted(name)} that could tell a person something"
            advice = meant(name, [*self._telling(), EMAIL])
            self._findings.add(path, what, advice, at_key=True)
            return
        if "text" in fields:
            self._findings.add((*path, "text"), "the text is the alert's own", "take it out")
            return
        said = {**fields, "text": "An alert"}
        if self._findings.validated(declared.item, said, path):
            kind = self._accounts[account]
            for refused in kind.connector.refuses(kind.settings, action, said):
                tell = self._findings.warn if refused.only_warns else self._findings.add
                tell((*path, *refused.field), refused.what, refused.advice)
            yield ActionTarget(account, action, fields)

    def _misread(self) -> set[str]:
        """Accounts with mistakes of their own, of which nothing more can be said."""
        value = self._findings.document.value
        group = value.get("accounts") if isinstance(value, dict) else None
        return set(group) - set(self._accounts) if isinstance(group, dict) else set()

    def _telling(self) -> Mapping[str, Action]:
        """Every action that takes a text, by the name that `tell` gives it."""
        return {
            f"{account.name}.{name}": action
            for account in self._accounts.values()
            for name, action in account.connector.actions().items()
            if "text" in action.item.model_fields
        }
