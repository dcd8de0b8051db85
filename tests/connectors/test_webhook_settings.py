"""What an account of the webhook connector may say in bridge.yaml."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from bridge.config import Config, load
from bridge.errors import ConfigurationError
from connectors.webhook import WebhookSettings

URL = "https://hooks.example.com/secret-4711"
SIGNING = "whsec_" + base64.b64encode(b"s" * 32).decode()


def configured(folder: Path, account: str, **environ: str) -> Config:
    lines = "\n".join(f"    {line}" for line in account.splitlines())
    text = f"sources:\n  showpass:\naccounts:\n  crm:\n    connector: webhook\n{lines}\n"
    (folder / "bridge.yaml").write_text(text)
    return load({**environ, "SHOWBRIDGE_DATA": str(folder)}, folder)


def test_without_its_url_an_account_is_in_preview_whatever_else_is_set(tmp_path: Path) -> None:
    account = (
        "url: {env: CRM_URL}\nsigning_secret: {env: CRM_SIGNING}\n"
        "secret_headers: {Authorization: {env: CRM_TOKEN}}"
    )
    found = configured(tmp_path, account, CRM_SIGNING=SIGNING).accounts["crm"]
    assert found.preview
    assert found.lacks == "CRM_URL"
    found = configured(tmp_path, account, CRM_URL=URL, CRM_TOKEN="Bearer t").accounts["crm"]
    assert not found.preview
    assert "4711" not in repr(found)


def test_a_secret_header_without_a_value_is_a_mistake_once_the_account_is_live(
    tmp_path: Path,
) -> None:
    account = "url: {env: CRM_URL}\nsecret_headers: {X-Key: {env: CRM_TOKEN}}"
    assert configured(tmp_path, account).accounts["crm"].preview
    with pytest.raises(ConfigurationError, match="`X-Key` has no value"):
        configured(tmp_path, account, CRM_URL=URL)


def test_a_secret_header_never_stands_in_yaml(tmp_path: Path) -> None:
    account = "url: {env: CRM_URL}\nsecret_headers: {X-Key: key-4711}"
    with pytest.raises(ConfigurationError) as caught:
        configured(tmp_path, account)
    assert "secrets never stand in YAML" in str(caught.value)
    assert "CRM_SECRET_HEADERS_X_KEY" in str(caught.value)
    assert "4711" not in str(caught.value)


def test_another_secret_header_is_another_credential(tmp_path: Path) -> None:
    account = "url: {env: CRM_URL}\nsecret_headers: {X-Key: {env: CRM_TOKEN}}"
    marks = {
        configured(tmp_path, account, CRM_URL=URL, CRM_TOKEN=token).accounts["crm"].fingerprint
        for token in ("one", "two")
    }
    assert len(marks) == 2


@pytest.mark.parametrize(
    "name",
    [
        "Host",
        "content-length",
        "Transfer-Encoding",
        "Connection",
        "Content-Type",
        "Webhook-Id",
        "webhook-signature",
        "Proxy-Authorization",
        "TE",
        "Expect",
        "Upgrade",
    ],
)
def test_headers_that_decide_over_the_request_are_refused(name: str) -> None:
    for where in ("headers", "secret_headers"):
        with pytest.raises(ValidationError, match="written by the bridge itself"):
            WebhookSettings.model_validate({where: {name: "x"}})


@pytest.mark.parametrize("name", ["", "X Y", "X:Y", "X\r\nHost", "X\0", "Ü", "x" * 101])
def test_odd_names_of_headers_are_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="letters, digits and hyphens"):
        WebhookSettings(headers={name: "x"})


@pytest.mark.parametrize(
    "value", ["a\r\nX-Injected: 1", "a\nb", "a\0b", "ü", "\x1b[31m", "x" * 9000]
)
def test_a_header_is_one_plain_line(value: str) -> None:
    with pytest.raises(ValidationError, match="one line of plain characters"):
        WebhookSettings(headers={"X-A": value})
    with pytest.raises(ValidationError, match="one line of plain characters") as caught:
        WebhookSettings(secret_headers={"X-A": SecretStr(value)})
    assert "Injected" not in str(caught.value)


@pytest.mark.parametrize("name", ["Authorization", "X-Api-Key", "Cookie", "X-Auth-Token"])
def test_what_looks_like_a_secret_belongs_to_the_secrets(name: str) -> None:
    with pytest.raises(ValidationError, match="below `secret_headers`"):
        WebhookSettings(headers={name: "x"})


def test_a_header_stands_once() -> None:
    with pytest.raises(ValidationError, match="named twice"):
        WebhookSettings(headers={"X-A": "1", "x-a": "2"})
    with pytest.raises(ValidationError, match="in `headers` and in `secret_headers`"):
        WebhookSettings(
            url=SecretStr(URL), headers={"X-A": "1"}, secret_headers={"x-a": SecretStr("2")}
        )


@pytest.mark.parametrize(
    "secret", ["whsec_", "whsec_c2hvcnQ=", "x" * 40, "whsec_" + "!" * 40, "whsec_" + "A" * 200]
)
def test_a_signing_secret_is_one_of_standard_webhooks(secret: str) -> None:
    with pytest.raises(ValidationError, match="24 to 64 bytes") as caught:
        WebhookSettings(signing_secret=SecretStr(secret))
    assert secret == "whsec_" or secret not in str(caught.value)


@pytest.mark.parametrize(
    "codes", [["299-400"], ["300"], ["307"], ["199"], ["600"], ["20x"], [True]]
)
def test_a_code_is_a_status_and_no_redirect(codes: list[Any]) -> None:
    with pytest.raises(ValidationError):
        WebhookSettings(success=tuple(codes))


def test_codes_may_be_numbers_and_ranges(tmp_path: Path) -> None:
    found = configured(tmp_path, "success: [200-204, 409]\nretry: [429, 500 - 599]")
    settings = found.accounts["crm"].settings
    assert isinstance(settings, WebhookSettings)
    assert settings.success == ("200-204", "409")
    assert settings.retry == ("429", "500-599")


@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0", "8.0.0.0/7", "10.0.0.1/8", "lan", 10])
def test_an_own_network_is_one_and_not_the_world(network: Any) -> None:
    with pytest.raises(ValidationError):
        WebhookSettings(allow_private=(network,))


def test_the_url_is_whole() -> None:
    with pytest.raises(ValidationError, match="`url` is the whole address"):
        WebhookSettings(base_url="http://127.0.0.1:1")
