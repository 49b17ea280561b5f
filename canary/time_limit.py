"""A time limit for calls whose own limits are for each read, such as requests."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

from player.errors import CliError
from player.exit_status import ExitStatus

Result = TypeVar("Result")


class TookTooLongError(CliError):
    """A call that did not return in time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"There was no end within {max(0.0, seconds):.0f} s.", "", ExitStatus.UNREACHABLE)


def within(seconds: float, act: Callable[[], Result]) -> Result:
    """Return what `act` returns. Raise what it raises, or `TookTooLongError`.

    It runs in a thread, which goes on after the limit and ends with the process.
    """
    done: Future[Result] = Future()

    def call() -> None:
        try:
            done.set_result(act())
        except Exception as error:
            done.set_exception(error)

    Thread(target=call, daemon=True).start()
    try:
        return done.result(max(0.0, seconds))
    except TimeoutError:
        if done.done():
            raise  # of the call itself
        raise TookTooLongError(seconds) from None
