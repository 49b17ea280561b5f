"""A frozen source, and a run that publishes something else than its source."""

import shlex
import signal
import subprocess
from collections import Counter

import pytest

from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.issues.ingest_issues import IssueType
from chalicelib.domain.streams.runtime import RuntimeState
from tests.fixtures.waiting import eventually
from tests.integration.worker.harness import STREAM, Lab
from tests.integration.worker.test_worker_pipeline import make_clip
from tests.media.inputs.recipes import clip
from tests.media.judging.picture import active_area, clock
from tests.media.judging.segments import Segment, decode
from worker.publishing import segment_sampler
from worker.supervision import driver, published_faults

# It moves and sounds for 4 s, and then it does not for 8 s.
PICTURE = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=4,tpad=stop_mode=clone:stop_duration=8"]
SOUND = ["-f", "lavfi", "-i", "sine=sample_rate=48000:duration=4,apad=whole_dur=12"]
CODECS = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "25", "-c:a", "aac"]
REASON = "the picture is frozen and silent for 3 s"


def issues(lab: Lab) -> dict[IssueType, str]:
    return {issue.type: issue.actual for issue in lab.issues.open_issues(STREAM)}


def test_a_frozen_source_gives_way_to_its_backup_until_it_moves(lab: Lab) -> None:
    make_clip(lab.media_dir / "clip.mp4", *PICTURE, *SOUND, *CODECS)
    file, pattern = Ingest(mode=IngestMode.FILE, path="clip.mp4"), Ingest(mode=IngestMode.TEST)
    lab.add(ingest=file, backups=(pattern,), frozen_after_s=3)
    lab.pipeline()
    assert lab.wait_for(RuntimeState.LIVE).source == "primary"
    eventually(lambda: lab.runtime().source == "backup-1", 20, "the backup", lab.runtime)
    assert REASON in (lab.runtime().last_error or "")
    frozen = IssueType.PICTURE_FROZEN
    eventually(
        lambda: "source primary is frozen and silent" in issues(lab).get(frozen, ""), 3, "the issue", lab.runtime
    )
    eventually(lambda: lab.runtime().source == "primary", 30, "the source, which moves again", lab.runtime)
    eventually(lambda: frozen not in issues(lab), 3, "the issue's end", lab.runtime)


def test_a_run_that_publishes_what_is_wrong_is_replaced(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.add()
    monkeypatch.setattr(published_faults, "CLEAN_S", 1.0)
    monkeypatch.setattr(segment_sampler, "INTERVAL_S", 2.0)
    monkeypatch.setattr(driver, "published_fault", lambda sample, activity: f"{sample.sound_s > 0} {sample.moves}")
    lab.pipeline()
    lab.wait_for_run("1-2", 30)
    monkeypatch.setattr(driver, "published_fault", lambda sample, activity: None)
    assert lab.wait_for(RuntimeState.LIVE).last_error == "True True", "real segments were looked into"
    assert issues(lab)[IssueType.PUBLISHED_FAULTY] == "a run was replaced: True True"
    eventually(lambda: not issues(lab), 20, "the issue's end", lab.runtime)


@pytest.mark.parametrize(("profile", "keyframe_interval"), [("sd", 500), ("source", 25)])
def test_a_killed_encoder_costs_no_picture(lab: Lab, profile: str, keyframe_interval: int) -> None:
    argv = shlex.split(clip("clip.mp4", 20, encode=f"-g {keyframe_interval}"))
    subprocess.run(argv, cwd=lab.media_dir, capture_output=True, check=True, timeout=60)
    lab.add_file("clip.mp4", abr_profile=profile)
    lab.pipeline()
    lab.wait_for(RuntimeState.LIVE)
    lab.wait_for_segments(3)
    lab.signal_encoder(signal.SIGKILL)
    lab.wait_for_run("1-2")
    lab.wait_for_segments(3)
    pictures: Counter[int] = Counter()
    for run in ("1-1", "1-2"):
        segments = []
        for name, body in lab.segments().items():
            if name.startswith(f"{run}-"):
                segments.append(Segment(lab.directory / name, 1.0))
                segments[-1].path.write_bytes(body)
        pictures.update(clock(frame, area) for frame in decode(segments).frames if (area := active_area(frame)))
    whole = range(1, max(pictures))
    assert len(whole) > 5 and all(abs(pictures[second] - 25) <= 1 for second in whole), pictures
