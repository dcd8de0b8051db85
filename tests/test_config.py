from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import ClassVar, Literal

import pytest

from bridge import config, connector
from bridge.connector import Connector, ConnectorSettings, SecretStr
from bridge.errors import ConfigurationError, OperatorError
from bridge.event import Event, Identity, Webhook
from bridge.first_run import make_missing_secrets
from bridge.registry import Registry
from bridge.source import Source, SourceSettings

SECRET = "a-very-long-secret-indeed"


class ShopSettings(SourceSettings):
    organization: str | None = None


class Shop(Source):
    kind: ClassVar[str] = "shop"
    title: ClassVar[str] = "Shop"
    Settings: ClassVar[type[SourceSettings]] = ShopSettings
    signature_covers: ClassVar[Literal["body", "id"]] = "body"
    signature_headers: ClassVar[tuple[str, ...]] = ()
    event_types = ("order.paid",)
    fields = ()

    def verify(self, webhook: Webhook) -> None:
        raise NotImplementedError

    def identify(self, webhook: Webhook) -> Identity:
        raise NotImplementedError

    def normalise(self, webhook: Webhook) -> tuple[Event, ...]:
        raise NotImplementedError

    def sign(self, body: bytes, secret: str, now: float) -> Mapping[str, str]:
        raise NotImplementedError


class CrmSettings(ConnectorSettings):
    token: SecretStr | None = None
    webhook: SecretStr | None = None
    lists: dict[str, str] = connector.Field(default_factory=dict)


class Crm(Connector):
    name = "crm"
    title = "CRM"
    Settings = CrmSettings


class Printer(Connector):
    """A destination that needs no credentials."""

    name = "printer"
    title = "Printer"
    Settings = ConnectorSettings


REGISTRY = Registry(sources={"shop": Shop}, connectors={"crm": Crm, "printer": Printer})
SMALL = "sources:\n  shop: {secrets: {env: SHOP}}\n"

Load = Callable[..., config.Config]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads a configuration from the text of its `bridge.yaml` and the environment given."""

    def loaded(text: str = SMALL, **environ: str) -> config.Config:
        (tmp_path / "bridge.yaml").write_text(text, "utf-8")
        environ = {"SHOWBRIDGE_DATA": str(tmp_path / "data"), **environ}
        return config.load(environ, tmp_path, REGISTRY)

    return loaded


def complaints(load: Load, text: str, **environ: str) -> list[str]:
    """What is told about a file, without its folder."""
    with pytest.raises(OperatorError) as raised:
        load(text, **environ)
    return [line.rpartition("/bridge.yaml:")[2] for line in str(raised.value).splitlines()]


def accounts(settings: str) -> str:
    return f"{SMALL}accounts:\n  crm: {settings}\n"


def test_the_smallest_file_gets_every_default(load: Load, tmp_path: Path) -> None:
    made = load(SHOP=SECRET)
    assert (made.folder, made.data, made.port, made.redis_url) == (
        tmp_path,
        tmp_path / "data",
        8000,
        None,
    )
    assert made.database_url == f"sqlite:///{tmp_path}/data/ledger.db"
    assert made.server == config.ServerConfig()
    assert made.delivery == config.DeliveryConfig()
    shop = made.sources["shop"]
    assert (shop.kind, shop.secrets, shop.bad_signature_status) == ("shop", (SECRET,), 401)
    assert shop.source.secrets == (SECRET.encode(),)


def test_a_source_says_everything_about_itself(load: Load) -> None:
    made = load(
        "sources:\n  west:\n    kind: shop\n    secrets: {env: SHOP}\n"
        "    path_secret: {env: WAY}\n    allow_from: [34.83.8.110, 10.0.0.0/8, '::1']\n"
        "    bad_signature_status: 202\n    max_body: 2000\n    organization: '5796'\n",
        SHOP="old-one, new-one\n third",
        WAY="0123456789abcdef",
    ).sources["west"]
    assert (made.name, made.kind, made.path_secret) == ("west", "shop", "0123456789abcdef")
    assert made.secrets == ("old-one", "new-one", "third")
    assert made.allow_from == tuple(map(ip_network, ("34.83.8.110/32", "10.0.0.0/8", "::1/128")))
    assert (made.bad_signature_status, made.max_body) == (202, 2000)
    assert made.source.settings == ShopSettings(organization="5796")


def test_secrets_can_come_from_several_places(load: Load, tmp_path: Path) -> None:
    (tmp_path / "old").write_text("from a file\n")
    text = "sources:\n  shop: {secrets: [{file: old}, {env: SHOP}, {env: NONE}]}\n"
    assert load(text, SHOP=SECRET).sources["shop"].secrets == ("from a file", SECRET)


def test_the_configuration_folder_is_named_by_the_environment(load: Load, tmp_path: Path) -> None:
    load()
    assert config.load({"SHOWBRIDGE_CONFIG": str(tmp_path)}, registry=REGISTRY).folder == tmp_path


def test_durations_have_units(load: Load) -> None:
    made = load(
        f"{SMALL}delivery:\n  max_age: 2 hours\n  backoff: 1.5 minutes\n  lease: 5\n  attempts: 3\n"
    )
    assert made.delivery == config.DeliveryConfig(
        attempts=3, max_age_seconds=7200.0, backoff_seconds=90.0, lease_seconds=5.0
    )


def test_what_is_kept_may_be_kept_for_ever(load: Load) -> None:
    assert load().retention == config.RetentionConfig(90 * 86400.0, 400 * 86400.0)
    told = load(
        f"{SMALL}retention:\n  bodies: 30 days\n  finished: Never\n  quarantine: 7 days\n"
        "  quarantine_size: 20 MB\n  quarantine_webhooks: 500\n"
    ).retention
    assert told == config.RetentionConfig(30 * 86400.0, float("inf"), 7 * 86400.0, 20_000_000, 500)


def test_a_quarantine_without_room_for_one_body_is_refused(load: Load) -> None:
    large = "sources:\n  shop: {secrets: {env: SHOP}, max_body: 5000000}\n"
    with pytest.raises(ConfigurationError, match=r"`shop`.*5000000.*write at least 5010000"):
        load(f"{large}retention: {{quarantine_size: 5 MB}}\n")
    assert load(f"{large}retention: {{quarantine_size: 5010000}}\n")


def test_rules_go_live_when_saved_unless_told_otherwise(load: Load) -> None:
    assert load().publishing.when_saved
    assert not load(f"{SMALL}rules: {{publish: by_command}}\n").publishing.when_saved


def test_the_server_can_be_told_everything(load: Load) -> None:
    made = load(
        f"{SMALL}server:\n  host: 0.0.0.0\n  web_workers: 3\n  threads: 8\n"
        "  trusted_proxies: [10.0.0.1]\n  request_seconds: 5 seconds\n"
    )
    assert made.server == config.ServerConfig("0.0.0.0", 3, 8, (ip_network("10.0.0.1/32"),), 5.0)


@pytest.mark.parametrize(
    ("settings", "environ", "preview"),
    [
        ("{token: {env: TOKEN}}", {}, True),
        ("{token: {env: TOKEN}}", {"TOKEN": ""}, True),
        ("{token: {env: TOKEN}}", {"TOKEN": "x"}, False),
        ("{token: {env: TOKEN}, webhook: {env: HOOK}}", {"HOOK": "x"}, False),
        ("{token: {env: TOKEN}, preview: true}", {"TOKEN": "x"}, True),
        ("{token: {env: TOKEN}, preview: false}", {"TOKEN": "x"}, False),
        ("", {}, True),
        ("{connector: printer}", {}, False),
    ],
)
def test_an_account_without_credentials_is_a_preview(
    load: Load, settings: str, environ: dict[str, str], preview: bool
) -> None:
    assert load(accounts(settings), **environ).accounts["crm"].preview is preview


def test_an_account_keeps_its_settings_and_connector(load: Load) -> None:
    made = load(accounts("{token: {env: TOKEN}, lists: {a: b}, timeout: 5}"), TOKEN=SECRET)
    account = made.accounts["crm"]
    assert account.connector is Crm
    assert isinstance(account.settings, CrmSettings)
    assert account.settings.token == SecretStr(SECRET)
    assert (account.settings.lists, account.settings.timeout) == ({"a": "b"}, 5)


def test_the_fingerprint_tells_a_changed_credential(load: Load) -> None:
    def fingerprint(token: str, settings: str = "{token: {env: TOKEN}}") -> str:
        return load(accounts(settings), TOKEN=token).accounts["crm"].fingerprint

    assert fingerprint("one") == fingerprint("one")
    assert fingerprint("one") != fingerprint("two")
    assert fingerprint("one") != fingerprint("one", "{token: {env: TOKEN}, timeout: 5}")
    assert SECRET not in fingerprint(SECRET)


def test_the_world_has_what_is_configured(load: Load) -> None:
    world = config.world(load(accounts("")))
    assert (world.sources, world.accounts) == ({"shop": Shop}, {"crm": Crm})


def test_nothing_secret_is_shown(load: Load) -> None:
    made = load(
        "sources:\n  shop: {secrets: {env: S}, path_secret: {env: P}}\n"
        "accounts:\n  crm: {token: {env: T}}\n",
        S="secret-one",
        P="secret-two-0123456789",
        T="secret-three",
        DATABASE_URL="postgresql://user:secret-four@host/name",
        REDIS_URL="redis://:secret-five@host",
    )
    shown = repr(made) + str(made) + repr(made.accounts["crm"].settings)
    assert "secret-" not in shown


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("postgres://u:p@h:5432/d", "postgresql+psycopg://u:p@h:5432/d"),
        ("postgresql://h/d?sslmode=require", "postgresql+psycopg://h/d?sslmode=require"),
        ("postgresql+psycopg://h/d", "postgresql+psycopg://h/d"),
        ("postgresql:///d?host=/run/postgresql", "postgresql+psycopg:///d?host=/run/postgresql"),
        ("sqlite:////var/lib/ledger.db", "sqlite:////var/lib/ledger.db"),
        (" sqlite:///ledger.db ", "sqlite:///ledger.db"),
    ],
)
def test_database_urls_get_one_spelling(load: Load, given: str, made: str) -> None:
    assert load(DATABASE_URL=given).database_url == made


@pytest.mark.parametrize(
    "environ",
    [
        {"PORT": "x"},
        {"PORT": "0"},
        {"PORT": "65536"},
        {"PORT": "８０８０"},
        {"PORT": "-1"},
        {"DATABASE_URL": "mysql://u:hunter2@h/d"},
        {"DATABASE_URL": "hunter2"},
        {"DATABASE_URL": "sqlite://"},
        {"DATABASE_URL": "sqlite:///:memory:"},
        {"DATABASE_URL": "postgresql://u:hunter2@h:port/d"},
        {"DATABASE_URL": "postgresql://u:hunter2/2@h/d"},
        {"DATABASE_URL": "postgresql://u:hunter2@h"},
        {"REDIS_URL": "http://u:hunter2@h"},
    ],
    ids=str,
)
def test_a_wrong_variable_is_named_and_its_value_is_not(
    load: Load, environ: dict[str, str]
) -> None:
    (said,) = complaints(load, SMALL, **environ)
    assert said.startswith(next(iter(environ)))
    assert "hunter2" not in said


def test_the_environment_and_the_file_are_blamed_together(load: Load) -> None:
    said = complaints(load, "sources:\n  shop: {max_body: 5}\n", PORT="x", REDIS_URL="x")
    assert len(said) == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1:1: no source is configured; add one below `sources:`"),
        ("- a", "1:1: this must be a group of `name: value` lines"),
        ("sauces: {}", "1:1: `sauces` is not known here; did you mean `sources`?"),
        (
            "sources:\n  shop: {secrets: hunter2}",
            (
                "2:19: `secrets`: secrets never stand in YAML; write {env: SHOP_SECRETS} and set "
                "that variable"
            ),
        ),
        (
            "sources:\n  shop: {secrets: {env: S}, secret: 5}",
            "2:29: `secret` is not known here; did you mean `secrets`?",
        ),
        (
            "sources:\n  shop: {secrets: {env: S}, organisation: '5'}",
            "2:29: `organisation` is not known here; did you mean `organization`?",
        ),
        (
            "sources:\n  shop: {kind: shopp}",
            "2:16: there is no kind of source `shopp`; did you mean `shop`?",
        ),
        (
            "sources:\n  west: {}",
            "2:3: there is no kind of source `west`; add a line `kind: ...`; there is `shop`",
        ),
        (
            "sources:\n  Shop!: {kind: shop}",
            (
                "2:3: `Shop!` cannot be a name; use up to 40 small letters, digits, hyphens and "
                "underscores"
            ),
        ),
        (
            "sources:\n  shop: {allow_from: [34.83.8.300]}",
            (
                "2:23: this is not right: write an address like 34.83.8.110 or a network "
                "like 10.0.0.0/8"
            ),
        ),
        (
            "sources:\n  shop: {allow_from: }",
            (
                "`allow_from` is not right: write addresses like [34.83.8.110], or take the "
                "line out: then all may"
            ),
        ),
        (
            "sources:\n  shop: {secrets: {env: CURLY}}",
            (
                "2:19: `secrets` (CURLY) holds a curly quotation mark, as word processors and "
                "chats make them; copy the key once more, into a plain text file"
            ),
        ),
        (
            accounts("{token: {env: CURLY}}"),
            (
                "4:16: `token` is not right: this secret was not copied well: it holds blanks or "
                "odd characters"
            ),
        ),
        (
            accounts("{token: {env: QUOTED}}"),
            (
                "4:16: `token` (QUOTED) stands in quotation marks that are taken for a part of it; "
                "copy the key once more, into a plain text file"
            ),
        ),
        (
            "sources:\n  shop: {allow_from: [10.0.0.1/8]}",
            (
                "2:23: this is not right: it has bits set beyond its length; 10.0.0.0/8 "
                "would be the network"
            ),
        ),
        (
            "sources:\n  shop: {secrets: {file: none}}",
            "cannot be read: No such file or directory",
        ),
        ("sources:\n  shop: {secrets: {env: }}", "`env` must be a name; write {env: NAME}"),
        (
            "sources:\n  shop: {path_secret: {env: SHORT}}",
            "`path_secret` must be 16 to 128 letters, digits, hyphens or underscores",
        ),
        (
            accounts("{token: hunter2}"),
            (
                "4:16: `token`: secrets never stand in YAML; write {env: CRM_TOKEN} and set that "
                "variable"
            ),
        ),
        (accounts("{tokn: x}"), "4:9: `tokn` is not known here; did you mean `token`?"),
        (accounts("{connector: cmr}"), "there is no connector `cmr`; did you mean `crm`?"),
        (
            accounts("{token: {env: T}, webhook: {env: W}, preview: false}"),
            "4:54: nothing can be sent without credentials; set T or W",
        ),
        (
            accounts("{preview: false}"),
            (
                "4:18: nothing can be sent without credentials; set `token: {env: CRM_TOKEN}` or "
                "`webhook: {env: CRM_WEBHOOK}`"
            ),
        ),
        (
            accounts("{timeout: fast}"),
            "4:18: `timeout` must be a number; write digits alone, such as 5 or 2.5",
        ),
        (
            accounts("nothing"),
            (
                "4:8: `accounts.crm` must be a group of `name: value` lines; write each "
                "`name: value` on a line of its own, indented further than this name"
            ),
        ),
        (
            f"{SMALL}delivery: {{max_age: 3 fortnights}}",
            '3:21: `delivery.max_age` is not right: write a duration like "3 days" or "90 seconds"',
        ),
        (
            f"{SMALL}retention: {{bodies: for ever}}",
            '3:21: `retention.bodies` is not right: write a duration like "90 days", or never',
        ),
        (
            f"{SMALL}retention: {{finished: 1 day}}",
            '3:23: `retention.finished` is not right: write at least "30 days", or never',
        ),
        (
            f"{SMALL}rules: {{publish: always}}",
            "3:18: `rules.publish` must be 'when_saved' or 'by_command'",
        ),
        (
            f"{SMALL}delivery: {{atempts: 3}}",
            "3:12: `delivery.atempts` is not known here; did you mean `attempts`?",
        ),
        (
            f"{SMALL}server: {{threads: 0}}",
            "3:19: `server.threads` must be greater than or equal to 1",
        ),
    ],
)
def test_every_mistake_says_where_what_and_what_would_be_right(
    load: Load, text: str, expected: str
) -> None:
    given = {"SHORT": "hunter2", "CURLY": "\u201chunter2\u201d", "QUOTED": '"hunter2"'}
    said = complaints(load, text, **given)
    assert len(said) == 1
    assert said[0].endswith(expected)
    assert "hunter2" not in said[0]


def test_all_mistakes_are_told_at_once(load: Load) -> None:
    text = "sources:\n  shop: {kid: shop}\naccounts:\n  crm: {tokn: 1}\nserver: {prt: 1}\nx: 1\n"
    with pytest.raises(ConfigurationError) as raised:
        load(text)
    assert [mistake.line for mistake in raised.value.mistakes] == [2, 4, 5, 6]


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=r"bridge\.yaml is missing; .*SHOWBRIDGE_CONFIG"):
        config.load({}, tmp_path, REGISTRY)


def test_a_file_in_another_encoding_says_so(tmp_path: Path) -> None:
    (tmp_path / "bridge.yaml").write_bytes(b"\xff\xfea\x00")
    with pytest.raises(OperatorError, match="not in UTF-8"):
        config.load({}, tmp_path, REGISTRY)


# A first run


def test_a_first_run_makes_a_secret_for_each_source_that_has_none(load: Load) -> None:
    text = "sources:\n  shop: {secrets: {env: SHOP}}\n  west: {kind: shop}\n"
    assert make_missing_secrets(load(text, SHOP=SECRET)) == ["west"]
    made = load(text, SHOP=SECRET)
    assert made.sources["shop"].secrets == (SECRET,)
    (secret,) = made.sources["west"].secrets
    assert len(secret) >= 43
    assert make_missing_secrets(made) == []


def test_what_it_makes_is_for_its_owner_alone(load: Load) -> None:
    made = load()
    make_missing_secrets(made)
    folder = made.data / "secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [file.name for file in folder.iterdir()] == ["shop"]
    assert stat.S_IMODE((folder / "shop").stat().st_mode) == 0o600


def test_it_never_overwrites(load: Load) -> None:
    first = load()
    make_missing_secrets(first)
    before = load().sources["shop"].secrets
    # As another process would that was loaded before the file was there.
    assert make_missing_secrets(first) == []
    assert load().sources["shop"].secrets == before


def test_a_named_secret_comes_before_the_made_one(load: Load) -> None:
    make_missing_secrets(load())
    assert load(SHOP=SECRET).sources["shop"].secrets == (SECRET,)


def test_a_folder_that_cannot_be_written_says_what_to_do(load: Load, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(OperatorError, match="SHOWBRIDGE_DATA"):
        make_missing_secrets(load())
