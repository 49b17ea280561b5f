"""Streams of received sources: every kind of source, and failover when one ends."""

from pathlib import Path

import pytest

from chalicelib.domain.streams.ingest import Ingest, IngestMode, ListenProtocol
from chalicelib.domain.streams.run_logs import RunLog, decode, run_log_key
from chalicelib.domain.streams.runtime import SLATE, RuntimeState
from tests.fixtures.authority import Authority
from tests.fixtures.waiting import eventually
from tests.integration.gateway.ingest.harness import GOOD as RTMP_GOOD
from tests.integration.gateway.ingest.harness import KEY as RTMP_KEY
from tests.integration.gateway.ingest.harness import run_ingest
from tests.integration.worker.harness import SMALL, STREAM, Lab
from tests.integration.worker.origins import Listener, Origin
from tests.integration.worker.puller import OUTSIDE, here, rules
from tests.integration.worker.senders import free_udp_port, live_hls, mute_by_rtmp, mute_by_srt, sending, srt_output
from tests.integration.worker.test_worker_pipeline import assert_unbroken, make_clip
from worker.ingest import failover, receiver_commands
from worker.ingest.live_source_opener import MUTE_REASON, RTMP_HINT, WAITING_REASON

KEY, WRONG_KEY = "right-key-right-key-1234", "wrong-key-wrong-key-1234"
NAME = "source.test"
FIRST_SEGMENT_S_MAX = 10
TEST = Ingest(mode=IngestMode.TEST)


def add(lab: Lab, ingest: Ingest, **changes: object) -> None:
    lab.add(ingest=ingest, ingest_key=KEY, **changes)


def srt(port: int) -> Ingest:
    return Ingest(mode=IngestMode.LISTEN, protocol=ListenProtocol.SRT, port=port)


def wait_for_source(lab: Lab, source: str | None, timeout_s: float = 20) -> None:
    eventually(lambda: lab.runtime().source == source, timeout_s, f"source {source}", lab.runtime)


def wait_for_first_segment(lab: Lab) -> None:
    lab.wait_for_segments(1, FIRST_SEGMENT_S_MAX)


def log_of(lab: Lab) -> tuple[RunLog, ...]:
    stored = lab.s3.get(run_log_key(STREAM))
    assert stored is None or KEY.encode() not in stored.body
    return decode(stored.body) if stored else ()


def wait_for_error(lab: Lab, error: str, timeout_s: float = 20) -> None:
    eventually(lambda: lab.runtime().last_error == error, timeout_s, error, lab.runtime)


def assert_all_unbroken(lab: Lab) -> None:
    everything = lab.directory / "all.ts"
    everything.write_bytes(lab.fetch())
    assert_unbroken(everything, gap_s=0.2)


def test_srt_is_taken_from_who_knows_the_key_and_the_sender_may_come_back(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver_commands, "MUTE_S", 3)
    port = free_udp_port()
    add(lab, srt(port))
    lab.pipeline()
    wait_for_error(lab, WAITING_REASON)
    assert lab.runtime().state is RuntimeState.STARTING and lab.runtime().restarts == 0
    with mute_by_srt(port, KEY) as mute:
        wait_for_error(lab, MUTE_REASON)
        assert mute.wait(10) != 0, "the place is free for others"
    for output, why in (
        (srt_output(port, WRONG_KEY), "its passphrase is not the stream's key"),
        (("-f", "mpegts", f"srt://127.0.0.1:{port}"), "it does not encrypt; the stream's key is its passphrase"),
    ):
        with sending(*output) as stranger:
            assert stranger.wait(10) != 0
        eventually(lambda why=why: why in (lab.runtime().last_error or ""), 5, why, lab.runtime)
        eventually(lambda why=why: why in (log_of(lab)[0].ending or ""), 5, why, lambda: log_of(lab))
    assert lab.follower.poll() == -1 and lab.programs("", KEY) == []

    with sending(*srt_output(port, KEY), sound=False):
        wait_for_first_segment(lab)
        assert lab.wait_for(RuntimeState.LIVE).last_error is None
        lab.wait_for_segments(2)
    wait_for_source(lab, None)
    assert lab.wait_for(RuntimeState.STALLED).last_error == WAITING_REASON
    eventually(lambda: [log.run for log in log_of(lab)] == [None, "1-1"], 5, "logs", lambda: log_of(lab))
    unopened, run = log_of(lab)
    assert unopened.ending == WAITING_REASON
    assert any("Incorrect passphrase" in line for line in run.source_lines)

    with sending(*srt_output(port, KEY)):
        wait_for_first_segment(lab)
        lab.wait_for(RuntimeState.LIVE)
        lab.wait_for_segments(3)
        assert_all_unbroken(lab)
    assert lab.runs() == ["1-1", "1-2"]


def test_new_settings_disconnect_no_sender_and_a_restart_reopens_all(lab: Lab) -> None:
    port = free_udp_port()
    lab.add(ingest=srt(port), abr_profile="source", ingest_key=KEY)
    lab.pipeline()
    with sending(*srt_output(port, KEY)) as sender:
        lab.wait_for(RuntimeState.LIVE)
        lab.change(segment_seconds=2, generation=2)
        eventually(lambda: lab.runtime().generation == 2, 5, "new settings", lab.runtime)
        lab.wait_for(RuntimeState.LIVE)
        lab.rendition = SMALL.name
        lab.change(abr_profile="custom", custom_renditions=(SMALL,), generation=3)
        eventually(lambda: lab.runtime().generation == 3, 5, "new settings", lab.runtime)
        assert lab.wait_for(RuntimeState.LIVE).restarts == 0
        lab.wait_for_segments(2)
        assert lab.s3.get(f"streams/{STREAM}/source/index.m3u8") is None, "it is dropped with the old ladder"
        assert sender.poll() is None
        runs = [(log.run, log.ending) for log in reversed(log_of(lab)) if log.run]
        assert runs[:2] == [("1-1", "new settings"), ("1-2", "new settings")]
        lab.change(generation=4)
        assert sender.wait(10) != 0


def test_rtmp_is_taken_by_way_of_the_ingest(lab: Lab) -> None:
    with run_ingest() as ingest:
        lab.settings["rtmp_url"] = ingest.url("").rstrip("/")
        lab.add(ingest=Ingest(mode=IngestMode.LISTEN, protocol=ListenProtocol.RTMP), ingest_key=RTMP_KEY)
        lab.pipeline()
        wait_for_error(lab, WAITING_REASON)
        with mute_by_rtmp(ingest.url(RTMP_GOOD)):
            wait_for_error(lab, MUTE_REASON + RTMP_HINT)
        sender = ingest.sender()
        wait_for_first_segment(lab)
        lab.wait_for(RuntimeState.LIVE)
        sender.kill()
        lab.wait_for(RuntimeState.STALLED)
        ingest.sender()
        wait_for_first_segment(lab)
        assert lab.wait_for(RuntimeState.LIVE).source == "primary"
        assert lab.programs("", RTMP_KEY) == [process.pid for process in ingest.started if process.poll() is None]


def test_a_backup_takes_over_from_a_playlist_and_gives_back(
    lab: Lab, tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failover, "WATCH_FACTOR", 5)
    monkeypatch.setattr(failover, "ANSWER_INTERVAL_S", 1.0)
    with live_hls(tmp_path / "first", authority, NAME) as origin:
        port = origin.port
        lab.settings["egress"] = rules(authority, port, lookup=here)
        eventually((tmp_path / "first" / "live.m3u8").exists, 10, "the playlist")
        add(lab, Ingest(mode=IngestMode.PULL, url=f"https://{NAME}:{port}/live.m3u8?token=secret"), backups=(TEST,))
        lab.pipeline()
        wait_for_first_segment(lab)
        assert lab.wait_for(RuntimeState.LIVE).source == "primary"
        eventually(lambda: lab.runtime().ingest_bitrate_bps, 15, "how much comes in", lab.runtime)
        lab.follower.poll()
    wait_for_source(lab, "backup-1")
    lab.wait_for_run("1-2")
    runtime = lab.wait_for(RuntimeState.LIVE)
    assert runtime.last_error and runtime.last_error.startswith("primary: ") and "secret" not in runtime.last_error
    with live_hls(tmp_path / "second", authority, NAME, port):
        wait_for_source(lab, "primary", 40)
        lab.wait_for_run("1-3")
        lab.wait_for_segments(1)
        # Viewers of the backup have seen no outage when the primary took over.
        runtime = lab.runtime()
        assert runtime.state is RuntimeState.LIVE and len(runtime.outages) == 2
    assert_all_unbroken(lab)


def test_a_hostile_source_reaches_nothing_and_its_backup_neither(lab: Lab, authority: Authority) -> None:
    with Origin("127.0.0.2", authority.context(NAME)) as origin, Listener("127.0.0.1") as inside:
        segment = f"https://inner.test:{inside.port}/x.ts"
        origin.put("/live.m3u8", f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{segment}\n#EXT-X-ENDLIST\n")
        lookup = {NAME: ["127.0.0.2"], "inner.test": ["127.0.0.1"]}.__getitem__
        lab.settings["egress"] = rules(authority, origin.port, inside.port, networks=OUTSIDE, lookup=lookup)
        inner = Ingest(mode=IngestMode.PULL, url=f"srt://inner.test:{inside.port}")
        add(lab, Ingest(mode=IngestMode.PULL, url=f"https://{NAME}:{origin.port}/live.m3u8"), backups=(inner,))
        lab.pipeline()
        refused = "'inner.test' has the address 127.0.0.1, which is not public"
        eventually(lambda: (lab.runtime().last_error or "").count(refused) == 2, 20, refused, lab.runtime)
        assert origin.asked and inside.hits() == 0
        assert lab.runtime().state is RuntimeState.BACKOFF and lab.follower.poll() == -1
        eventually(lambda: len(log_of(lab)) == 2, 5, "why, in the log", lab.runtime)
        assert all(log.run is None and log.ending and refused in log.ending for log in log_of(lab))


def test_the_slate_is_shown_while_no_source_works(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failover, "REFUSED_DELAY_S", 0.5)
    add(lab, Ingest(mode=IngestMode.FILE, path="late.mp4"), slate=True)
    lab.pipeline()
    lab.wait_for_segments(4)
    runtime = lab.runtime()
    assert (runtime.state, runtime.source) == (RuntimeState.STALLED, SLATE)
    assert runtime.last_error == "there is no file 'late.mp4' in the media directory"
    pattern = "testsrc2=size=320x180:rate=25:duration=2"
    make_clip(lab.media_dir / "new.mp4", "-f", "lavfi", "-i", pattern, "-pix_fmt", "yuv420p")
    (lab.media_dir / "new.mp4").rename(lab.media_dir / "late.mp4")
    assert lab.wait_for(RuntimeState.LIVE).source == "primary"
    lab.wait_for_run("1-2")
    assert {report.state for report in lab.runtimes.reports if report.source == SLATE} == {RuntimeState.STALLED}
