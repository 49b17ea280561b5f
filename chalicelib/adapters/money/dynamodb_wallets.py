"""Wallets in DynamoDB: one conditional write for a heartbeat, a transaction for start, end and payment.

`wallet_item.py` describes the item, `wallet_writes.py` the expressions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chalicelib.adapters.aws import ConditionFailed, Contended, TransactionRefused, client, translated
from chalicelib.adapters.dynamodb import all_rows, call, get_items, parameters, to_row, transact, write_if
from chalicelib.adapters.list_keys import payment_keys
from chalicelib.adapters.money import wallet_writes as writes
from chalicelib.adapters.money.dynamodb_places import give_place, take_place
from chalicelib.adapters.money.dynamodb_sessions import close_record, count_adjustment, new_record
from chalicelib.adapters.money.dynamodb_totals import count_totals
from chalicelib.adapters.money.settlement_writes import mark_settled, settlement
from chalicelib.adapters.money.wallet_item import empty_item, wallet
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.lease import Closing, Purchase
from chalicelib.domain.money.sessions import ActiveSession, SessionRecord
from chalicelib.domain.money.settlement import SettlementWrite
from chalicelib.domain.money.totals import totals_of_payment, totals_of_reversal
from chalicelib.domain.money.usage import day_of
from chalicelib.domain.money.wallets import PAGE_ENTRIES, Payment, Wallet
from chalicelib.domain.streams.outages import OutageCredit
from chalicelib.ports.common import StoreUnavailable
from chalicelib.ports.money.money import BeyondCost, NoPlace, OnTimeBeat, WalletRefused

REVERSAL_FIELDS = (
    "reversed_at_ms",
    "reversed_by_user_id",
    "reversed_millipoints",
    "shortfall_millipoints",
    "reversal_note",
)
TRANSACTION_CONFLICT = "TransactionConflict"


class DynamoWallets:
    """The port `Wallets` over the tables `wallets`, `playback_sessions`, `payments` and `totals`."""

    def __init__(self, table_prefix: str) -> None:
        self._table = table_prefix + "wallets"
        self._sessions = table_prefix + "playback_sessions"
        self._payments = table_prefix + "payments"
        self._limits = table_prefix + "limits"
        self._totals = table_prefix + "totals"

    def create(self, user_id: str) -> None:
        write_if("put_item", self._table, item=empty_item(user_id), condition="attribute_not_exists(user_id)")

    def get(self, user_id: str) -> Wallet | None:
        answer = call("get_item", self._table, key={"user_id": user_id}, ConsistentRead=True)
        return wallet(answer["Item"]) if answer.get("Item") else None

    def get_many(self, user_ids: Iterable[str]) -> Mapping[str, Wallet]:
        """Leave out what the store did not process: these are live data for people."""
        return {each.user_id: each for each in map(wallet, get_items(self._table, "user_id", user_ids))}

    def buy_on_time(self, user_id: str, beat: OnTimeBeat) -> Wallet:
        return self._update(writes.on_time(self._table, user_id, beat))

    def buy(
        self, user_id: str, seen: ActiveSession, seq: int, purchase: Purchase, now_ms: int, outage_ms: int
    ) -> Wallet:
        return self._update(writes.purchase(self._table, user_id, seen, seq, purchase, now_ms, outage_ms))

    def start(
        self,
        user_id: str,
        session: ActiveSession,
        record: SessionRecord,
        sessions_max: int,
        viewers_max: int,
        debt_millipoints: int = 0,
    ) -> None:
        update = writes.start(self._table, user_id, session, sessions_max, debt_millipoints)
        place = [take_place(self._limits, session.stream_id, viewers_max)] if session.counted else []
        try:
            self._transact(update, new_record(self._sessions, record), *place)
        except _PartRefused as refusal:
            if refusal.part == 2:
                raise NoPlace(None) from None
            raise

    def end(
        self,
        user_id: str,
        seen: ActiveSession,
        reason: EndReason,
        closing: Closing,
        now_ms: int,
        message: str | None = None,
    ) -> None:
        update = writes.end(self._table, user_id, seen, closing, now_ms)
        place = [give_place(self._limits, seen.stream_id)] if seen.counted else []
        self._transact(update, close_record(self._sessions, seen, reason, closing, now_ms, message), *place)

    def credit_outage(self, user_id: str, seen: ActiveSession, credit: OutageCredit, now_ms: int) -> Wallet:
        return self._update(writes.outage_credit(self._table, user_id, seen, credit, now_ms))

    def settle(self, seen: Wallet, record: SessionRecord, written: SettlementWrite) -> bool:
        mark, entry = mark_settled(self._sessions, record, written), written.entry(record)
        try:
            if entry is None:
                transact(mark)
            else:
                self._transact(settlement(self._table, seen, entry, written), mark)
        except (TransactionRefused, _PartRefused):
            return False
        return True

    def waive_debt(self, user_id: str) -> None:
        update = "SET dw = :one REMOVE db"
        self._set(user_id, update, "attribute_exists(user_id)", {":one": 1})

    def begin_day(self, user_id: str, day: int) -> None:
        self._set(user_id, "SET dd = :day, dl = dc", "dd < :day", {":day": day})

    def set_daily_cap(self, seen: Wallet, cap_millipoints: int) -> bool:
        values = {":cap": cap_millipoints, ":more": cap_millipoints - seen.daily_cap_millipoints}
        values[":seen"] = seen.daily_cap_millipoints
        return self._set(seen.user_id, "SET dc = :cap, dl = dl + :more", "dc = :seen", values)

    def _set(self, user_id: str, update: str, condition: str, values: dict[str, Any]) -> bool:
        try:
            key = {"user_id": user_id}
            call("update_item", self._table, key=key, update=update, condition=condition, values=values)
        except (ConditionFailed, Contended):
            # Not written; the caller reads the wallet again.
            return False
        return True

    def pay(self, payment: Payment, adjusted: SessionRecord | None = None) -> bool:
        """Raise `WalletRefused` if the wallet is missing or its balance does not suffice."""
        update = writes.payment(self._table, payment)
        put = {
            "Put": {
                "TableName": self._payments,
                "Item": to_row({**vars(payment), **payment_keys(payment.payment_id, payment.at_ms), "counted": True}),
                "ConditionExpression": "attribute_not_exists(payment_id)",
            }
        }
        counted = [count_adjustment(self._sessions, adjusted, payment.millipoints, payment.at_ms)] if adjusted else []
        totals = count_totals(self._totals, day_of(payment.at_ms), totals_of_payment(payment))
        try:
            self._transact(update, put, *counted, *totals)
        except _PartRefused as refusal:
            if refusal.part == 1:
                return False
            raise BeyondCost(None) from None
        return True

    def reverse(self, payment: Payment) -> bool:
        """Raise `WalletRefused` if the wallet holds less than is taken or, with a shortfall, anything else."""
        update = writes.reversal(self._table, payment)
        given = {name: value for name, value in vars(payment).items() if name in REVERSAL_FIELDS}
        given["reversal_counted"] = True
        mark = parameters(
            self._payments,
            key={"payment_id": payment.payment_id},
            update="SET " + ", ".join(f"{name} = :{name}" for name in given),
            condition="attribute_exists(payment_id) AND attribute_not_exists(reversed_at_ms)",
            values={f":{name}": value for name, value in given.items()},
        )
        totals = count_totals(self._totals, day_of(payment.reversed_at_ms or 0), totals_of_reversal(payment))
        try:
            self._transact(update, {"Update": mark}, *totals)
        except _PartRefused:
            return False
        return True

    def trim(self, user_id: str, entry_ids: Sequence[str]) -> None:
        names = {f"#e{i}": entry_id for i, entry_id in enumerate(entry_ids)}
        try:
            with translated():
                client("dynamodb").update_item(
                    TableName=self._table,
                    Key=to_row({"user_id": user_id}),
                    UpdateExpression="REMOVE " + ", ".join(f"{m}.{name}" for name in names for m in ("j", "jv", "jd")),
                    # Without the condition a trim would create an item.
                    ConditionExpression="attribute_exists(user_id)",
                    ExpressionAttributeNames=names,
                )
        except ConditionFailed:
            return

    def with_full_pages(self, limit: int) -> Sequence[Wallet]:
        """Scan with a filter. Run by a schedule and bounded by `limit`."""
        request = parameters(self._table, FilterExpression="size(j) >= :page", values={":page": PAGE_ENTRIES})
        return [wallet(row) for row in all_rows("scan", request, limit)]

    def _update(self, request: dict[str, Any]) -> Wallet:
        try:
            with translated():
                answer = client("dynamodb").update_item(**request, ReturnValues="ALL_NEW")
        except ConditionFailed as refusal:
            raise WalletRefused(wallet(refusal.item) if refusal.item else None) from None
        except Contended:
            raise WalletRefused(None) from None
        return wallet(answer["Attributes"])

    def _transact(self, update: dict[str, Any], *others: dict[str, Any]) -> None:
        try:
            transact({"Update": update}, *others)
        except TransactionRefused as refusal:
            for part in range(1, len(refusal.codes)):
                if refusal.codes[part] == "ConditionalCheckFailed":
                    raise _PartRefused(part) from None
            if refusal.codes[0] == "ConditionalCheckFailed":
                item = refusal.items[0]
                raise WalletRefused(wallet(item) if item else None) from None
            if TRANSACTION_CONFLICT in refusal.codes:
                raise WalletRefused(None) from None
            raise StoreUnavailable(str(refusal)) from None


class _PartRefused(WalletRefused):
    """A condition beside the wallet did not hold: on a record, a payment or a place."""

    def __init__(self, part: int) -> None:
        super().__init__(None)
        self.part = part
