import pytest

from player.mpv.argv import mpv_argv, start_index

BEFORE = "--title=${media-title} --cache-pause-wait=3 --msg-level=all=warn --msg-color=no"
LAST = "--input-terminal=no --idle=yes --keep-open=no --ytdl=no --http-proxy= --network-timeout=0"
WINDOW = "--force-window=immediate"


@pytest.mark.parametrize(
    ("headless", "extra", "outputs", "following"),
    [
        (True, "", "--vo=null --ao=null", LAST),
        (True, "--volume=60", "--vo=null --ao=null", f"--volume=60 {LAST}"),
        (False, "", "--vo=gpu,wlshm,xv,x11", f"{WINDOW} {LAST}"),
        (False, "--fs --config=yes", "--vo=gpu,wlshm,xv,x11", f"--fs --config=yes {WINDOW} {LAST}"),
    ],
)
def test_mpv_argv(headless, extra, outputs, following):
    title = ["--force-media-title=A title"]
    rest = f"{BEFORE} {following} --input-ipc-client=fd://7".split()
    argv = mpv_argv("A title", headless, 7, extra.split())
    assert argv == ["mpv", "--no-config", *outputs.split(), *title, *rest]


@pytest.mark.parametrize(
    ("index", "options"),
    [
        (-3, ["--cache-pause-wait=3"]),
        (-2, ["--demuxer-lavf-o=live_start_index=-2", "--cache-pause-initial=yes", "--cache-pause-wait=1.5"]),
        (-6, ["--demuxer-lavf-o=live_start_index=-6", "--cache-pause-wait=3"]),
    ],
)
def test_the_servers_start_index_is_used(index, options):
    argv = mpv_argv("A title", True, 7, ["--volume=60"], index)
    position = argv.index(options[0])
    assert argv[position : position + len(options)] == options
    assert position < argv.index("--volume=60"), "the viewer may override it"


@pytest.mark.parametrize("index", [None, 0, 3, -21, "-2", 1.5, True])
def test_an_invalid_start_index_is_mpvs_default(index):
    assert (start_index(index), start_index(-2)) == (-3, -2)
