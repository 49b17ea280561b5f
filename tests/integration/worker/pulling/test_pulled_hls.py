"""Pulled HLS as servers serve it, from a TLS origin through the proxy to a receiver."""

import io
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import av
import pytest

from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.ladders import ABR_PROFILES
from chalicelib.domain.streams.runtime import SLATE
from chalicelib.domain.streams.source_urls import check_source_url
from tests.fixtures.authority import Authority
from tests.fixtures.waiting import eventually
from tests.integration.worker.harness import Lab
from tests.integration.worker.origins import Listener, Origin
from tests.integration.worker.puller import OUTSIDE, WIDE, Puller, rules, run, run_careless, seconds_of
from tests.integration.worker.test_ingest import log_of
from tests.integration.worker.test_worker_pipeline import make_clip
from worker.ingest.hls import live_playlist
from worker.ingest.hls.session import HlsSession
from worker.ingest.hls.variants import limits_of
from worker.ingest.pull_options import Proxied, pull_request

HEIGHTS = (144, 180, 240, 288, 360, 400, 480, 540, 576, 720, 900, 1080, 1440, 2160)


@pytest.fixture
def origin(authority: Authority, media: Path) -> Iterator[Origin]:
    with Origin("127.0.0.2", authority.context("127.0.0.2")) as it:
        for path in media.iterdir():
            it.put(f"/{path.name}", path.read_bytes())
        yield it


def test_of_many_variants_one_is_opened(authority: Authority, origin: Origin) -> None:
    lines = ["#EXTM3U", '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="s",URI="subtitles.m3u8"']
    for height in HEIGHTS:
        lines += [f'#EXT-X-STREAM-INF:BANDWIDTH={height}000,RESOLUTION={height * 16 // 9}x{height},SUBTITLES="s"']
        lines += [f"{origin.url}/{height}/index.m3u8"]
        origin.put(f"/{height}/index.m3u8", live((0, "/plain0.ts")) + "#EXT-X-ENDLIST\n")
    origin.put("/all", "\n".join(lines))
    puller = Puller(authority, frozenset({origin.port}), {})
    source = check_source_url(f"{origin.url}/all?token=1", ports=puller.ports, networks=OUTSIDE)
    with puller.egress(source, hls=HlsSession(limits_of(ABR_PROFILES["hd"]))) as egress:
        pulled = run(pull_request(source, Proxied(proxy_url=egress.url)))
    assert pulled.status == 0 and pulled.media_bytes > 10_000, pulled
    assert origin.asked == ["/all?token=1", "/720/index.m3u8", "/plain0.ts"]


@pytest.mark.parametrize("named", ["{0}", '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",URI="{0}"'])
def test_a_playlist_cannot_have_an_inner_address_connected(authority: Authority, origin: Origin, named: str) -> None:
    """FFmpeg connects to `tcp:` past the proxy, and must have it on its white list to reach the proxy."""
    with Listener("127.0.0.1") as inside:
        address = named.format(f"tcp://127.0.0.1:{inside.port}")
        variant = '#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"\n'
        origin.put("/evil.m3u8", f"#EXTM3U\n{variant}{address}\n{variant}plain.m3u8\n")
        pulled = Puller(authority, frozenset({origin.port}), {}).pull(f"{origin.url}/evil.m3u8")
        assert inside.hits() == 0 and pulled.refusal and "'tcp:'; allowed: https://" in pulled.refusal
        run_careless(f"{origin.url}/evil.m3u8")
        assert inside.hits() > 0, "without the guard it must be reached"


@pytest.mark.parametrize(("tag", "lasts_s"), [("#EXT-X-DISCONTINUITY\n", 2), ("", 3)])
def test_what_skips_behind_a_discontinuity_tag_goes_on_without_a_pause(
    authority: Authority, origin: Origin, tag: str, lasts_s: int
) -> None:
    """The segment between is left out, so time stamps skip a second."""
    segments = f"#EXTINF:1,\nplain0.ts\n{tag}#EXTINF:1,\nplain2.ts\n#EXT-X-ENDLIST\n"
    origin.put("/skip.m3u8", f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n{segments}")
    source = check_source_url(f"{origin.url}/skip.m3u8", ports=frozenset({origin.port}), networks=WIDE)
    with Puller(authority, frozenset({origin.port}), {}).egress(source, WIDE) as egress:
        way = Proxied(proxy_url=egress.url, ca_file=authority.ca_file)
        assert seconds_of(pull_request(source, way)) == pytest.approx(lasts_s, abs=0.15)


def live(*segments: tuple[int, str]) -> str:
    lines = [f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:{segments[0][0]}"]
    return "\n".join([*lines, *(f"#EXTINF:1,\n{uri}" for _, uri in segments), ""])


def segments_asked(origin: Origin) -> list[str]:
    return [path for path in origin.asked if path.endswith(".ts")]


def test_all_that_a_playlist_had_before_it_stopped_is_published_once_until_it_moves(
    lab: Lab, authority: Authority, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_playlist, "STILL_S_MIN", 3.0)
    origin.put("/live.m3u8", live((7, "plain0.ts"), (8, "plain1.ts")))
    lab.settings["egress"] = rules(authority, origin.port)
    lab.add(ingest=Ingest(mode=IngestMode.PULL, url=f"{origin.url}/live.m3u8"), slate=True)
    lab.pipeline()
    lab.wait_for_run("1-1")
    # The slate is the second run, and nothing gives it up while the playlist stays as it is.
    lab.wait_for_run("1-2")
    lab.wait_for_segments(4)
    assert lab.runs() == ["1-1", "1-2"] and lab.runtime().source == SLATE
    assert sum(each.duration for each in lab.playlist().segments if each.uri.startswith("1-1-")) == pytest.approx(
        2, abs=0.2
    )
    assert segments_asked(origin) == ["/plain0.ts", "/plain1.ts"]
    place = f"127.0.0.2:{origin.port}"
    still = f"the playlist at {place} has had no new segment "
    assert (lab.runtime().last_error or "").startswith(still)
    again = f"{still}since it was played last (https://{place}/live.m3u8"
    eventually(lambda: (log_of(lab)[0].ending or "").startswith(again), 10, again, lambda: log_of(lab))
    origin.put("/live.m3u8", live((8, "plain1.ts"), (9, "plain2.ts")))
    lab.wait_for_run("1-3")
    assert segments_asked(origin) == ["/plain0.ts", "/plain1.ts", "/plain2.ts"]


def test_another_init_section_is_played_in_its_own_format(
    lab: Lab, authority: Authority, origin: Origin, tmp_path: Path
) -> None:
    """FFmpeg takes no second `moov`: sound of 44,100 Hz would have the pitch of 48,000 Hz."""
    parts = []
    for name, size, rate in (("a", "320x180", 48_000), ("b", "160x90", 44_100)):
        picture, sound = f"testsrc2=size={size}:rate=25:duration=10", f"sine=1000:sample_rate={rate}:duration=10"
        make_clip(
            tmp_path / f"{name}.m3u8",
            *("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, "-c:v", "libx264", "-preset", "ultrafast"),
            *("-g", "25", "-pix_fmt", "yuv420p", "-c:a", "aac", "-f", "hls", "-hls_time", "2", "-hls_list_size", "0"),
            *("-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", f"{name}.mp4"),
        )
        text = (tmp_path / f"{name}.m3u8").read_text()
        parts.append(text[text.index("#EXT-X-MAP") :].replace("#EXT-X-ENDLIST\n", ""))
    for path in tmp_path.glob("*.m*"):
        origin.put(f"/{path.name}", path.read_bytes())
    head = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n"
    origin.put("/live.m3u8", head + "#EXT-X-DISCONTINUITY\n".join(parts) + "#EXT-X-ENDLIST\n")
    lab.settings["egress"] = rules(authority, origin.port)
    lab.add(ingest=Ingest(mode=IngestMode.PULL, url=f"{origin.url}/live.m3u8"))
    lab.pipeline()
    lab.wait_for_run("1-2", 30)
    # Of ten: the end of the recording counts as a failure.
    lab.wait_for_segments(7)
    assert lab.runtime().restarts == 0, lab.runtime().last_error
    assert [each.discontinuity for each in lab.playlist().segments].count(True) == 1
    stored = list(lab.segments().items())
    assert {uri.rpartition("-")[0] for uri, _ in stored} == {"1-1", "1-2"}
    for uri, body in (stored[0], stored[-2]):
        assert pitch_of(body) == pytest.approx(1_000, rel=0.02), uri


def pitch_of(segment: bytes) -> float:
    """Return how often the sound of a segment rises through zero in a second."""
    values: list[int] = []
    resampler = av.AudioResampler("s16", "mono", 48_000)
    with av.open(io.BytesIO(segment), "r", "mpegts") as container:
        for frame in container.decode(audio=0):
            for made in resampler.resample(frame):
                values += memoryview(bytes(made.planes[0])[: made.samples * 2]).cast("h")
    return sum(a < 0 <= b for a, b in pairwise(values)) * 48_000 / len(values)
