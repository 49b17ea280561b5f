"""mpv's command line. A pure function, so that a table of tests can hold it still."""

from collections.abc import Sequence

# How far from the end of a playlist mpv begins by itself; what a server may ask for instead.
LIVE_START_INDEX = -3
CLOSEST, FARTHEST = -1, -20


def mpv_argv(
    title: str, headless: bool, ipc_fd: int, extra: Sequence[str] = (), live_start_index: int = LIVE_START_INDEX
) -> list[str]:
    """Return the command line of an mpv that waits idle for orders on an inherited socket.

    The address to play is not in it (it is a secret, and `ps` shows command lines). The viewer's `extra` options come
    after what they may change and before what they may not.
    """
    # Named outputs only: left to itself, mpv falls back to one that shows nothing, and the viewer would pay for it.
    output = ["--vo=null", "--ao=null"] if headless else ["--vo=gpu,wlshm,xv,x11"]
    window = [] if headless else ["--force-window=immediate"]  # a window that fails, fails before anything is bought
    return [
        "mpv",
        "--no-config",  # mpv.conf may hold anything; whoever wants it says `-- --config=yes`
        *output,
        f"--force-media-title={title}",
        "--title=${media-title}",
        *_buffering(live_start_index),
        "--msg-level=all=warn",
        "--msg-color=no",
        *extra,
        *window,
        "--input-terminal=no",
        "--idle=yes",  # the player decides when mpv ends, not a playlist that could not be fetched for a moment
        "--keep-open=no",
        "--ytdl=no",
        "--http-proxy=",  # the relay is on this machine, and has a secret in its path
        "--network-timeout=0",  # the relay holds requests for as long as a pause lasts, and has timeouts of its own
        f"--input-ipc-client=fd://{ipc_fd}",
    ]


def start_index(told: object) -> int:
    """Return the index that the server told, or mpv's own where that is none."""
    return told if type(told) is int and FARTHEST <= told <= CLOSEST else LIVE_START_INDEX


def _buffering(live_start_index: int) -> list[str]:
    if live_start_index <= LIVE_START_INDEX:
        # After a stall gather more than the next segment, or mpv stalls again at its end. With segments of 2 s, the
        # first of which is 1.5 s long where something was replaced, that is two. The half second beyond is for the
        # segment after them, which mpv may look for a second late: measured, 3 s in all sometimes stall again.
        wait_s = 3.0
        initial = []
    else:
        # Segments of a second. What is gathered adds to the delay for good, so a little, and before the first picture:
        # measured, 1.5 s holds, and less stalls twice before mpv has found its distance.
        wait_s = 1.5
        initial = ["--cache-pause-initial=yes"]
    begin = [] if live_start_index == LIVE_START_INDEX else [f"--demuxer-lavf-o=live_start_index={live_start_index}"]
    return [*begin, *initial, f"--cache-pause-wait={wait_s:g}"]
