"""Keys, and tokens that are made with them or without: what the product issues, and what it never would."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

from chalicelib.domain.access.tokens import AccessClaims, RefreshClaims
from chalicelib.domain.accounts.users import Role

if TYPE_CHECKING:
    from tests.vectors.case import Case


def _key(name: str) -> str:
    return base64.b64encode(hashlib.sha256(name.encode()).digest()).decode()


KEY_SETS = {
    "access": {"current": "a1", "keys": {"a1": _key("access")}},
    "refresh": {"current": "r1", "keys": {"r1": _key("refresh")}},
    "play": {"current": "p1", "keys": {"p1": _key("play"), "p0": _key("the play key before")}},
}
PLAY_KEYS: dict[str, str] = KEY_SETS["play"]["keys"]  # type: ignore[assignment]


def forged(case: Case) -> dict[str, str]:
    """Return all tokens that vectors may name."""
    later_ms = case.now_ms + 60_000
    good = case.play()
    head, body, signature = good.split(".")
    return {
        "good": good,
        "long": case.play(expires_at_ms=later_ms),
        "over": case.play(expires_at_ms=case.now_ms),
        "last": case.play(expires_at_ms=case.now_ms + 1_000),
        "of_other": case.play(session_id=case.other_id),
        "of_other_stream": case.play(stream_id="s-other"),
        "of_other_user": case.play(user_id="u_" + "z" * 20),
        "access": case.tokens.sign_access(AccessClaims(user_id=case.user_id, role=Role.ADMIN, expires_at_ms=later_ms)),
        "refresh": case.tokens.sign_refresh(
            RefreshClaims(user_id=case.user_id, family_id="f", jti="j", expires_at_ms=later_ms)
        ),
        "garbage": "x" * 40,
        "unsigned": f"{head}.{body}.",
        "two_parts": f"{head}.{body}",
        "bit": f"{head}.{body}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}",
        "body_changed": f"{head}.{_part({**_parsed(body), 'exp_ms': later_ms})}.{signature}",
        "empty_signature_none": f"{_part({'alg': 'none', 'typ': 'play+jwt', 'kid': 'p1'})}.{body}.",
        "none": signed({"alg": "none"}, body),
        "rs256": signed({"alg": "RS256"}, body),
        "hs512": signed({"alg": "HS512"}, body),
        "hs512_really": signed({"alg": "HS512"}, body, digest="sha512"),
        "no_kid": signed({"kid": None}, body),
        "unknown_kid": signed({"kid": "p9"}, body),
        "kid_of_other_key": signed({"kid": "p0"}, body),
        "kid_is_a_path": signed({"kid": "../session/x"}, body),
        "kid_is_a_number": signed({"kid": 1}, body),
        "old_key": signed({"kid": "p0"}, body, key=PLAY_KEYS["p0"]),
        "access_key": signed({"kid": "a1"}, body, key=_key("access")),
        "wrong_typ": signed({"typ": "at+jwt"}, body),
        "no_typ": signed({"typ": None}, body),
        "wrong_aud": signed({}, _part({**_parsed(body), "aud": "tollcast-api"})),
        "no_aud": signed({}, _without(body, "aud")),
        "no_expiry": signed({}, _without(body, "exp_ms")),
        "crit": signed({"crit": ["exp"]}, body),
        "list": signed({}, base64.urlsafe_b64encode(b"[1]").decode().rstrip("=")),
        "overlong": good + "A" * 3_000,
    }


def signed(header: dict[str, Any], body: str, *, key: str = PLAY_KEYS["p1"], digest: str = "sha256") -> str:
    """Return a token with any header, signed correctly."""
    values = {"alg": "HS256", "typ": "play+jwt", "kid": "p1", **header}
    head = _part({name: value for name, value in values.items() if value is not None})
    mac = hmac.new(base64.b64decode(key), f"{head}.{body}".encode(), digest).digest()
    return f"{head}.{body}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def _part(values: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def _parsed(part: str) -> dict[str, Any]:
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


def _without(body: str, name: str) -> str:
    return _part({each: value for each, value in _parsed(body).items() if each != name})
