import pytest

from player.mpv.argv import mpv_argv, start_index

BEFORE = [
    "--force-media-title=A title",
    "--title=${media-title}",
    "--cache-pause-wait=3",
    "--msg-level=all=warn",
    "--msg-color=no",
]
LAST = ["--input-terminal=no", "--idle=yes", "--keep-open=no", "--ytdl=no", "--http-proxy=", "--network-timeout=0"]
HEADLESS = ["--vo=null", "--ao=null"]
WINDOW = "--force-window=immediate"


@pytest.mark.parametrize(
    ("headless", "extra", "expected"),
    [
        (True, [], [*HEADLESS, *BEFORE, *LAST]),
        (True, ["--volume=60"], [*HEADLESS, *BEFORE, "--volume=60", *LAST]),
        (False, [], ["--vo=gpu,wlshm,xv,x11", *BEFORE, WINDOW, *LAST]),
        (False, ["--fs", "--config=yes"], ["--vo=gpu,wlshm,xv,x11", *BEFORE, "--fs", "--config=yes", WINDOW, *LAST]),
    ],
)
def test_mpv_argv(headless: bool, extra: list[str], expected: list[str]) -> None:
    argv = mpv_argv("A title", headless, 7, extra)
    assert argv == ["mpv", "--no-config", *expected, "--input-ipc-client=fd://7"]


@pytest.mark.parametrize(
    ("index", "options"),
    [
        (-3, ["--cache-pause-wait=3"]),
        (-2, ["--demuxer-lavf-o=live_start_index=-2", "--cache-pause-initial=yes", "--cache-pause-wait=1.5"]),
        (-6, ["--demuxer-lavf-o=live_start_index=-6", "--cache-pause-wait=3"]),
    ],
)
def test_the_servers_start_index_is_used(index: int, options: list[str]) -> None:
    argv = mpv_argv("A title", True, 7, ["--volume=60"], index)
    position = argv.index(options[0])
    assert argv[position : position + len(options)] == options
    assert position < argv.index("--volume=60"), "the viewer may override it"


@pytest.mark.parametrize("index", [None, 0, 3, -21, "-2", 1.5, True])
def test_an_invalid_start_index_is_mpvs_default(index: object) -> None:
    assert start_index(index) == -3
    assert start_index(-2) == -2
