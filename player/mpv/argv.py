"""mpv's command line."""

from collections.abc import Sequence

# mpv's default position in a live playlist, counted in segments from the end, and what a server may set instead.
LIVE_START_INDEX = -3
LIVE_START_INDEX_MIN, LIVE_START_INDEX_MAX = -20, -1
# What is fetched ahead is paid. Behind the end of a stream, as after a pause, mpv would fetch all that the gateway lets
# it: 26 s (measured).
READAHEAD_S = 8


def mpv_argv(
    title: str, headless: bool, ipc_fd: int, extra: Sequence[str] = (), live_start_index: int = LIVE_START_INDEX
) -> list[str]:
    """Return the command line of an mpv that waits for commands on an inherited socket.

    The address is not in it: it contains a secret, and `ps` shows command lines. The viewer's `extra` options follow
    the options that they may override, and precede those that they may not.
    """
    # Named outputs only: otherwise mpv falls back to one without a picture, and the viewer pays for nothing.
    output = ["--vo=null", "--ao=null"] if headless else ["--vo=gpu,wlshm,xv,x11"]
    window = [] if headless else ["--force-window=immediate"]  # so that a window fails before a lease is bought
    return [
        "mpv",
        "--no-config",  # mpv.conf may contain anything; `-- --config=yes` enables it
        *output,
        f"--force-media-title={title}",
        "--title=${media-title}",
        *_buffering(live_start_index),
        "--msg-level=all=warn",
        "--msg-color=no",
        *extra,
        *window,
        "--input-terminal=no",
        "--idle=yes",  # a playlist that fails for a moment must not end mpv
        "--keep-open=no",
        "--ytdl=no",
        "--http-proxy=",  # the relay is on this machine, and its path contains a secret
        "--network-timeout=0",  # the relay holds requests during a pause, and has its own timeouts
        f"--input-ipc-client=fd://{ipc_fd}",
    ]


def start_index(value: object) -> int:
    """Return the server's start index, or mpv's default if it is not valid."""
    if type(value) is int and LIVE_START_INDEX_MIN <= value <= LIVE_START_INDEX_MAX:
        return value
    return LIVE_START_INDEX


def _buffering(live_start_index: int) -> list[str]:
    if live_start_index <= LIVE_START_INDEX:
        # After a stall buffer more than one segment of 2 s, or mpv stalls again at its end (measured).
        wait_s = 3.0
        initial = []
    else:
        # Segments of 1 s at low latency. The buffer adds to the delay, so it is small, and filled before the first
        # picture: 1.5 s suffices, less stalls twice at the start (measured). It is less than a segment of 4 s or more.
        wait_s = 1.5
        initial = ["--cache-pause-initial=yes"]
    begin = "" if live_start_index == LIVE_START_INDEX else f"live_start_index={live_start_index},"
    # By default FFmpeg opens the next segment before it reads the first, and shows nothing while the gateway holds it.
    options = f"--demuxer-lavf-o={begin}http_multiple=0"
    return [options, f"--cache-secs={READAHEAD_S}", *initial, f"--cache-pause-wait={wait_s:g}"]
