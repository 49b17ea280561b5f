"""The wallet item in DynamoDB.

    user_id, balance_millipoints, version
    dc, dd, dl                           daily cap, its current day (since 1970, UTC), what it leaves of that day
    db, dw                               debt, and 1 if debt is waived; both missing in most wallets
    cd, cs                               the last day of settlement credits and their sum on it; missing in most wallets
    ss  {session_id: {sid, k, at, r, l, c, q, pf, pu, bf, chg, bud, gr, ff, fu, os, ct, lq, lp}}   active sessions
    j   {entry_id: {k, at, t, s, p, n}}  journal entries; s only if the entry's id does not contain it
    jv  {entry_id: version}              computed by the store: `jv.#e = version + :one`
    jd  {entry_id: delta in millipoints} computed by the store: `jd.#e = :zero - ss.#s.c`

Names inside the maps are short because every heartbeat writes the item, and a write unit is 1 KB.
"""

from __future__ import annotations

from typing import Any

from chalicelib.adapters.dynamodb import Attribute, Row, from_row, to_attribute
from chalicelib.domain.money.lease import buy_from_ms
from chalicelib.domain.money.sessions import ActiveSession, SessionKind
from chalicelib.domain.money.wallets import NO_DAILY_CAP, Entry, EntryKind, Wallet

# The names in `ss` of a session's fields, beside `bf`, from when on the next lease is sold.
SESSION_NAMES = {
    "stream_id": "sid",
    "kind": "k",
    "started_at_ms": "at",
    "rate_millipoints_per_minute": "r",
    "lease_ms": "l",
    "charge_millipoints": "c",
    "seq": "q",
    "paid_from_ms": "pf",
    "paid_until_ms": "pu",
    "charged_millipoints": "chg",
    "budget_millipoints": "bud",
    "granted_ms": "gr",
    "free_from_ms": "ff",
    "free_until_ms": "fu",
    "outage_ms": "os",
    "counted": "ct",
}
# Missing until the session buys a lease that is not on time, and in items from before these names.
OPTIONAL_NAMES = {"priced_seq": "lq", "priced_millipoints": "lp"}


def session_map(session: ActiveSession) -> dict[str, Any]:
    """Return a session's entry of `ss`."""
    values = {short: getattr(session, name) for name, short in SESSION_NAMES.items()}
    if session.priced_seq:
        values |= {short: getattr(session, name) for name, short in OPTIONAL_NAMES.items()}
    return {**values, "bf": buy_from_ms(session), "ct": int(session.counted)}


def _session(session_id: str, values: dict[str, Any]) -> ActiveSession:
    fields = {name: values[short] for name, short in SESSION_NAMES.items()}
    fields |= {name: values.get(short, 0) for name, short in OPTIONAL_NAMES.items()}
    kinds = {"kind": SessionKind(values["k"]), "counted": bool(values["ct"])}
    return ActiveSession(**{**fields, **kinds, "session_id": session_id})


def entry_attribute(entry: Entry) -> Attribute:
    """Return an entry's value in `j`. The store fills in version and delta."""
    return to_attribute(entry_map(entry))


def entry_map(entry: Entry) -> dict[str, Any]:
    """Return the descriptive part of an entry, the same in journal and ledger."""
    return {
        "k": entry.kind.value,
        "at": entry.at_ms,
        "t": entry.stream_id,
        "s": None if _named_by(entry.entry_id)[0] else entry.session_id,
        "p": entry.payment_id,
        "n": entry.note,
    }


def entry(entry_id: str, version: int, delta_millipoints: int, values: dict[str, Any]) -> Entry:
    """Return an entry of the journal or of a page."""
    session_id, seq = _named_by(entry_id)
    return Entry(
        entry_id=entry_id,
        kind=EntryKind(values["k"]),
        at_ms=values["at"],
        version=version,
        delta_millipoints=delta_millipoints,
        session_id=session_id or values.get("s"),
        stream_id=values.get("t"),
        seq=seq,
        payment_id=values.get("p"),
        note=values.get("n"),
    )


def _named_by(entry_id: str) -> tuple[str | None, int | None]:
    """Return session and seq from an entry's id. Not storing them beside it saves 30 bytes a heartbeat."""
    kind, *rest = entry_id.split(".")
    if kind in ("o", "p", "d", "r"):
        return (rest[-1] if kind == "o" else None), None
    return kind, None if rest[0] in ("end", "settled") else int(rest[0])


def wallet(row: Row) -> Wallet:
    """Return the wallet in an item, its journal in order of version."""
    item = from_row(row)
    journal = (entry(key, item["jv"][key], item["jd"][key], values) for key, values in item["j"].items())
    return Wallet(
        user_id=item["user_id"],
        balance_millipoints=item["balance_millipoints"],
        version=item["version"],
        day=item["dd"],
        daily_cap_millipoints=item["dc"],
        daily_left_millipoints=item["dl"],
        sessions={session_id: _session(session_id, values) for session_id, values in item["ss"].items()},
        journal=tuple(sorted(journal, key=lambda entry: entry.version)),
        debt_millipoints=item.get("db", 0),
        debt_waived=bool(item.get("dw")),
        credit_day=item.get("cd", 0),
        credited_millipoints=item.get("cs", 0),
    )


def empty_item(user_id: str) -> dict[str, Any]:
    """Return a new, empty wallet."""
    maps: dict[str, Any] = {"ss": {}, "j": {}, "jv": {}, "jd": {}}
    daily = {"dc": NO_DAILY_CAP, "dd": 0, "dl": NO_DAILY_CAP}
    return {"user_id": user_id, "balance_millipoints": 0, "version": 0, **daily, **maps}
