"""How Slack answers, and what that means.

Pages that this rests on: https://docs.slack.dev/reference/methods/chat.postMessage,
https://docs.slack.dev/reference/methods/chat.update,
https://docs.slack.dev/reference/methods/reactions.add,
https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from http.client import HTTPException, InvalidURL
from typing import Any
from urllib.error import URLError

from slack_sdk.errors import SlackApiError, SlackClientError

from bridge.connector import Halted, Outcome, Rejected, Retry, Unknown

HALTING = re.compile(
    "invalid_auth|not_authed|account_inactive|token_revoked|token_expired|missing_scope"
    "|not_allowed_token_type|org_login_required|ekm_access_denied|access_denied|accesslimited"
    "|team_access_not_granted|two_factor_setup_required|enterprise_is_restricted"
)
# A webhook has one channel of its own: what is wrong with that is wrong with the account.
WEBHOOK_HALTING = re.compile(
    "invalid_token|no_service|no_service_id|no_team|no_active_hooks|team_disabled"
    "|channel_is_archived|channel_not_found|action_prohibited|user_not_found"
    "|posting_to_general_channel_denied"
)
_PASSING = ("request_timeout", "service_unavailable", "team_added_to_org")
# Slack says of these that some of the work may have been done.
_MAYBE_DONE = ("internal_error", "fatal_error", "update_failed")
_LIMITED = ("ratelimited", "rate_limited")
_LATER = (*_PASSING, *_MAYBE_DONE, *_LIMITED)

_WORDS = {
    "channel_not_found": "the bot sees no channel {channel}: check the name, or invite the bot",
    "not_in_channel": "the bot is not in {channel}: invite it",
    "is_archived": "{channel} is archived",
    "is_inactive": "{channel} is archived",
    "restricted_action": "the workspace does not let the bot post in {channel}",
    "restricted_action_read_only_channel": "nobody may post in {channel}",
    "restricted_action_thread_only_channel": "{channel} takes answers in threads alone",
    "no_permission": "the bot may not post in {channel}",
    "messages_tab_disabled": "direct messages are switched off: "
    "switch on the Messages Tab under App Home of the app",
    "msg_too_long": "the message is too long",
    "msg_blocks_too_long": "the blocks are too long together: shorten them",
    "invalid_blocks": "Slack does not take these blocks: try them in its Block Kit Builder",
    "no_text": "the message has no text",
    "invalid_name": "the workspace has no such emoji",
    "too_many_reactions": "the bot has reacted to this message too often",
    "too_many_emoji": "the message has as many different reactions as Slack allows",
}


def asked(call: Callable[[], Any], *, posts: bool = True) -> Any:
    """The SDK's response, a refusal's too, or a Retry (never sent) or Unknown (sent, and then?).

    What does not post can be asked again without harm: it is never Unknown.
    """
    try:
        return call()
    except SlackApiError as error:
        return error.response  # the exception itself names the token: it ends here
    except (URLError, InvalidURL, SlackClientError):
        # urllib wraps what fails until the whole request is out, and nothing after that.
        return Retry("Slack could not be reached", whole_account=True)
    except (OSError, HTTPException):
        if not posts:
            return Retry("the connection to Slack broke before it answered")
        return Unknown("the message went out, but the connection broke before Slack answered")
    except (ValueError, LookupError, AttributeError, TypeError):
        if not posts:
            return Retry("Slack's answer could not be read")
        return Unknown("the message went out, but Slack's answer could not be read")


def refusal(response: Any, place: str, *, posts: bool = True, webhook: bool = False) -> Outcome:
    """What an answer other than yes comes to; raises Halted. `place` is a channel, for words."""
    status, code = response.status_code, code_of(response, webhook=webhook)
    halting = WEBHOOK_HALTING if webhook else HALTING
    if halting.fullmatch(code) or status == 401:
        raise Halted(
            f"Slack refuses this account ({code or status}): {_remedy(code, _needed(response))}"
        )
    if status == 429 or code in _LIMITED:
        # Each channel's own pace is kept, so it is the workspace's limit that this tells of:
        # https://docs.slack.dev/apis/web-api/rate-limits.
        reason = "Slack wants fewer calls for a while"
        return Retry(reason, _retry_after(response.headers), whole_account=True)
    if code in _PASSING:
        return Retry(f"Slack has a problem of its own ({code or status})")
    if code in _MAYBE_DONE or status >= 500:
        return _perhaps_done(code or str(status), posts=posts)
    if code:
        return Rejected(f"Slack refuses this ({code}): {_words(code, place)}")
    if status == 200:
        return _not_slack(posts=posts)
    return Retry(f"something before Slack refused the call ({status})")


def _perhaps_done(code: str, *, posts: bool) -> Outcome:
    if posts:
        return Unknown(f"Slack failed, perhaps after posting ({code})")
    return Retry(f"Slack failed ({code})")


def _not_slack(*, posts: bool) -> Outcome:
    if posts:
        return Unknown("something answered in Slack's place, so the message may not be there")
    return Retry("something answered in Slack's place")


def code_of(response: Any, *, webhook: bool = False) -> str:
    """Slack's word for what is wrong; empty where it is no such word."""
    said = response.body if webhook else data_of(response).get("error")
    return said if isinstance(said, str) and re.fullmatch(r"[a-z0-9_]{3,60}", said) else ""


def data_of(response: Any) -> Mapping[str, Any]:
    return inner_of(vars(response), "data")


def is_yes(response: Any) -> bool:
    return response.status_code == 200 and data_of(response).get("ok") is True


def _needed(response: Any) -> str:
    """The scope that Slack says is missing."""
    needed = inner_of(vars(response), "data").get("needed")
    is_scope = isinstance(needed, str) and re.fullmatch(r"[a-z:._,]{3,80}", needed)
    return str(needed) if is_scope else "chat:write"


def _remedy(code: str, needed: str) -> str:
    if code == "missing_scope":
        return f"add the scope `{needed}` to the app and install it again"
    if WEBHOOK_HALTING.fullmatch(code):
        return "make a new webhook URL for a channel that is in use"
    return "check its bot token or webhook URL"


def _words(code: str, place: str) -> str:
    named = place if re.fullmatch(r"#?[\w-]{1,80}", place) else "the channel"
    return _WORDS.get(code, "look this word up in Slack's documentation").format(channel=named)


def _retry_after(headers: Mapping[str, Any]) -> float | None:
    for name, value in headers.items():
        if name.lower() == "retry-after" and re.fullmatch(r"\d{1,6}", str(value)):
            return float(value)
    return None


class CannotLookError(Exception):
    """Whether a message is there cannot be told: now (Retry), or ever (Unknown)."""

    def __init__(self, outcome: Retry | Unknown) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


def seen_in(answer: Any, key: str) -> Mapping[str, Any]:
    """What Slack shows; nothing is not the same as not being able to look."""
    if isinstance(answer, Retry | Unknown):
        after, limited = (
            (answer.after, answer.limited) if isinstance(answer, Retry) else (None, False)
        )
        reason = "Slack cannot be asked whether the message is there"
        raise CannotLookError(Retry(reason, after, limited=limited))
    data = data_of(answer)
    if answer.status_code == 200 and isinstance(data.get(key), list):
        return data
    code = str(data.get("error") or answer.status_code)
    if code == "200" or answer.status_code == 429 or answer.status_code >= 500 or code in _LATER:
        reason = f"Slack cannot be asked whether the message is there ({code})"
        limited = answer.status_code == 429 or code in _LIMITED
        raise CannotLookError(Retry(reason, _retry_after(answer.headers), limited=limited))
    raise CannotLookError(Unknown(f"Slack does not show the channel to the bridge ({code})"))


def inner_of(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    inner = data.get(key)
    return inner if isinstance(inner, dict) else {}
