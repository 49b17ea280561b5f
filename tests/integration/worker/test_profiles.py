"""Each profile on a real worker: what is published follows the rules, and is described as it is."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.runtime import RuntimeState
from tests.fixtures.waiting import eventually
from tests.hls.probe import SegmentInfo, probe
from tests.hls.rules import Snapshot, faults, history_faults, peak_bps
from tests.hls.text import read_media_playlist, read_multivariant
from tests.integration.worker.harness import Lab
from tests.integration.worker.test_worker_pipeline import assert_unbroken, make_clip
from worker.supervision import state_machine

# A picture and a rate of which two busy cores can make two renditions.
SMALL = ("-f", "lavfi", "-i", "testsrc=size=480x270:rate=10:duration=4.8", "-f", "lavfi", "-i", "sine=duration=4.8")
H264_AAC = ("-c:v", "libx264", "-preset", "superfast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2")
# Keyframes 1.2 s apart, which is no divisor of the 2 s that are asked for, and pictures that are shown out of order.
KEYFRAMES = ("-g", "12", "-sc_threshold", "0", "-bf", "2")


def text_of(lab: Lab, path: str) -> str:
    return lab.stored(path).decode()


def read(lab: Lab) -> tuple[str, dict[str, str]]:
    """Return the multivariant playlist and its playlists of one moment: the former is the same before and after."""
    for _ in range(10):
        multivariant = text_of(lab, "index.m3u8")
        playlists = {variant.uri: text_of(lab, variant.uri) for variant in read_multivariant(multivariant).variants}
        if text_of(lab, "index.m3u8") == multivariant:
            return multivariant, playlists
    raise AssertionError("the multivariant playlist is written all the time")


def segments(lab: Lab, playlists: dict[str, str]) -> Iterator[tuple[str, bytes]]:
    for uri, text in playlists.items():
        for named in read_media_playlist(text).segments:
            path = f"{uri.partition('/')[0]}/{named.uri}"
            yield path, lab.stored(path)


def assert_decodes(bodies: list[bytes], path: Path) -> None:
    """Check that every picture decodes, one segment after the other, without an error."""
    path.write_bytes(b"".join(bodies))
    argv = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-f", "null", "-"]
    assert subprocess.run(argv, capture_output=True, check=True, timeout=60).stderr.decode() == ""


def assert_published(lab: Lab, snapshot: Snapshot) -> None:
    """Check that the worker reports what the segments are, and declares their bandwidth."""
    runtime = lab.runtime()
    assert runtime.segments_per_minute and runtime.segments_per_minute > 10
    for variant, published in zip(read_multivariant(snapshot.multivariant).variants, runtime.published, strict=True):
        name, media = variant.uri.partition("/")[0], read_media_playlist(snapshot.playlists[variant.uri])
        assert published.name == name
        found = [(path, one) for path, one in snapshot.segments.items() if path.startswith(f"{name}/")]
        one = found[0][1]
        assert (published.width, published.height) == (one.width, one.height)
        assert published.fps == pytest.approx(one.fps, abs=0.001)
        assert peak_bps(media, {path.rpartition("/")[2]: each.size for path, each in found})
        assert f'CODECS="{published.codecs}"' in snapshot.multivariant


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow late segments: they are not the subject, and renditions can be late on a busy machine."""
    monkeypatch.setattr(state_machine, "START_S_MIN", 60.0)
    monkeypatch.setattr(state_machine, "SILENT_TARGETS", 20)


@pytest.mark.usefixtures("patience")
@pytest.mark.parametrize(
    ("profile", "clip", "changes", "names"),
    [
        ("source", KEYFRAMES, {"segment_seconds": 2}, ["source"]),
        ("hd", (), {}, ["720p", "480p"]),
    ],
)
def test_what_is_published_keeps_to_the_rules(
    lab: Lab, tmp_path: Path, profile: str, clip: tuple[str, ...], changes: dict[str, Any], names: list[str]
) -> None:
    make_clip(lab.media_dir / "clip.mp4", *SMALL, *H264_AAC, *clip)
    lab.add_file("clip.mp4", abr_profile=profile, **changes)
    lab.pipeline()
    lab.wait_for(RuntimeState.LIVE, 60)
    _, before = read(lab)
    # A copied clip is followed beyond its end, where it begins again; the encoders do not notice.
    lab.wait_for_segments(3 if profile == "source" else 1, 60)
    multivariant, playlists = read(lab)
    bodies = dict(segments(lab, playlists))
    found: dict[str, SegmentInfo] = {path: probe(body) for path, body in bodies.items()}
    snapshot = Snapshot(multivariant, playlists, found)
    assert [uri.partition("/")[0] for uri in playlists] == names
    assert faults(snapshot) == []
    assert [fault for uri in playlists for fault in history_faults(before[uri], playlists[uri])] == []
    assert_published(lab, snapshot)
    for name in names:
        assert_decodes([body for path, body in bodies.items() if path.startswith(f"{name}/")], tmp_path / "all.ts")
    assert_unbroken(tmp_path / "all.ts", gap_s=0.25)
    assert lab.runtime().restarts == 0


def test_a_source_that_cannot_be_copied_says_why_and_is_not_tried_over_and_over(lab: Lab) -> None:
    make_clip(lab.media_dir / "old.avi", *SMALL, "-c:v", "mpeg4", "-c:a", "libmp3lame")
    lab.add_file("old.avi", abr_profile="source")
    lab.pipeline()
    runtime = lab.wait_for(RuntimeState.FAILED)
    refused = "has mpeg4 video and mp3 audio; a copied stream needs h264 or hevc video and aac"
    assert refused in (runtime.last_error or "")
    # A clip of one keyframe, longer than any segment may be; and without sound, which would be no hindrance.
    pattern = ("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=10:duration=11")
    make_clip(lab.media_dir / "long.mp4", *pattern, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "1000")
    lab.change(ingest=Ingest(mode=IngestMode.FILE, path="long.mp4"), generation=2)
    reason = "keyframes up to 11.0 s apart"
    eventually(lambda: reason in (lab.runtime().last_error or ""), 15, reason, lab.runtime)
    assert not lab.encoders()
