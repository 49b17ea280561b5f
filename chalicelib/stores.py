"""The adapters of a stage, each created once and at first use."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING

from chalicelib import config
from chalicelib.adapters.access.dynamodb_clients import DynamoClients
from chalicelib.adapters.access.edge_keys import EdgeKeyStore
from chalicelib.adapters.access.file_denylist import FileDenylist
from chalicelib.adapters.access.jwt_tokens import JwtTokens, secret_from_aws
from chalicelib.adapters.access.keyvalue_denylist import KeyValueDenylist
from chalicelib.adapters.access.keyvalue_store import KeyValueStore
from chalicelib.adapters.access.no_denylist import NoDenylist
from chalicelib.adapters.access.secret_keys import SecretKeyStore
from chalicelib.adapters.accounts.dynamodb_users import DynamoUsers
from chalicelib.adapters.accounts.passwords import Argon2Passwords
from chalicelib.adapters.clock import SystemClock
from chalicelib.adapters.money.dynamodb_sessions import DynamoPlaybackSessions
from chalicelib.adapters.money.dynamodb_usage import DynamoUsage
from chalicelib.adapters.money.dynamodb_wallets import DynamoWallets
from chalicelib.adapters.operations.dynamodb_counters import DynamoCounters
from chalicelib.adapters.streams.dynamodb_runtimes import DynamoRuntimes
from chalicelib.adapters.streams.dynamodb_streams import DynamoStreams
from chalicelib.adapters.streams.s3_media import S3Media
from chalicelib.adapters.streams.sqs_work import SqsWorkQueue

if TYPE_CHECKING:
    from chalicelib.ports.common import Clock
    from chalicelib.ports.keys import KeyStore
    from chalicelib.ports.media import Denylist


class Stores:
    """What a stage's services are built on."""

    def __init__(self, settings: config.Settings) -> None:
        self.settings = settings

    @cached_property
    def clock(self) -> Clock:
        """The server's clock."""
        return SystemClock()

    @cached_property
    def wallets(self) -> DynamoWallets:
        """The port `Wallets`."""
        return DynamoWallets(self.settings.table_prefix)

    @cached_property
    def sessions(self) -> DynamoPlaybackSessions:
        """The port `PlaybackSessions`."""
        return DynamoPlaybackSessions(self.settings.table_prefix)

    @cached_property
    def clients(self) -> DynamoClients:
        """The port `Clients`."""
        return DynamoClients(self.settings.table_prefix, self.settings.address_days)

    @cached_property
    def stream_table(self) -> DynamoStreams:
        """The port `Streams`."""
        return DynamoStreams(self.settings.table_prefix)

    @cached_property
    def runtimes(self) -> DynamoRuntimes:
        """The port `Runtimes`."""
        return DynamoRuntimes(self.settings.table_prefix)

    @cached_property
    def users(self) -> DynamoUsers:
        """The port `Users`."""
        return DynamoUsers(self.settings.table_prefix)

    @cached_property
    def media(self) -> S3Media:
        """The port `MediaStore`."""
        return S3Media(self.settings.media_bucket)

    @cached_property
    def queue(self) -> SqsWorkQueue:
        """The port `WorkQueue`."""
        return SqsWorkQueue(self.settings.work_queue)

    @cached_property
    def denylist(self) -> Denylist:
        """The port `Denylist`: files beside the gateway, or keys at CloudFront's edges, where that is set."""
        if self.settings.denylist_dir:
            return FileDenylist(self.settings.denylist_dir)
        store = config.store_at_edges(self.settings)
        return KeyValueDenylist(KeyValueStore(store)) if store else NoDenylist()

    @cached_property
    def counters(self) -> DynamoCounters:
        """The port `Counters`."""
        return DynamoCounters(self.settings.table_prefix, self.clock)

    @cached_property
    def usage(self) -> DynamoUsage:
        """The port `Usage`."""
        return DynamoUsage(self.settings.table_prefix)

    @cached_property
    def tokens(self) -> JwtTokens:
        """The port `Tokens`."""
        return JwtTokens(partial(secret_from_aws, self.settings.token_secret))

    @cached_property
    def token_keys(self) -> KeyStore:
        """The port `KeyStore`, which keeps the play keys at CloudFront's edges as well where there are any."""
        keys, store = SecretKeyStore(self.settings.token_secret), config.store_at_edges(self.settings)
        return EdgeKeyStore(keys, KeyValueStore(store)) if store else keys

    @cached_property
    def passwords(self) -> Argon2Passwords:
        """The port `PasswordHasher`."""
        return Argon2Passwords()
