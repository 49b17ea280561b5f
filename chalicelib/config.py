"""The settings of a stage, from the environment; no other module reads it. The SDK reads the standard AWS variables."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from chalicelib.domain.access.limits import Allowances, Limit
from chalicelib.domain.money.top_up import TopUpUrl
from chalicelib.domain.streams.addresses import IpNetwork
from chalicelib.setting_types import ConfigError as ConfigError  # for all who load the settings
from chalicelib.settings_table import Part, read

# pyproject.toml reads the product's version here.
VERSION = "0.1.0"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of functions, gateway endpoints and workers. `settings_table` describes them."""

    stage: str
    media_bucket: str
    work_queue: str
    token_secret: str
    public_url: str
    sessions_per_user_max: int
    rtmp_port: int
    ingest_host: str
    ingest_networks: tuple[IpNetwork, ...]
    ingest_ports: frozenset[int]
    login_limit: Limit
    login_address_limit: Limit
    settlement_credits: bool
    settlement_credits_per_day: int
    start_limit: Limit
    address_days: int
    embedded_metrics: bool
    # Call it with a user's id.
    top_up_url: TopUpUrl
    # At most one of these two is set.
    denylist_dir: Path | None
    denylist_store: str | None

    @property
    def allowances(self) -> Allowances:
        """The rate limits."""
        return Allowances(login=self.login_limit, login_address=self.login_address_limit, start=self.start_limit)

    @property
    def table_prefix(self) -> str:
        """The prefix of the stage's table names."""
        return f"tollcast-{self.stage}-"


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings from the environment. Raise `ConfigError`."""
    settings = Settings(**read(Part.STAGE, os.environ if environ is None else environ))
    if settings.denylist_dir and settings.denylist_store:
        raise ConfigError("TOLLCAST_DENYLIST_DIR and TOLLCAST_DENYLIST_STORE are both set; allowed: one or none")
    return settings


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
