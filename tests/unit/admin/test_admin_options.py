"""Options of `tollcast-admin`: sources, settings, amounts, payments; and what a full disk prints."""

import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from player.cli import main as player_main
from player.exit_status import ExitStatus
from player.http.paths import path_of
from player.lazy_group import LazyGroup, Text
from tollcast_admin.cli import main
from tollcast_admin.options.values import Minutes, Moment, Points
from tollcast_admin.streams.settings import Rendition, fields_of
from tollcast_admin.streams.sources import source_of, source_text

SOURCES = {
    "test": {"mode": "test"},
    "rtmp": {"mode": "listen", "protocol": "rtmp"},
    "rtmp audio=2": {"mode": "listen", "protocol": "rtmp", "audio_track": 2},
    "srt:9000 program=3 audio=1": {
        "mode": "listen", "protocol": "srt", "port": 9000, "program": 3, "audio_track": 1
    },
    "file:my film 2.mp4": {"mode": "file", "path": "my film 2.mp4"},
    "file:a/b=c.ts program=1": {"mode": "file", "path": "a/b=c.ts", "program": 1},
}  # fmt: skip


@pytest.mark.parametrize("text", SOURCES)
def test_sources_are_read_and_shown_alike(text):
    assert source_of(text) == SOURCES[text] and source_of(source_text(SOURCES[text])) == SOURCES[text]


@pytest.mark.parametrize(
    "url", ["https://user:pass@a.example.org:8443/x?token=y", "srt://a.example.org:7000?passphrase=y"]
)
def test_a_url_is_shown_without_what_may_be_secret(url):
    source = source_of(f"{url} audio=2")
    assert source == {"mode": "pull", "url": url, "audio_track": 2}
    shown = source_text(source)
    assert "a.example.org" in shown and "pass" not in shown and "y" not in shown.replace("https", "")


@pytest.mark.parametrize("text", ["", "film.mp4", "file:", "srt:", "srt:port", "rtmp:1935", "tests"])
def test_other_texts_are_no_source(text):
    assert source_of(text) is None


def test_amounts_are_whole_millipoints():
    convert = lambda text: Points().convert(text, None, None)  # noqa: E731
    assert [convert(text) for text in ("100", "0.5", "2.345", "0")] == [100_000, 500, 2_345, 0]
    for text in ("", "-1", "1.2345", "1e3", "1,5", "٣"):
        with pytest.raises(click.BadParameter):
            convert(text)


def test_moments_are_dates_times_or_how_long_ago():
    convert = lambda text: Moment().convert(text, None, None)  # noqa: E731
    assert convert("2026-01-31T18:00:01") - convert("2026-01-31T18:00") == 1000
    assert abs(convert("2h") - (time.time() - 7_200) * 1000) < 5_000
    for text in ("yesterday", "", "2026-13-01"):
        with pytest.raises(click.BadParameter):
            convert(text)
    assert [Minutes().convert(text, None, None) for text in ("30m", "2h", "120s")] == [30, 120, 2]


def test_only_given_settings_are_sent():
    assert fields_of({"title": None, "slate": None, "backups": (), "rate": 0, "lease_s": 20}) == {
        "rate_millipoints_per_minute": 0,
        "lease_ms": 20_000,
    }
    rendition = Rendition().convert("720p:1280x720:2.5M:128k", None, None)
    assert rendition == {"name": "720p", "width": 1280, "height": 720, "video_bps": 2_500_000, "audio_bps": 128_000}
    assert fields_of({"renditions": (rendition,)}) == {"abr_profile": "custom", "custom_renditions": [rendition]}
    assert fields_of({"renditions": (rendition,), "profile": "sd"})["abr_profile"] == "sd"
    for text in ("720p", "720p:1280:2M:1k", "a:1x1:..:1k"):
        with pytest.raises(click.BadParameter):
            Rendition().convert(text, None, None)


def test_an_argument_is_one_part_of_a_path():
    assert path_of("streams", "a/../users", "state") == "/streams/a%2F..%2Fusers/state"
    for part in ("", ".", ".."):
        with pytest.raises(click.UsageError, match="is no id"):
            path_of("streams", part)


def texts_of(command: click.Command, context: click.Context) -> Iterator[click.Parameter]:
    """Yield the parameters of a command and of all below it that are texts."""
    yield from (each for each in command.params if isinstance(each.type, click.types.StringParamType))
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from texts_of(below, context)


@pytest.mark.parametrize(("command", "texts_min"), [(main, 60), (player_main, 6)])
def test_no_command_takes_an_empty_text(command: click.Command, texts_min: int) -> None:
    texts = list(texts_of(command, click.Context(command)))
    assert len(texts) >= texts_min
    assert [each.name for each in texts if not isinstance(each.type, Text)] == []


@pytest.mark.parametrize("command", [main, player_main])
def test_a_full_disk_is_reported_in_words(command: click.Command, monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command
    def write() -> None:
        Path("/dev/full").write_text("a line")

    monkeypatch.setattr(LazyGroup, "get_command", lambda group, ctx, name: write)
    done = CliRunner().invoke(command, ["status"])
    assert done.exit_code == ExitStatus.FAILED
    assert done.output.startswith("Error: It could not be written: No space left on device. Free some space.")
