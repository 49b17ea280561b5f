import pytest

from player.mpv_argv import mpv_argv

BEFORE = [
    "--force-media-title=A title",
    "--title=${media-title}",
    "--cache-pause-wait=4",
    "--msg-level=all=warn",
    "--msg-color=no",
]
LAST = ["--input-terminal=no", "--idle=yes", "--keep-open=no", "--ytdl=no", "--network-timeout=0"]
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
