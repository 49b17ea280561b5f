"""Settings from the environment; no other module reads it. The SDK reads the standard AWS variables."""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from chalicelib.domain.access.clients import ADDRESS_DAYS_DEFAULT, ADDRESS_DAYS_MAX, ADDRESS_DAYS_MIN
from chalicelib.domain.access.limits import Allowances, Limit
from chalicelib.domain.streams.addresses import IpNetwork

VERSION = "0.1.0"
_LIMIT = re.compile(r"([0-9]{1,7})\+1/([0-9]{1,4})s")
_LIMIT_BACK_S_MAX = 3_600
_STORE_ARN = re.compile(r"arn:[a-z-]+:cloudfront::[0-9]{12}:key-value-store/[0-9a-f-]{36}")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]")


class ConfigError(Exception):
    """A variable is missing or wrong. The message names it and what it allows."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of functions, gateway endpoints and workers."""

    stage: str
    media_bucket: str
    work_queue: str
    token_secret: str
    public_url: str
    # The denylist of the gateway on this machine; None if it has none.
    denylist_dir: Path | None
    sessions_per_user_max: int
    # The host and RTMP port for senders.
    ingest_host: str
    rtmp_port: int
    # Private networks and further ports of sources to pull from, for instance encoders in the operator's network.
    ingest_networks: tuple[IpNetwork, ...] = ()
    ingest_ports: frozenset[int] = frozenset()
    allowances: Allowances = field(default_factory=Allowances)
    # The ARN of the KeyValueStore with CloudFront's denylist. At most one of this and `denylist_dir` is set.
    denylist_store: str | None = None
    # How many days addresses and user agents are kept.
    address_days: int = ADDRESS_DAYS_DEFAULT

    @property
    def table_prefix(self) -> str:
        """The prefix of the stage's table names."""
        return f"tollcast-{self.stage}-"


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings from the environment. Raise `ConfigError`."""
    env = os.environ if environ is None else environ
    denylist_dir, denylist_store = _denylist(env)
    public_url = _text(env, "TOLLCAST_PUBLIC_URL").rstrip("/")
    return Settings(
        stage=_text(env, "TOLLCAST_STAGE"),
        media_bucket=_text(env, "TOLLCAST_MEDIA_BUCKET"),
        work_queue=_text(env, "TOLLCAST_WORK_QUEUE"),
        token_secret=_text(env, "TOLLCAST_TOKEN_SECRET"),
        public_url=public_url,
        denylist_dir=denylist_dir,
        sessions_per_user_max=_number(env, "TOLLCAST_SESSIONS_PER_USER_MAX", 1, 16),
        ingest_host=_ingest_host(env, public_url),
        rtmp_port=_number(env, "TOLLCAST_RTMP_PORT", 1, 65535),
        ingest_networks=tuple(_network(text) for text in _list(env, "TOLLCAST_INGEST_NETWORKS")),
        ingest_ports=frozenset(_port(text) for text in _list(env, "TOLLCAST_INGEST_PORTS")),
        allowances=_allowances(env),
        denylist_store=denylist_store,
        address_days=_address_days(env),
    )


def store_at_edges(settings: Settings) -> str | None:
    """Return the ARN of the KeyValueStore of CloudFront's functions, or None.

    Raise `ConfigError` if the package that writes there is missing: nothing may be sold while ends of sessions do not
    reach the edges.
    """
    if settings.denylist_store and find_spec("awscrt") is None:
        raise ConfigError(
            "TOLLCAST_DENYLIST_STORE needs the package awscrt, which signs requests to it; in Lambda it is a layer"
        )
    return settings.denylist_store


def _text(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if not value:
        raise ConfigError(f"{name} is not set")
    return value


def _denylist(env: Mapping[str, str]) -> tuple[Path | None, str | None]:
    """Return the directory or the store of the gateway's denylist, or neither."""
    directory, store = env.get("TOLLCAST_DENYLIST_DIR"), env.get("TOLLCAST_DENYLIST_STORE")
    if directory and store:
        raise ConfigError("TOLLCAST_DENYLIST_DIR and TOLLCAST_DENYLIST_STORE are both set; allowed: one or none")
    if store and not _STORE_ARN.fullmatch(store):
        allowed = "the ARN of a KeyValueStore, arn:aws:cloudfront::<account>:key-value-store/<id>"
        raise ConfigError(f"TOLLCAST_DENYLIST_STORE is {store!r}; allowed: {allowed}")
    return Path(directory) if directory else None, store or None


def _ingest_host(env: Mapping[str, str], public_url: str) -> str:
    """Return the host as in a URL; by default the viewers' host."""
    viewers_host = urlsplit(public_url).hostname or ""
    host = env.get("TOLLCAST_INGEST_HOST") or (f"[{viewers_host}]" if ":" in viewers_host else viewers_host)
    if not _HOST.fullmatch(host):
        raise ConfigError(f"TOLLCAST_INGEST_HOST is {host!r}; allowed: a host name or an address, without a port")
    return host


def _number(env: Mapping[str, str], name: str, least: int, most: int) -> int:
    text = _text(env, name)
    if not text.isdecimal() or not least <= int(text) <= most:
        raise ConfigError(f"{name} is {text!r}; allowed: a whole number from {least} to {most}")
    return int(text)


def _address_days(env: Mapping[str, str]) -> int:
    name = "TOLLCAST_ADDRESS_DAYS"
    return _number(env, name, ADDRESS_DAYS_MIN, ADDRESS_DAYS_MAX) if env.get(name) else ADDRESS_DAYS_DEFAULT


def _allowances(env: Mapping[str, str]) -> Allowances:
    """Return the rate limits; those that are not set keep their default."""
    names = {"login": "LOGIN_LIMIT", "login_address": "LOGIN_ADDRESS_LIMIT", "start": "START_LIMIT"}
    given = {field: f"TOLLCAST_{name}" for field, name in names.items() if env.get(f"TOLLCAST_{name}")}
    return Allowances(**{field: _limit(name, env[name]) for field, name in given.items()})


def _limit(name: str, text: str) -> Limit:
    found = _LIMIT.fullmatch(text)
    burst, back_s = (int(found[1]), int(found[2])) if found else (0, 0)
    if not burst or not 1 <= back_s <= _LIMIT_BACK_S_MAX:
        allowed = f"such as 10+1/10s: 10 at once, and one more each 10 s (1 to 9999999, 1 to {_LIMIT_BACK_S_MAX} s)"
        raise ConfigError(f"{name} is {text!r}; allowed: {allowed}")
    return Limit(burst, back_s * 1000)


def limit_text(limit: Limit) -> str:
    """Return a limit as in a setting."""
    return f"{limit.burst}+1/{limit.back_every_ms // 1000}s"


def _list(env: Mapping[str, str], name: str) -> list[str]:
    text = env.get(name, "").strip()
    return [part.strip() for part in text.split(",")] if text else []


def _network(text: str) -> IpNetwork:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        allowed = "networks such as 10.20.0.0/16 or fd12:3456::/32, separated by commas"
        raise ConfigError(f"TOLLCAST_INGEST_NETWORKS has {text!r} ({error}); allowed: {allowed}") from None


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text) <= 65_535:
        allowed = "whole numbers from 1 to 65535, separated by commas"
        raise ConfigError(f"TOLLCAST_INGEST_PORTS has {text!r}; allowed: {allowed}")
    return int(text)
