"""The settlement of an ended session in words: what was fetched ahead, and what was not delivered."""

from typing import Any

from player.terminal.formats import amount, points

MS_PER_MINUTE = 60_000


def settlement_sentence(session: dict[str, Any]) -> str | None:
    """Return what the settlement did, or may still do; None for a session without one, also of an older server."""
    reserved = session.get("reserved_millipoints") or 0
    if session.get("settled_at_ms") is None:
        return f"up to {points(reserved)} may come back within 3 minutes" if reserved else None
    media_ms, millipoints, debt = (
        session.get(f"settled_{name}") or 0 for name in ("ms", "millipoints", "debt_millipoints")
    )
    change = f"({amount(millipoints, signed=True)} points)"
    if media_ms > 0:
        if not debt:
            return f"{seconds(media_ms)} were fetched ahead and are paid {change}"
        # The session does not say whether a later start has paid it. The wallet does.
        lacking = f"{points(debt)} were not in the wallet: the next start pays them, beside this cost"
        return f"{seconds(media_ms)} were fetched ahead {change}. {lacking}"
    if media_ms < 0 and not millipoints:
        return f"{seconds(-media_ms)} were not delivered; the operator decides on points for them"
    due = -media_ms * int(session.get("rate_millipoints_per_minute") or 0) // MS_PER_MINUTE
    if media_ms < 0 and millipoints + 1 < due:  # the stage's settings withheld some of the credit
        return f"{seconds(-media_ms)} were not served, {change[1:-1]} came back; the operator decides on the rest"
    if media_ms < 0:
        # Up to the reserve nothing failed: the player had stopped before it fetched that time.
        verb = "fetched" if millipoints <= reserved else "delivered"
        kept = f"; what was fetched ahead is paid ({points(reserved - millipoints)} of the cost)"
        return f"{seconds(-media_ms)} were not {verb} and came back {change}{kept if millipoints < reserved else ''}"
    if millipoints:
        return f"what was served could not be measured, so the reserve came back {change}"
    return f"what was fetched ahead is paid ({points(reserved)} of the cost)" if reserved else "nothing was due"


def seconds(ms: int) -> str:
    """Return a duration in seconds, to the millisecond without trailing zeros: `8 s`, `12.345 s`."""
    text = f"{ms / 1000:.3f}".rstrip("0").rstrip(".")
    return f"{text} s"
