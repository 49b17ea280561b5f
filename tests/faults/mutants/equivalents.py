"""Changes of mutmut that no test can find, since the code does the same."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """A change of lines in a function, named `module.function`."""

    function: str
    old: str
    new: str


EQUIVALENT = frozenset(
    {
        # Times are milliseconds since 1970, so an outage that ended in 1970 is none.
        Change(
            "lease.decide",
            "wallet: Wallet, session: ActiveSession, seq: int, now_ms: int, *, delivered: bool, down_until_ms: int = 0",
            "wallet: Wallet, session: ActiveSession, seq: int, now_ms: int, *, delivered: bool, down_until_ms: int = 1",
        ),
        # Less than a second is no second.
        Change(
            "access.Access.issue",
            "return self._tokens.sign_play(claims), max(0, expires_at_ms - now_ms) // 1000",
            "return self._tokens.sign_play(claims), max(1, expires_at_ms - now_ms) // 1000",
        ),
    }
)
