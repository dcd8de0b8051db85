"""Asking HubSpot whether the token is good, and what the rules name is there. Reads only.

Which scopes a token has: a POST to `/oauth/v2/private-apps/get/access-token-info`
(at the end of https://developers.hubspot.com/docs/api/private-apps); where that
knows nothing of a token, the account's details tell whether HubSpot takes it
(https://developers.hubspot.com/docs/api-reference/latest/account/account-information/guide).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from bridge.connector import Checked, Halted, Rejected, Use
from connectors.hubspot import needs
from connectors.hubspot.answers import Answer
from connectors.hubspot.calls import Line
from connectors.hubspot.definitions import Property
from connectors.hubspot.lists import Lists
from connectors.hubspot.needs import CHECKBOXES, NUMBER, Need, StageNamed
from connectors.hubspot.schema import NotRead, Schema
from connectors.hubspot.subscribing import Subscriptions
from connectors.hubspot.values import fitting

SCOPES_OF = "/oauth/v2/private-apps/get/access-token-info"
DETAILS = "/account-info/v3/details"

_SETUP = "`showbridge hubspot setup` can create it"


def survey(line: Line, schema: Schema, uses: Sequence[Use]) -> list[Checked]:
    """The token first; where HubSpot does not take it, nothing else is asked."""
    token, granted = _token(line)
    if token.state == "wrong":
        return [token]
    return [
        token,
        *_scopes(granted, needs.scopes(uses)),
        *_properties(schema, needs.needs(uses)),
        *_stages(schema, needs.stages(uses)),
        *_named("list", Lists(line).find, needs.lists(uses)),
        *_named("subscription type", Subscriptions(line).id_of, needs.subscriptions(uses)),
    ]


def _token(line: Line) -> tuple[Checked, frozenset[str] | None]:
    """Whether it is taken, and its scopes; None: HubSpot does not tell them."""
    what = "the access token"
    try:
        info = line.request("POST", SCOPES_OF, {"tokenKey": line.access_token()})
        granted = info.body.get("scopes")
        if info.ok and isinstance(granted, list):
            account = f" of the HubSpot account {_digits(info.body.get('hubId'))}".rstrip()
            return Checked(f"{what}{account}", "right"), frozenset(map(str, granted))
        details = line.request("GET", DETAILS)
    except Halted as halted:
        return Checked(what, "wrong", str(halted)), None
    if details.status == 401:
        advice = "HubSpot does not take it; copy it again from the Service Key"
        return Checked(what, "wrong", advice), None
    if details.ok or (details.status == 403 and details.body):
        return Checked(what, "right"), None
    return Checked(what, "unknown", _why(details)), None


def _digits(value: object) -> str:
    return str(value) if str(value).isdigit() else ""


def _why(answer: Answer) -> str:
    if answer.trouble:
        return f"{answer.trouble.reason}; ask again later"
    return f"HubSpot cannot be asked now ({answer.status}); ask again later"


def _scopes(granted: frozenset[str] | None, needed: Sequence[str]) -> Iterator[Checked]:
    for scope in needed:
        what = f"the scope `{scope}`"
        if granted is None:
            yield Checked(what, "unknown", "HubSpot does not tell the scopes of this token")
        elif scope in granted:
            yield Checked(what, "right")
        else:
            yield Checked(what, "wrong", "add it to the Service Key in HubSpot")


def _properties(schema: Schema, needs: Sequence[Need]) -> Iterator[Checked]:
    for need in needs:
        what = f"the {need.object_type.removesuffix('s')} property `{need.name}`"
        yield _asked(what, partial(_property, schema, what, need))


def _asked(what: str, ask: Callable[[], Checked]) -> Checked:
    """What it answers, or that nobody can tell."""
    try:
        return ask()
    except NotRead as why:
        return Checked(what, "unknown", f"{why.retry.reason}; ask again later")
    except Halted as halted:
        return Checked(what, "unknown", str(halted))


def _property(schema: Schema, what: str, need: Need) -> Checked:
    known = schema.properties(need.object_type)
    if known is None:
        object_type = need.object_type
        advice = f"the token may not read it; grant it crm.schemas.{object_type}.read"
        return Checked(what, "unknown", advice)
    about = schema.property(need.object_type, need.name)
    if about is None:
        return Checked(what, "wrong", missing(need.name, known))
    advice = _misuse(about, need)
    return Checked(what, "wrong" if advice else "right", advice)


def missing(name: str, known: Iterable[str]) -> str:
    """What to do about a property that is not there."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.8)
    meant = f"did you mean `{close[0]}`? Else " if close else ""
    return f"HubSpot has no such property; {meant}{_SETUP}"


def _misuse(about: Property, need: Need) -> str:
    """What is wrong with using it so; empty: nothing."""
    if need.asked and need.kind == NUMBER and about.type != "number":
        return "`increment` needs a property of the type number; this one is another"
    if need.asked and need.kind == CHECKBOXES and not about.takes_many:
        return "`append` needs a property of multiple checkboxes; this one is another"
    if need.unique and not about.unique:
        return "its values must be unique; make one in HubSpot that requires unique values"
    for text in need.texts or ("",) * about.read_only:
        refused = fitting(about, text)
        if isinstance(refused, Rejected):
            return refused.reason
    return ""


def _stages(schema: Schema, named: Sequence[StageNamed]) -> Iterator[Checked]:
    for each in named:
        within = f" of the pipeline “{each.pipeline}”" if each.pipeline else ""
        what = f"the deal stage “{each.stage}”{within}"
        yield _asked(what, partial(_stage, schema, what, each))


def _stage(schema: Schema, what: str, named: StageNamed) -> Checked:
    pipelines = schema.pipelines("deals")
    if pipelines is None:
        return Checked(
            what, "unknown", "the token may not read it; grant it crm.schemas.deals.read"
        )
    if not named.pipeline:
        found = any(each.stage(named.stage) for each in pipelines)
        labels = [stage.label for each in pipelines for stage in each.stages]
        advice = "" if found else f"HubSpot has no such deal stage; it has {', '.join(labels)}"
        return Checked(what, "right" if found else "wrong", advice)
    pipeline = schema.pipeline("deals", named.pipeline)
    if pipeline is None:
        labels = [each.label for each in pipelines]
        return Checked(what, "wrong", f"HubSpot has no such pipeline; it has {', '.join(labels)}")
    if pipeline.stage(named.stage) is None:
        labels = [each.label for each in pipeline.stages]
        return Checked(
            what, "wrong", f"this pipeline has no such stage; it has {', '.join(labels)}"
        )
    return Checked(what, "right")


def _named(kind: str, find: Callable[[str], object], names: Sequence[str]) -> Iterator[Checked]:
    """`find` answers with the thing, or with why it cannot be used."""
    for name in names:
        what = f"the {kind} “{name}”"
        yield _asked(what, partial(_found, what, find, name))


def _found(what: str, find: Callable[[str], object], name: str) -> Checked:
    found = find(name)
    advice = found.reason if isinstance(found, Rejected) else ""
    return Checked(what, "wrong" if advice else "right", advice)
