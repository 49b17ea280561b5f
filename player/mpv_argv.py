"""mpv's command line. A pure function, so that a table of tests can hold it still."""

from collections.abc import Sequence


def mpv_argv(title: str, headless: bool, ipc_fd: int, extra: Sequence[str] = ()) -> list[str]:
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
        "--cache-pause-wait=4",  # after a stall gather two segments, or mpv stalls again at the end of each
        "--msg-level=all=warn",
        "--msg-color=no",
        *extra,
        *window,
        "--input-terminal=no",
        "--idle=yes",  # the player decides when mpv ends, not a playlist that could not be fetched for a moment
        "--keep-open=no",
        "--ytdl=no",
        "--network-timeout=0",  # the relay holds requests for as long as a pause lasts, and has timeouts of its own
        f"--input-ipc-client=fd://{ipc_fd}",
    ]
