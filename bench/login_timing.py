"""Compare how long refused logins take: `python -m bench.login_timing [ROUNDS]`.

A difference would reveal which emails have an account. Three kinds of refusal alternate over the tables of a local
emulator with real argon2: a wrong password, an email without an account, and a disabled account with its right
password. The output has the medians and their ratio to that of the wrong password. A ratio near 1.00 reveals nothing.
"""

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

from chalicelib.bootstrap import Container
from chalicelib.domain.accounts.users import Role
from chalicelib.domain.errors import InvalidCredentials
from tests.fixtures.emulator import private_stage

ROUNDS = 100
# The password of accounts that exist only during this measurement.
PASSWORD = "a good password"  # nosec B105
IP = "192.0.2.1"
NO_LIMIT = "100000+1/1s"


def main(rounds: int) -> None:
    """Measure on a separate emulator and print a line for each kind."""
    with private_stage(TOLLCAST_LOGIN_LIMIT=NO_LIMIT) as settings:
        _report(_measured(Container(settings), rounds))


def _measured(services: Container, rounds: int) -> dict[str, list[float]]:
    services.accounts.create("viewer@local", PASSWORD, Role.VIEWER)
    disabled = services.accounts.create("disabled@local", PASSWORD, Role.VIEWER)
    services.accounts.change(disabled.user_id, disabled=True)
    kinds = {
        "wrong password": ("viewer@local", "a wrong one"),
        "no account": ("unknown@local", "a wrong one"),
        "disabled": ("disabled@local", PASSWORD),
    }
    durations_ms: dict[str, list[float]] = {kind: [] for kind in kinds}
    for number in range(rounds + 1):
        for kind, (email, password) in kinds.items():
            duration_ms = _timed_ms(partial(services.auth.login, email, password, ip=IP))
            if number:  # The first round creates clients and buckets.
                durations_ms[kind].append(duration_ms)
    return durations_ms


def _timed_ms(login: Callable[[], object]) -> float:
    began = time.perf_counter()
    try:
        login()
    except InvalidCredentials:
        return (time.perf_counter() - began) * 1000
    raise AssertionError("a login was accepted that must be refused")


def _report(durations_ms: dict[str, list[float]]) -> None:
    medians = {kind: statistics.median(values) for kind, values in durations_ms.items()}
    print(f"{'refused login':<16} {'median ms':>9} {'p90 ms':>7} {'ratio':>6}")
    for kind, values in durations_ms.items():
        p90 = statistics.quantiles(values, n=10)[-1]
        print(f"{kind:<16} {medians[kind]:>9.1f} {p90:>7.1f} {medians[kind] / medians['wrong password']:>6.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
