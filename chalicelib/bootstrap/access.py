"""The services of access: logins, keys, limits, sessions, kicks."""

from __future__ import annotations

from functools import cached_property

from chalicelib.bootstrap.money import MoneyServices
from chalicelib.services.access.access import Access
from chalicelib.services.access.auth import Auth
from chalicelib.services.access.binding import Binding
from chalicelib.services.access.blocks import BlocksService
from chalicelib.services.access.key_rotation import KeyRotation
from chalicelib.services.access.kicks import Kicks
from chalicelib.services.access.limiter import Limiter
from chalicelib.services.access.playback import Playback
from chalicelib.services.access.reaper import Reaper
from chalicelib.services.access.service_keys import ServiceKeys
from chalicelib.services.access.session_rows import SessionRows


class AccessServices(MoneyServices):
    """The services of access: logins, keys, limits, sessions, kicks."""

    @cached_property
    def limiter(self) -> Limiter:
        return Limiter(limits=self.stores.limits, allowances=self.settings.allowances, clock=self.stores.clock)

    @cached_property
    def auth(self) -> Auth:
        return Auth(
            users=self.stores.users,
            passwords=self.stores.passwords,
            tokens=self.stores.tokens,
            clients=self.stores.clients,
            limiter=self.limiter,
            counters=self.stores.counters,
            clock=self.stores.clock,
        )

    @cached_property
    def key_rotation(self) -> KeyRotation:
        return KeyRotation(self.stores.token_keys, self.stores.clock)

    @cached_property
    def service_keys(self) -> ServiceKeys:
        return ServiceKeys(store=self.stores.service_keys, audit=self.audit, clock=self.stores.clock)

    @cached_property
    def access(self) -> Access:
        return Access(
            tokens=self.stores.tokens,
            wallets=self.stores.wallets,
            sessions=self.stores.sessions,
            delivery=self.delivery,
            binding=Binding(self.stores.clients, self.stores.clock),
            clock=self.stores.clock,
        )

    @cached_property
    def blocks(self) -> BlocksService:
        return BlocksService(blocks=self.stores.blocks, audit=self.audit, clock=self.stores.clock)

    @cached_property
    def kicks(self) -> Kicks:
        return Kicks(
            billing=self.billing,
            wallets=self.stores.wallets,
            sessions=self.stores.sessions,
            blocks=self.blocks,
            audit=self.audit,
        )

    @cached_property
    def playback(self) -> Playback:
        return Playback(
            billing=self.billing,
            session_opener=self.session_opener,
            blocks=self.blocks,
            limiter=self.limiter,
            users=self.stores.users,
            wallets=self.stores.wallets,
            streams=self.stores.streams,
            sessions=self.stores.sessions,
            session_lists=self.stores.session_lists,
            delivery=self.delivery,
            clients=self.stores.clients,
            rows=self.session_rows,
            audit=self.audit,
            clock=self.stores.clock,
        )

    @cached_property
    def session_rows(self) -> SessionRows:
        stores = self.stores
        return SessionRows(
            wallets=stores.wallets,
            clients=stores.clients,
            labels=stores.labels,
            usage=stores.usage,
            reconciliations=stores.reconciliations,
            clock=stores.clock,
        )

    @cached_property
    def reaper(self) -> Reaper:
        stores = self.stores
        return Reaper(billing=self.billing, wallets=stores.wallets, sessions=stores.sessions, clock=stores.clock)
