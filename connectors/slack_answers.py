"""How Slack answers, and what that means for a message.

Pages that this rests on: https://docs.slack.dev/reference/methods/chat.postMessage,
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
_MAYBE_DONE = ("internal_error", "fatal_error")
_LIMITED = ("ratelimited", "rate_limited")
_LATER = (*_PASSING, *_MAYBE_DONE, *_LIMITED)

_WORDS = {
    "channel_not_found": "the bot sees no channel {channel}: check the name, or invite the bot",
    "not_in_channel": "the bot is not in {channel}: invite it",
    "is_archived": "{channel} is archived",
    "restricted_action": "the workspace does not let the bot post in {channel}",
    "no_permission": "the bot may not post in {channel}",
    "msg_too_long": "the message is too long",
    "no_text": "the message has no text",
}


def asked(call: Callable[[], Any]) -> Any:
    """The SDK's response, a refusal's too, or a Retry (never sent) or Unknown (sent, and then?)."""
    try:
        return call()
    except SlackApiError as error:
        return error.response  # the exception itself names the token: it ends here
    except (URLError, InvalidURL, SlackClientError):
        # urllib wraps what fails until the whole request is out, and nothing after that.
        return Retry("Slack could not be reached", whole_account=True)
    except (OSError, HTTPException):
        return Unknown("the message went out, but the connection broke before Slack answered")
    except (ValueError, LookupError, AttributeError, TypeError):
        return Unknown("the message went out, but Slack's answer could not be read")


def refusal(response: Any, said: Any, halting: re.Pattern[str], channel: str) -> Outcome:
    status = response.status_code
    code = said if isinstance(said, str) and re.fullmatch(r"[a-z0-9_]{3,60}", said) else ""
    if halting.fullmatch(code) or status == 401:
        raise Halted(f"Slack refuses this account ({code or status}): {_remedy(code)}")
    if status == 429 or code in _LIMITED:
        # Each channel's own pace is kept, so it is the workspace's limit that this tells of:
        # https://docs.slack.dev/apis/web-api/rate-limits.
        reason = "Slack wants fewer messages for a while"
        return Retry(reason, _retry_after(response.headers), whole_account=True)
    if code in _MAYBE_DONE or (status >= 500 and code not in _PASSING):
        return Unknown(f"Slack failed, perhaps after posting ({code or status})")
    if code in _PASSING:
        return Retry(f"Slack has a problem of its own ({code or status})")
    if code:
        return Rejected(f"Slack refuses the message ({code}): {_words(code, channel)}")
    if status == 200:
        return Unknown("something answered in Slack's place, so the message may not be there")
    return Retry(f"something before Slack refused the call ({status})")


def _remedy(code: str) -> str:
    if code == "missing_scope":
        return "add the scope `chat:write` to the app and install it again"
    if WEBHOOK_HALTING.fullmatch(code):
        return "make a new webhook URL for a channel that is in use"
    return "check its bot token or webhook URL"


def _words(code: str, channel: str) -> str:
    named = channel if re.fullmatch(r"#?[\w-]{1,80}", channel) else "the channel"
    return _WORDS.get(code, "see Slack's page on chat.postMessage").format(channel=named)


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
    data = inner_of(vars(answer), "data")
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
