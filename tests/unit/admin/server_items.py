"""Items of the server's lists, with the longest values that are usual."""

from typing import Any

AT_MS = 1_780_000_000_000
SESSION_ID, USER_ID = "abcdefghijklmnopqrstuvwxyz", "u_abcdefghijklmnopqrst"
STREAM: dict[str, Any] = {
    "stream_id": "stream-abcd2345", "title": "The very long title of an evening show with guests", "state": "starting",
    "desired_state": "stopped", "rate_millipoints_per_minute": 60_500, "abr_profile": "custom", "latency": "normal",
    "viewers_max": 1_000_000,
}  # fmt: skip
SESSION: dict[str, Any] = {
    "session_id": SESSION_ID, "user_id": USER_ID, "stream_id": "stream-abcd2345", "charged_millipoints": 123_456,
    "started_at_ms": AT_MS, "rate_millipoints_per_minute": 60_500, "ip": "2001:db8:1234:5678:9abc:def0:1234:5678",
    "user_agent": "mpv 0.38.0 with a rather long name of an agent behind it", "email": "a.rather.long.name@example.org",
    "seconds_left": 36_000, "is_fetching": False, "last_fetch_at_ms": AT_MS, "bitrate_bps": 12_500_000,
    "rendition": "1080p", "balance_millipoints": 1_234_567,
}  # fmt: skip
ENDED_SESSION: dict[str, Any] = {
    **SESSION, "end_reason": "max_points_reached", "ended_at_ms": AT_MS, "watched_ms": 3_600_000,
    "settled_millipoints": -1_500, "media_ms": 3_600_000, "cut_off_ms": None, "cut_off_measured": False,
}  # fmt: skip
USER: dict[str, Any] = {
    "user_id": USER_ID, "email": "a.rather.long.name@department.example.org", "role": "operator", "disabled": False,
    "created_at_ms": AT_MS,
}  # fmt: skip
KEY: dict[str, Any] = {
    "key_id": "abcdefghijklmnop", "name": "the payment service of the shop", "scopes": ["credit", "metrics"],
    "created_by": USER_ID, "created_at_ms": AT_MS, "expires_at_ms": AT_MS, "last_used_at_ms": None,
    "revoked_at_ms": AT_MS,
}  # fmt: skip
RECONCILIATION: dict[str, Any] = {
    "session_id": SESSION_ID, "user_id": USER_ID, "stream_id": "stream-abcd2345", "reason": "credit_withheld",
    "net_millipoints": 123_456, "paid_ms": None, "media_ms": 3_600_000, "drift_ms": -12_345,
    "end_reason": "balance_exhausted", "cut_off_ms": None, "ended_at_ms": AT_MS,
}  # fmt: skip
WORKER: dict[str, Any] = {
    "worker_id": "worker-with-a-long-host-name.example.org-12345", "capacity": 12, "seen_at_ms": AT_MS,
    "stream_ids": [f"stream-{number}" for number in range(12)],
}  # fmt: skip
BLOCK: dict[str, Any] = {
    "block_id": f"{USER_ID}.stream-abcd2345", "user_id": USER_ID, "stream_id": "stream-abcd2345", "until_ms": AT_MS,
    "reason": "a shared account with many viewers", "message": "Please write to us.", "by_user_id": USER_ID,
}  # fmt: skip
PAYMENT: dict[str, Any] = {
    "payment_id": "acme:0123456789abcdef0123456789abcdef", "user_id": USER_ID, "millipoints": 1_234_567,
    "source": "acme", "note": "an invoice with a long text", "at_ms": AT_MS, "reversed_millipoints": None,
}  # fmt: skip
ERROR: dict[str, Any] = {
    "count": 1_234, "status": 409, "code": "adjustment_out_of_bounds", "method": "POST",
    "route": "/sessions/{session_id}/adjust", "first_at_ms": AT_MS, "last_at_ms": AT_MS,
    "last_request_id": "01234567-89ab-cdef-0123-456789abcdef",
}  # fmt: skip
TOTALS: dict[str, Any] = {
    "period": "2026-01-31", "is_over": False, "sessions": 12_345, "net_millipoints": 1_234_567_890, "payments": 123,
    "credit_millipoints": 1_234_567_890, "removal_millipoints": 0, "reversal_millipoints": 5, "debt_millipoints": 0,
    "ledger_millipoints": -1_234_567_890,
}  # fmt: skip
CANARY: dict[str, Any] = {
    "at_ms": AT_MS, "is_ok": False, "failed_step": "cut_off", "failure": "media was still served 5 s after the kick",
    "steps": [{"step": "login", "ms": 12_345, "is_ok": True}],
}  # fmt: skip
AUDIT: dict[str, Any] = {
    "at_ms": AT_MS, "by_user_id": USER_ID, "by_email": None, "action": "stream.ingest_key", "target": SESSION_ID,
    "ip": "203.0.113.200", "user_id": None, "user_email": None,
    "before": {"rate_millipoints_per_minute": 60_000}, "after": {"rate_millipoints_per_minute": 500, "slate": True},
    "details": {"reason": "no sound", "until_ms": AT_MS},
}  # fmt: skip
