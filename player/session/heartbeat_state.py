"""What the heartbeat thread does next, and how a pause of mpv changes that."""

from enum import Enum, auto


class State(Enum):
    """What the heartbeat thread does next."""

    SCHEDULED = auto()  # send each heartbeat when it is due
    ON_HOLD = auto()  # media requests fail: buy nothing, but repeat a heartbeat that failed
    REQUESTED = auto()  # media requests fail: send one heartbeat now, then hold again
    RESTARTING = auto()  # stop the session and start another one
    WAITING = auto()  # the points are used up: look at the wallet until more have come
    PAUSED = auto()  # wait for `resume`
    PAUSED_RESTARTING = auto()  # wait for `resume`, then restart
    PAUSED_WAITING = auto()  # look at the wallet, but start nothing before `resume`
    ENDED = auto()  # final

    @property
    def is_paused(self) -> bool:
        """Whether mpv is paused."""
        return self in RESUMED

    @property
    def is_waiting(self) -> bool:
        """Whether the thread looks for new points."""
        return self in (State.WAITING, State.PAUSED_WAITING)

    def paused(self) -> "State":
        """Return the state after a pause begins."""
        if self is State.ENDED or self.is_paused:
            return self
        return _PAUSED.get(self, State.PAUSED)

    def resumed(self) -> "State":
        """Return the state after a pause ends."""
        return RESUMED.get(self, self)


_PAUSED = {State.RESTARTING: State.PAUSED_RESTARTING, State.WAITING: State.PAUSED_WAITING}
RESUMED = {
    State.PAUSED: State.REQUESTED,
    State.PAUSED_RESTARTING: State.RESTARTING,
    State.PAUSED_WAITING: State.WAITING,
}
