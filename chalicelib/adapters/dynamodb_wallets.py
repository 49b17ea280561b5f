"""Wallets in DynamoDB: one conditional write a beat, a transaction for start, end and payment.

The item is described in `wallet_item.py`, the expressions in `wallet_writes.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.adapters.aws import ConditionFailed, Contended, TransactionRefused, client, translated
from chalicelib.adapters.dynamodb import Row, to_row
from chalicelib.adapters.dynamodb_sessions import close_record, new_record
from chalicelib.adapters.wallet_item import empty_item, session_map, wallet
from chalicelib.adapters.wallet_writes import (
    AS_SEEN,
    BUY,
    BUY_ON_TIME,
    COVERED,
    END,
    EXACT_REST,
    ON_TIME,
    PAY,
    START,
    write,
)
from chalicelib.domain.lease import Outcome, Purchase, Settlement
from chalicelib.domain.points import MILLIPOINTS_MAX
from chalicelib.domain.sessions import ActiveSession, EndReason, SessionRecord
from chalicelib.domain.wallets import (
    JOURNAL_ENTRIES_MAX,
    PAGE_ENTRIES,
    Entry,
    EntryKind,
    Payment,
    Wallet,
    end_entry_id,
    lease_entry_id,
    payment_entry_id,
)
from chalicelib.ports import StoreUnavailable, WalletRefused

BATCH_GET_MAX = 100
TRANSACTION_CONFLICT = "TransactionConflict"


class DynamoWallets:
    """The port `Wallets` over the tables `wallets`, `playback_sessions` and `payments`."""

    def __init__(self, table_prefix: str) -> None:
        self._table = table_prefix + "wallets"
        self._sessions = table_prefix + "playback_sessions"
        self._payments = table_prefix + "payments"

    def create(self, user_id: str) -> None:
        """See `Wallets.create`."""
        try:
            with translated():
                client("dynamodb").put_item(
                    TableName=self._table,
                    Item=empty_item(user_id),
                    ConditionExpression="attribute_not_exists(user_id)",
                )
        except ConditionFailed:
            return

    def get(self, user_id: str) -> Wallet | None:
        """See `Wallets.get`."""
        with translated():
            answer = client("dynamodb").get_item(TableName=self._table, Key=_key(user_id), ConsistentRead=True)
        return wallet(answer["Item"]) if answer.get("Item") else None

    def get_many(self, user_ids: Iterable[str]) -> Mapping[str, Wallet]:
        """See `Wallets.get_many`. What the store leaves unprocessed is left out: these are live figures for people."""
        keys = [_key(user_id) for user_id in dict.fromkeys(user_ids)]
        found: dict[str, Wallet] = {}
        for first in range(0, len(keys), BATCH_GET_MAX):
            request = {self._table: {"Keys": keys[first : first + BATCH_GET_MAX]}}
            with translated():
                answer = client("dynamodb").batch_get_item(RequestItems=request)
            found |= {each.user_id: each for each in map(wallet, answer["Responses"].get(self._table, []))}
        return found

    def buy_on_time(self, user_id: str, session_id: str, seq: int, now_ms: int) -> Wallet:
        """See `Wallets.buy_on_time`."""
        entry = Entry(
            entry_id=lease_entry_id(session_id, seq), kind=EntryKind.LEASE, at_ms=now_ms, session_id=session_id, seq=seq
        )
        names = {"#s": session_id}
        values = {":seq": seq, ":now": now_ms, ":zero": 0, ":cap": JOURNAL_ENTRIES_MAX}
        return self._update(write(self._table, user_id, (BUY_ON_TIME, ON_TIME), names, values, entry))

    def buy(self, user_id: str, seen: ActiveSession, seq: int, purchase: Purchase, now_ms: int) -> Wallet:
        """See `Wallets.buy`."""
        entry = Entry(
            entry_id=lease_entry_id(seen.session_id, seq),
            kind=EntryKind.UNSERVED if purchase.outcome is Outcome.UNSERVED else EntryKind.LEASE,
            at_ms=now_ms,
            session_id=seen.session_id,
            seq=seq,
        )
        after = session_map(_granted(seen, purchase))
        values = {
            ":seq": seq,
            ":charge": purchase.charge_millipoints,
            ":delta": -purchase.charge_millipoints,
            ":until": after["pu"],
            ":from": after["bf"],
            ":granted": purchase.granted_ms,
            ":ff": after["ff"],
            ":fu": after["fu"],
            ":seen_seq": seen.seq,
            ":seen_until": seen.paid_until_ms,
            ":cap": JOURNAL_ENTRIES_MAX,
        }
        rest = f" AND {EXACT_REST}" if purchase.outcome is Outcome.POOR else ""
        names = {"#s": seen.session_id}
        expressions = (BUY, f"{AS_SEEN} AND {COVERED}{rest}")
        return self._update(write(self._table, user_id, expressions, names, values, entry))

    def start(self, user_id: str, session: ActiveSession, record: SessionRecord, sessions_max: int) -> None:
        """See `Wallets.start`."""
        charge = session.charged_millipoints
        entry = Entry(
            entry_id=lease_entry_id(session.session_id, session.seq),
            kind=EntryKind.LEASE,
            at_ms=session.started_at_ms,
            session_id=session.session_id,
            seq=session.seq,
        )
        condition = "attribute_exists(user_id) AND attribute_not_exists(ss.#s) AND size(ss) < :max AND size(j) < :cap"
        # A short first lease takes the exact rest of the balance, or all of the session's own maximum.
        short_of_balance = charge < session.charge_millipoints and session.budget_millipoints > 0
        condition += f" AND balance_millipoints {'=' if short_of_balance else '>='} :charge"
        values = {
            ":charge": charge,
            ":delta": -charge,
            ":session": session_map(session),
            ":max": sessions_max,
            ":cap": JOURNAL_ENTRIES_MAX,
        }
        names = {"#s": session.session_id}
        update = write(self._table, user_id, (START, condition), names, values, entry)
        self._transact(update, new_record(self._sessions, record))

    def end(self, user_id: str, seen: ActiveSession, reason: EndReason, settlement: Settlement, now_ms: int) -> None:
        """See `Wallets.end`."""
        entry = Entry(
            entry_id=end_entry_id(seen.session_id), kind=EntryKind.REFUND, at_ms=now_ms, session_id=seen.session_id
        )
        values = {
            ":delta": settlement.refund_millipoints,
            ":seen_seq": seen.seq,
            ":seen_until": seen.paid_until_ms,
            # The end must always have room: it is how a full journal's sessions get out.
            ":cap": JOURNAL_ENTRIES_MAX + PAGE_ENTRIES,
        }
        names = {"#s": seen.session_id}
        update = write(self._table, user_id, (END, f"{AS_SEEN} AND size(j) < :cap"), names, values, entry)
        self._transact(update, close_record(self._sessions, seen, reason, settlement, now_ms))

    def pay(self, payment: Payment) -> bool:
        """See `Wallets.pay`. Raises `WalletRefused` if there is no wallet or too little in it."""
        entry = Entry(
            entry_id=payment_entry_id(payment.payment_id),
            kind=payment.kind,
            at_ms=payment.at_ms,
            session_id=payment.session_id,
            payment_id=payment.payment_id,
            note=payment.note,
        )
        condition = "attribute_exists(user_id) AND balance_millipoints BETWEEN :least AND :most AND size(j) < :cap"
        values = {
            ":delta": payment.millipoints,
            ":least": max(0, -payment.millipoints),
            ":most": MILLIPOINTS_MAX - max(0, payment.millipoints),
            ":cap": JOURNAL_ENTRIES_MAX + PAGE_ENTRIES,
        }
        update = write(self._table, payment.user_id, (PAY, condition), {}, values, entry)
        put = {
            "Put": {
                "TableName": self._payments,
                "Item": to_row(vars(payment)),
                "ConditionExpression": "attribute_not_exists(payment_id)",
            }
        }
        try:
            self._transact(update, put)
        except _SecondPartRefused:
            return False
        return True

    def trim(self, user_id: str, entry_ids: Sequence[str]) -> None:
        """See `Wallets.trim`."""
        names = {f"#e{i}": entry_id for i, entry_id in enumerate(entry_ids)}
        try:
            with translated():
                client("dynamodb").update_item(
                    TableName=self._table,
                    Key=_key(user_id),
                    UpdateExpression="REMOVE " + ", ".join(f"{m}.{name}" for name in names for m in ("j", "jv", "jd")),
                    # Without the condition a trim would make a ghost item.
                    ConditionExpression="attribute_exists(user_id)",
                    ExpressionAttributeNames=names,
                )
        except ConditionFailed:
            return

    def with_full_pages(self, limit: int) -> Sequence[Wallet]:
        """See `Wallets.with_full_pages`: a filtered scan, run by a schedule and bounded by its limit."""
        found: list[Wallet] = []
        request: dict[str, Any] = {
            "TableName": self._table,
            "FilterExpression": "size(j) >= :page",
            "ExpressionAttributeValues": to_row({":page": PAGE_ENTRIES}),
        }
        while len(found) < limit:
            with translated():
                answer = client("dynamodb").scan(**request)
            found += [wallet(row) for row in answer.get("Items", [])]
            if "LastEvaluatedKey" not in answer:
                break
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        return found[:limit]

    def _update(self, request: dict[str, Any]) -> Wallet:
        try:
            with translated():
                answer = client("dynamodb").update_item(**request, ReturnValues="ALL_NEW")
        except ConditionFailed as refusal:
            raise WalletRefused(wallet(refusal.item) if refusal.item else None) from None
        except Contended:
            raise WalletRefused(None) from None
        return wallet(answer["Attributes"])

    def _transact(self, update: dict[str, Any], second: dict[str, Any]) -> None:
        try:
            with translated():
                client("dynamodb").transact_write_items(TransactItems=[{"Update": update}, second])
        except TransactionRefused as refusal:
            if refusal.codes[1:2] == ["ConditionalCheckFailed"]:
                raise _SecondPartRefused(None) from None
            if refusal.codes[0] == "ConditionalCheckFailed":
                item = refusal.items[0]
                raise WalletRefused(wallet(item) if item else None) from None
            if TRANSACTION_CONFLICT in refusal.codes:
                raise WalletRefused(None) from None
            raise StoreUnavailable(str(refusal)) from None


class _SecondPartRefused(WalletRefused):
    """The record or payment beside the wallet was there already (or gone)."""


def _key(user_id: str) -> Row:
    return to_row({"user_id": user_id})


def _granted(seen: ActiveSession, purchase: Purchase) -> ActiveSession:
    return replace(
        seen,
        paid_until_ms=purchase.paid_until_ms,
        free_from_ms=purchase.free_from_ms,
        free_until_ms=purchase.free_until_ms,
    )
