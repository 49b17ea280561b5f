"""The settings: which values are allowed, and what follows from their table."""

import re
from ipaddress import ip_network

import pytest

from chalicelib.config import ConfigError, Settings, load
from chalicelib.domain.access.limits import Allowances, Limit
from chalicelib.setting_types import Setting, whole
from chalicelib.settings_table import SETTINGS, Part
from infra.deploy.stack import setting_parameters
from infra.deploy.template import PARAMETERS
from infra.dev.settings_page import PAGE, page
from infra.local.layout import ROOT, layout_from
from tests.fixtures.settings import WORKER, service_environment
from worker import config as worker_config

READERS = {
    Part.STAGE: lambda environ: load({**service_environment("unit"), **environ}),
    Part.WORKER: lambda environ: worker_config.load({**WORKER, **environ}),
    Part.LOCAL: layout_from,
}
WRONG_LIMITS = ("10", "0+1/10s", "10+1/0s", "10+1/3601s", "10+2/10s", "-1+1/10s", "10+1/10", "x")
WRONG = {
    (Part.STAGE, "TOLLCAST_INGEST_HOST"): ("example.org:1935", "rtmp://example.org", "a b"),
    (Part.STAGE, "TOLLCAST_RTMP_PORT"): ("", "0", "65536"),
    (Part.STAGE, "TOLLCAST_INGEST_NETWORKS"): ("10.20.0.1/16", "10.20.0.0/33", "encoders.example", "10.20.0.0/16,"),
    (Part.STAGE, "TOLLCAST_INGEST_PORTS"): ("0", "65536", "443;80", "-1", "80,"),
    (Part.STAGE, "TOLLCAST_EMBEDDED_METRICS"): ("yes", "ON"),
    (Part.STAGE, "TOLLCAST_LOGIN_LIMIT"): WRONG_LIMITS,
    (Part.STAGE, "TOLLCAST_TOP_UP_URL"): (
        "https://pay.example.org/",
        "http://pay.example.org/{user_id}",
        "https://{user_id}.example.org/",
        "https://me:secret@pay.example.org/{user_id}",
        "https:///{user_id}",
        "https://pay.example.org:99999/{user_id}",
        "https://pay.example.org/{user_id}/{email}",
        "https://pay.example.org/ {user_id}",
        "javascript:alert({user_id})",
        "ftp://pay.example.org/{user_id}",
        "https://pay.example.org/{user_id}" + 470 * "x",
    ),
    (Part.WORKER, "TOLLCAST_WORKER_ID"): ("a b", "../up"),
    (Part.WORKER, "TOLLCAST_WORKER_CAPACITY"): ("0", "many"),
    (Part.WORKER, "TOLLCAST_MEDIA_DIR"): ("", "relative"),
    (Part.WORKER, "TOLLCAST_WORK_DIR"): ("/with%d",),
    (Part.WORKER, "TOLLCAST_RTMP_URL"): ("http://127.0.0.1:1935/live", "rtmp://127.0.0.1:1935/live/stream"),
    (Part.WORKER, "TOLLCAST_LISTEN_HOST"): ("localhost",),
    (Part.LOCAL, "TOLLCAST_PORT"): ("0", "65536", "x", "-1", "80.0"),
    (Part.LOCAL, "TOLLCAST_STATE_DIR"): ("/a%b", "/a'b", "/a;b"),
}


@pytest.mark.parametrize(
    ("part", "name", "value"), [(*key, value) for key, values in WRONG.items() for value in values]
)
def test_an_error_names_the_variable_its_value_and_what_is_allowed(part: Part, name: str, value: str) -> None:
    shown = f"is {value!r}" if value else "is not set"
    with pytest.raises(ConfigError, match=re.escape(f"{name} {shown}; allowed: ") + "."):
        READERS[part]({name: value})


def test_an_error_does_not_show_a_secret() -> None:
    with pytest.raises(ConfigError) as raised:
        Setting("TOLLCAST_X", whole(1, 2), "1", "", is_secret=True).read({"TOLLCAST_X": "my-password"})
    assert str(raised.value) == "TOLLCAST_X is wrong; allowed: a whole number from 1 to 2"


@pytest.mark.parametrize(
    ("public_url", "host"),
    [
        ("http://127.0.0.1:8080", "127.0.0.1"),
        ("https://watch.example.org/", "watch.example.org"),
        ("https://watch.example.org/api", "watch.example.org"),
        ("http://[::1]:8080", "[::1]"),
    ],
)
def test_senders_connect_to_the_host_of_viewers_by_default(public_url: str, host: str) -> None:
    environ = {**service_environment("unit"), "TOLLCAST_PUBLIC_URL": public_url}
    assert load(environ).ingest_host == host
    assert load({**environ, "TOLLCAST_INGEST_HOST": "ingest.example.org"}).ingest_host == "ingest.example.org"


def chosen() -> Settings:
    return READERS[Part.STAGE](
        {
            "TOLLCAST_INGEST_NETWORKS": "10.20.0.0/16, fd12::/32,192.168.1.9",
            "TOLLCAST_INGEST_PORTS": "9443, 80",
            "TOLLCAST_LOGIN_LIMIT": "5+1/60s",
            "TOLLCAST_START_LIMIT": "",
            "TOLLCAST_TOP_UP_URL": "https://pay.example.org/?user={user_id}",
        }
    )


def test_lists_and_limits_are_parsed_and_an_empty_value_is_the_default() -> None:
    settings = chosen()
    networks = {ip_network(text) for text in ("10.20.0.0/16", "fd12::/32", "192.168.1.9/32")}
    assert (set(settings.ingest_networks), settings.ingest_ports) == (networks, frozenset({9443, 80}))
    assert (settings.allowances.login, settings.allowances.start) == (Limit(5, 60_000), Allowances().start)
    for environ in ({}, {"TOLLCAST_INGEST_NETWORKS": " ", "TOLLCAST_INGEST_PORTS": ""}):
        settings = READERS[Part.STAGE](environ)
        assert (settings.ingest_networks, settings.ingest_ports) == ((), frozenset())


def test_the_address_to_buy_points_has_the_user_in_it() -> None:
    top_up_url = READERS[Part.STAGE]({"TOLLCAST_TOP_UP_URL": "https://pay.example.org/?user={user_id}#to"}).top_up_url
    assert top_up_url("u_a/b c&d") == "https://pay.example.org/?user=u_a%2Fb%20c%26d#to"
    longest = "https://pay.example.org/{user_id}".ljust(500, "x")
    for template in (
        longest,
        "http://localhost:8090/{user_id}",
        "http://[::1]/{user_id}",
        "http://127.0.0.1/{user_id}",
    ):
        assert READERS[Part.STAGE]({"TOLLCAST_TOP_UP_URL": template}).top_up_url("u_x") == template.format(
            user_id="u_x"
        )
    assert READERS[Part.STAGE]({}).top_up_url("u_x") is None


def test_deployed_functions_read_the_same_settings() -> None:
    settings = chosen()
    deployed = {PARAMETERS[name].name: value for name, value in setting_parameters(settings).items()}
    assert setting_parameters(load(deployed)) == setting_parameters(settings)


def test_a_worker_has_defaults() -> None:
    needed = {name: WORKER[name] for name in ("TOLLCAST_MEDIA_DIR", "TOLLCAST_WORK_DIR")}
    settings = worker_config.load(needed)
    assert (settings.capacity, settings.rtmp_url, settings.listen_host) == (4, None, "127.0.0.1")
    assert settings.worker_id


def test_the_page_of_settings_is_made_from_the_table() -> None:
    assert PAGE.read_text() == page(), "run `python -m infra.dev.settings_page` and look at what has changed"


def test_every_variable_is_a_setting_and_every_setting_is_read() -> None:
    folders = [ROOT / name for name in ("chalicelib", "gateway", "infra", "player", "worker")]
    files = [path for folder in folders for path in folder.rglob("*") if path.suffix in (".py", ".sh", ".conf")]
    code = "\n".join(path.read_text() for path in files if path.name != "settings_table.py")
    # The typed configurations of the stage and the worker have all their settings. Proxies are named after URL schemes.
    for setting in (*SETTINGS[Part.NGINX], *SETTINGS[Part.LOCAL], *SETTINGS[Part.PLAYER]):
        assert re.search(rf'{setting.name}\b|"{setting.field}"', code) or "_proxy" in setting.name, setting.name
    named_in = [*ROOT.glob("*.md"), *ROOT.glob("*.yml"), *ROOT.glob("docs/*.md"), ROOT / "Makefile"]
    texts = "\n".join(path.read_text() for path in named_in)
    # The headers by which nginx describes a request to the endpoints have the same beginning in WSGI.
    named = set(re.findall(r"(?<!HTTP_X_)TOLLCAST_[A-Z0-9_]*[A-Z0-9]", code + texts))
    assert named <= {setting.name for part in Part for setting in SETTINGS[part]}
