"""The services of accounts."""

from __future__ import annotations

from functools import cached_property

from chalicelib.bootstrap.access import AccessServices
from chalicelib.services.accounts.accounts import Accounts
from chalicelib.services.accounts.chargebacks import Chargebacks
from chalicelib.services.accounts.credentials import Credentials
from chalicelib.services.accounts.erasure import Erasure
from chalicelib.services.accounts.timeline import Timelines


class AccountServices(AccessServices):
    """The services of accounts."""

    @cached_property
    def accounts(self) -> Accounts:
        return Accounts(
            users=self.stores.users,
            wallets=self.stores.wallets,
            passwords=self.stores.passwords,
            billing=self.billing,
            labels=self.stores.labels,
            audit=self.audit,
            clock=self.stores.clock,
        )

    @cached_property
    def credentials(self) -> Credentials:
        stores = self.stores
        return Credentials(auth=self.auth, users=stores.users, passwords=stores.passwords, billing=self.billing)

    @cached_property
    def erasure(self) -> Erasure:
        stores = self.stores
        return Erasure(
            users=stores.users,
            wallets=stores.wallets,
            billing=self.billing,
            clients=stores.clients,
            audit=self.audit,
            clock=stores.clock,
        )

    @cached_property
    def timelines(self) -> Timelines:
        stores = self.stores
        return Timelines(
            users=stores.users,
            sessions=stores.sessions,
            payments=stores.payments,
            clients=stores.clients,
            audit_log=stores.audit_log,
            clock=stores.clock,
        )

    @cached_property
    def chargebacks(self) -> Chargebacks:
        return Chargebacks(ledger=self.ledger, users=self.stores.users, accounts=self.accounts, audit=self.audit)
