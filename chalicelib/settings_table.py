"""The table of all environment settings.

The typed configurations, the deployment's parameters, the environment of the local platform and `docs/settings.md`
(`python -m infra.dev.settings_page`) follow from it.
"""

import socket
from enum import Enum
from functools import partial
from ipaddress import IPv4Address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from chalicelib.domain.access.limits import BACK_S_MAX, Allowances, Limit
from chalicelib.domain.money.top_up import TEMPLATE_CHARS_MAX, TopUpUrl
from chalicelib.setting_types import ConfigError, Default, Environ, Kind, Setting, whole


class Part(Enum):
    """What reads a setting."""

    STAGE = "the functions, the gateway's endpoints, the worker and the commands of a stage"
    WORKER = "the worker, beside the settings of the stage"
    NGINX = "`python -m infra.prod.nginx`, beside the settings of the stage"
    LOCAL = "`make up` and the other commands of the local platform"
    PLAYER = "the viewer's command, `player`"


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")] if text.strip() else []


def _viewers_host(environ: Environ) -> str:
    host = urlsplit(environ.get("TOLLCAST_PUBLIC_URL", "")).hostname or ""
    return f"[{host}]" if ":" in host else host


def _s3_host(environ: Environ) -> str:
    if not environ.get("AWS_REGION"):
        raise ConfigError("AWS_REGION is not set. Set it, or TOLLCAST_S3_HOST.")
    return f"s3.{environ['AWS_REGION']}.amazonaws.com:443"


NEEDED = None
NONE = Default("none")
TEXT = Kind("any text")
URL = Kind("an address", lambda text: text.rstrip("/"))
PORT = whole(1, 65_535)
HOST = Kind("a host name or an address, without a port", pattern=r"[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]")
LISTEN_HOST = Kind("an IPv4 address of this machine", lambda text: str(IPv4Address(text)))
SWITCH = Kind("`on` or `off`", lambda text: text == "on", "on|off")
LIMIT = Kind(f"`10+1/10s` is 10 at once, then one each 10 s; at most `9999999+1/{BACK_S_MAX}s`", Limit.parse)
NETWORKS = Kind(
    "networks such as 10.20.0.0/16 or fd12:3456::/32, without host bits, separated by commas",
    lambda text: tuple(map(ip_network, _parts(text))),
)
PORTS = Kind("ports from 1 to 65535, separated by commas", lambda text: frozenset(map(PORT.parse, _parts(text))))
FILE = Kind("a path", Path)
ABSOLUTE = Kind("an absolute path", Path, "(?s)/.*")
# FFmpeg reads a per cent sign in the name of an output as a pattern.
WORK = Kind("an absolute path without %", Path, "(?s)/[^%]*")
STATE = Kind("a path without % ; $ \\ and quotes", Path, r"[^%;$\\\"'\x00-\x1f]+")
STORE = Kind(
    "the ARN of a KeyValueStore, `arn:aws:cloudfront::<account>:key-value-store/<id>`",
    pattern=r"arn:[a-z-]+:cloudfront::[0-9]{12}:key-value-store/[0-9a-f-]{36}",
)
TOP_UP_URL = Kind(
    "an https address with `{user_id}` behind its host, without a user name;"
    f" http for localhost only; at most {TEMPLATE_CHARS_MAX} characters",
    TopUpUrl.parse,
)
RTMP_URL = Kind("`rtmp://HOST:PORT/live`", pattern=r"rtmp://[A-Za-z0-9.-]+:[0-9]{1,5}/live")
WORKER_ID = Kind("1 to 63 letters, digits, dots, - and _", pattern=r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
VIEWERS_HOST = Default("the host of the public URL", _viewers_host)
S3_HOST = Default("`s3.<region>.amazonaws.com:443`", _s3_host)
IN_LAMBDA = Default(
    "on in Lambda, else off", lambda environ: "on" if environ.get("AWS_LAMBDA_FUNCTION_NAME") else "off"
)
STATE_DIR = Default("`.local`", lambda _: str(Path(__file__).resolve().parents[1] / ".local"))
HOST_NAME = Default("the host name", lambda _: socket.gethostname())
# All local requests have one address, and a load test is one user, so this limit is too high to reach.
HIGH = "100000+1/1s"
# `make up` prefers the caller's value.
choosable = partial(Setting, is_choosable=True)

STAGE = (
    Setting("TOLLCAST_STAGE", TEXT, NEEDED, "name of the stage; part of its tables' names", "{layout.stage}"),
    Setting("TOLLCAST_MEDIA_BUCKET", TEXT, NEEDED, "S3 bucket of the media", "tollcast-{layout.stage}-media"),
    Setting("TOLLCAST_WORK_QUEUE", TEXT, NEEDED, "SQS queue of hints for workers", "tollcast-{layout.stage}-work"),
    Setting("TOLLCAST_TOKEN_SECRET", TEXT, NEEDED, "name of the token keys' secret", "tollcast-{layout.stage}-tokens"),
    Setting("TOLLCAST_PUBLIC_URL", URL, NEEDED, "where viewers reach the gateway, `https://…`", "{layout.url}"),
    choosable("TOLLCAST_SESSIONS_PER_USER_MAX", whole(1, 16), NEEDED, "sessions of a user at a time", "3"),
    Setting("TOLLCAST_RTMP_PORT", PORT, NEEDED, "port for senders by RTMP", "{layout.rtmp_port}"),
    choosable("TOLLCAST_INGEST_HOST", HOST, VIEWERS_HOST, "where senders connect by RTMP or SRT"),
    choosable("TOLLCAST_INGEST_NETWORKS", NETWORKS, "", "networks to pull from although they are not public"),
    choosable("TOLLCAST_INGEST_PORTS", PORTS, "", "further ports to pull from"),
    choosable("TOLLCAST_LOGIN_LIMIT", LIMIT, str(Allowances.login), "wrong passwords of an address for one account"),
    choosable("TOLLCAST_LOGIN_ADDRESS_LIMIT", LIMIT, str(Allowances.login_address), "wrong passwords by address", HIGH),
    choosable("TOLLCAST_SETTLEMENT_CREDITS", SWITCH, "on", "whether settlements credit what was not served"),
    choosable("TOLLCAST_SETTLEMENT_CREDITS_PER_DAY", whole(0, 10**9), "0", "points of credits a user and day; 0: any"),
    choosable("TOLLCAST_START_LIMIT", LIMIT, str(Allowances.start), "starts of a user", HIGH),
    # At most as long as the audit log keeps its entries.
    choosable("TOLLCAST_ADDRESS_DAYS", whole(1, 400), "30", "days that addresses and user agents are kept"),
    choosable("TOLLCAST_EMBEDDED_METRICS", SWITCH, IN_LAMBDA, "whether counters also go to CloudWatch, by the log"),
    choosable("TOLLCAST_TOP_UP_URL", TOP_UP_URL, "", "where viewers buy points, such as `https://…/?user={user_id}`"),
    Setting("TOLLCAST_DENYLIST_DIR", FILE, NONE, "nginx's denylist, shared with the API", "{layout.denylist_dir}"),
    Setting("TOLLCAST_DENYLIST_STORE", STORE, NONE, "CloudFront's denylist, instead; needs the layer `SignerLayer`"),
)
WORKER = (
    Setting("TOLLCAST_MEDIA_DIR", WORK, NEEDED, "the only place for `file` sources", "{layout.media_dir}"),
    Setting("TOLLCAST_WORK_DIR", WORK, NEEDED, "seconds of every stream; a tmpfs is best", "{layout.work_dir}"),
    Setting("TOLLCAST_WORKER_ID", WORKER_ID, HOST_NAME, "unique among running workers", "{layout.worker_id}"),
    Setting("TOLLCAST_WORKER_CAPACITY", whole(1, 64), "4", "streams at a time, whatever their picture rate is"),
    Setting("TOLLCAST_RTMP_URL", RTMP_URL, NONE, "the ingest; needed to listen for RTMP", "{layout.rtmp_url}"),
    choosable("TOLLCAST_LISTEN_HOST", LISTEN_HOST, "127.0.0.1", "where streams listen for SRT; 0.0.0.0 is all"),
)
NGINX = (
    Setting("TOLLCAST_RUN_DIR", ABSOLUTE, NEEDED, "sockets, shared with the API and the endpoints"),
    Setting("TOLLCAST_GATEWAY_DIR", ABSOLUTE, NEEDED, "a directory of its own for caches and the process id"),
    Setting("TOLLCAST_TLS_CERTIFICATE", ABSOLUTE, NEEDED, "PEM file"),
    Setting("TOLLCAST_TLS_KEY", ABSOLUTE, NEEDED, "PEM file"),
    Setting("AWS_REGION", TEXT, NONE, "names S3's host; needed if the next is not set"),
    Setting("TOLLCAST_S3_HOST", TEXT, S3_HOST, "host and port of S3"),
    Setting("TOLLCAST_S3_TRUSTED", FILE, "/etc/ssl/certs/ca-certificates.crt", "certificates that verify S3"),
    Setting("TOLLCAST_RESOLVER", TEXT, "127.0.0.53", "resolver of S3's name"),
    Setting("TOLLCAST_GATEWAY_LISTEN", TEXT, "443", "address or port for TLS"),
    Setting("TOLLCAST_GATEWAY_PLAIN_LISTEN", TEXT, "80", "address or port without TLS"),
    Setting("TOLLCAST_GATEWAY_USER", TEXT, "www-data", "nginx's user; empty if not started by root", may_be_empty=True),
)
LOCAL = (
    Setting("TOLLCAST_PORT", PORT, "8080", "port of the gateway on 127.0.0.1", "{layout.port}"),
    Setting("TOLLCAST_EMULATOR_PORT", PORT, "4566", "port of the AWS emulator", "{layout.emulator_port}"),
    Setting("TOLLCAST_RTMP_PORT", PORT, "1935", "port of the RTMP ingest", "{layout.rtmp_port}"),
    Setting("TOLLCAST_PROMETHEUS_PORT", PORT, "9090", "port of `make up WITH=prometheus`", "{layout.prometheus_port}"),
    Setting("TOLLCAST_DASHBOARD_PORT", PORT, "5173", "port of `make admin`", "{layout.dashboard_port}"),
    Setting("TOLLCAST_STATE_DIR", STATE, STATE_DIR, "state and logs; one for each platform", "{layout.state_dir}"),
    Setting("TOLLCAST_RUN_DIR", FILE, Default("derived, in `/tmp`"), "sockets, process ids", "{layout.run_dir}"),
    Setting("TOLLCAST_ACCESS_LOG", FILE, NONE, "a file for nginx's access log, in containers"),
    Setting("TOLLCAST_USER", TEXT, Default("set by `make up`"), "user of supervisord", "{layout.user}"),
    Setting("DEMO_SOURCE", FILE, Default("a clip"), "the file that `make demo` plays"),
)
PLAYER = (
    Setting("TOLLCAST_SERVER", URL, Default("that of the last login"), "the server, in place of `--server`"),
    Setting("http_proxy", URL, NONE, "proxy for addresses that begin with http://", is_secret=True),
    Setting("https_proxy", URL, NONE, "proxy for addresses that begin with https://", is_secret=True),
    Setting("all_proxy", URL, NONE, "proxy for both", is_secret=True),
    Setting("no_proxy", TEXT, NONE, "hosts that are reached without a proxy"),
)
SETTINGS = {Part.STAGE: STAGE, Part.WORKER: WORKER, Part.NGINX: NGINX, Part.LOCAL: LOCAL, Part.PLAYER: PLAYER}


def read(part: Part, environ: Environ) -> dict[str, Any]:
    """Return the values of a part's settings by their field. Raise `ConfigError`."""
    return {setting.field: setting.read(environ) for setting in SETTINGS[part]}
