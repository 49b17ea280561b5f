"""Streams from creation to archive, by `tollcast-admin`."""

import re

from chalicelib.domain.streams.runtime import RuntimeState
from tests.http.conftest import Api
from tests.integration.admin.admin_harness import Admin

ALL_SETTINGS = (
    "--id", "films", "--source", "srt:9000 program=2 audio=1", "--backup", "file:film.mp4", "--backup", "test",
    "--slate", "--frozen-after", "60", "--rendition", "720p:1280x720:2.5M:128k", "--fps-max", "50",
    "--latency", "low", "--segment-seconds", "1", "--window-minutes", "10", "--rate", "0.5", "--lease", "20",
    "--viewers-max", "7", "--session-binding", "off",
)  # fmt: skip


def test_a_stream_is_created_with_every_setting(api: Api, admin: Admin) -> None:
    assert "tollcast-admin streams start films" in admin.ok("streams", "create", "Films", *ALL_SETTINGS)
    stream = api.services.streams.get("films")
    listening, file, pattern = stream.sources
    assert (listening.mode, listening.protocol, listening.port) == ("listen", "srt", 9000)
    assert (listening.program, listening.audio_track) == (2, 1)
    assert (file.mode, file.path, pattern.mode) == ("file", "film.mp4", "test")
    (rendition,) = stream.custom_renditions
    assert (rendition.name, rendition.width, rendition.height) == ("720p", 1280, 720)
    assert (rendition.video_bps, rendition.audio_bps, stream.abr_profile) == (2_500_000, 128_000, "custom")
    assert (stream.slate, stream.frozen_after_s, stream.fps_max, stream.latency) == (True, 60, 50, "low")
    assert (stream.segment_seconds, stream.window_minutes, stream.rate_millipoints_per_minute) == (1, 10, 500)
    assert (stream.lease_ms, stream.viewers_max, stream.session_binding) == (20_000, 7, "off")
    status, text = admin.refused("streams", "create", "Again", "--id", "films", "--source", "test")
    assert status == 4 and "stream_exists" in text


def test_a_source_with_a_password_comes_from_standard_input_and_is_not_shown(api: Api, admin: Admin) -> None:
    url = "rtmps://name:secret@media.example.org/live/key"
    done = admin.run("streams", "create", "Far", "--id", "far", "--source", "-", stdin=f"{url}\n")
    if done.exit_code == 0:
        assert api.services.streams.get("far").ingest.url == url
        shown = admin.ok("streams", "show", "far")
        assert "rtmps://media.example.org/…" in shown and "secret" not in shown and "live/key" not in shown
    assert "secret" not in done.output
    status, text = admin.refused("streams", "create", "Wrong", "--source", "nowhere secret")
    assert status == 2 and "file:PATH" in text


def test_an_edit_says_what_it_does_and_a_dry_run_does_nothing(api: Api, admin: Admin) -> None:
    viewer, stream_id = api.user(millipoints=100_000), api.live_stream()
    assert api.start(api.login(viewer), stream_id).status_code == 201
    stream = lambda: api.services.streams.get(stream_id)  # noqa: E731
    dry = admin.ok("streams", "edit", stream_id, "--source", "rtmp", "--rate", "2", "--dry-run")
    assert "ingest: test → rtmp" in dry and "60 points/min → 2 points/min" in dry
    assert "would restart: 1 viewer notices it. Nothing was changed." in dry
    assert stream().ingest.mode == "test"
    assert "without a restart" in admin.ok("streams", "edit", stream_id, "--title", "New")
    assert "The encoder restarts: 1 viewer" in admin.ok("streams", "edit", stream_id, "--backup", "test")
    assert (stream().title, len(stream().backups)) == ("New", 1)
    (version,) = re.findall("Version: +(\\d+)", admin.ok("streams", "show", stream_id))
    admin.ok("streams", "edit", stream_id, "--no-backups", "--if-version", version)
    status, text = admin.refused("streams", "edit", stream_id, "--title", "Late", "--if-version", version)
    assert status == 4 and "changed_meanwhile" in text and "backups" in text and stream().title == "New"
    assert stream().backups == ()
    assert admin.ok("streams", "edit", stream_id, "--title", "New") == "Nothing changes.\n"
    assert admin.refused("streams", "edit", stream_id)[0] == 2
    status, text = admin.refused("streams", "edit", stream_id, "--window-minutes", "100000")
    assert status == 4 and "window_minutes" in text, "the server names the field and its bound"


def test_states_log_and_keys(api: Api, admin: Admin) -> None:
    stream_id = api.live_stream()
    stream = lambda: api.services.streams.get(stream_id)  # noqa: E731
    assert {"stream_id": stream_id, "state": "live"} in admin.json("streams", "list", "--json", "stream_id,state")
    admin.ok("streams", "pause", stream_id)
    assert stream().desired_state == "paused"
    admin.ok("streams", "stop", stream_id)
    assert stream().desired_state == "stopped"
    assert "--watch" in admin.ok("streams", "start", stream_id)
    assert stream().desired_state == "live"
    assert "restarts" in admin.ok("streams", "restart", stream_id)
    assert "Nothing was logged yet" in admin.ok("streams", "log", stream_id)
    assert f"streams edit {stream_id} --source rtmp" in " ".join(admin.ok("streams", "ingest", stream_id).split())
    admin.ok("streams", "edit", stream_id, "--source", "rtmp")
    key = stream().ingest_key
    assert f"Stream key: {stream_id}?key={key}" in admin.ok("streams", "ingest", stream_id)
    assert key not in admin.ok("streams", "show", stream_id, "--json", "all")
    assert key not in admin.ok("streams", "show", stream_id)
    assert admin.json("streams", "show", stream_id, "--json", "ingest_key") == {"ingest_key": key}
    assert admin.refused("streams", "rotate-key", stream_id)[0] == 2, "without a terminal it needs --yes"
    assert stream().ingest_key == key
    admin.ok("streams", "rotate-key", stream_id, "--yes")
    assert stream().ingest_key != key
    admin.ok("streams", "archive", stream_id, "--yes")
    assert stream_id not in admin.ok("streams", "list")
    assert admin.refused("streams", "show", "a/../b")[0] == 4


def test_a_stream_in_trouble_says_why(api: Api, admin: Admin) -> None:
    stream_id = api.live_stream(rate_millipoints_per_minute=60_000)
    api.report(stream_id, RuntimeState.BACKOFF)
    shown = admin.ok("streams", "show", stream_id)
    assert "State:" in shown and "backoff, wanted live" in shown and "worker-1" in shown
    assert "Rate:" in shown and "60 points/min" in shown
    events = admin.ok("events", stream_id, "--open")
    assert "ERROR no_worker, since 2" in events and "expected: a worker" in events and "ERROR no_worker" in shown
    assert admin.json("events", stream_id, "--json", "type,severity") == [{"type": "no_worker", "severity": "error"}]
    assert admin.ok("events", stream_id, "--closed") == f"No issue of {stream_id} is known.\n"


def test_sessions_are_listed_and_kicked(api: Api, admin: Admin) -> None:
    viewer, stream_id = api.user(millipoints=100_000), api.live_stream()
    session_id = api.start(api.login(viewer), stream_id).json()["session_id"]
    assert session_id in admin.ok("sessions", "list")
    (listed,) = admin.json("sessions", "list", "--user", viewer.email, "--json", "session_id,stream_id")
    assert listed == {"session_id": session_id, "stream_id": stream_id}
    status, text = admin.refused("sessions", "list", "--json", "nonsense")
    assert status == 2 and "session_id" in text, "it lists the fields"
    kick = ("sessions", "kick", session_id, "--reason", "two at one seat", "--message", "Please log in again.")
    shown = admin.ok(*kick, "--block", "2h", "--this-stream")
    assert "kicked" in shown and "Please log in again." in shown and f"on {stream_id}" in " ".join(shown.split())
    assert api.start(api.login(viewer), stream_id).json()["code"] == "blocked"
    (block,) = admin.json("blocks", "list", "--user", viewer.email, "--json", "block_id,stream_id,message")
    assert (block["stream_id"], block["message"]) == (stream_id, "Please log in again.")
    assert block["block_id"] in admin.ok("blocks", "list", "--stream", stream_id)
    assert "may start sessions" in admin.ok("blocks", "lift", block["block_id"])
    assert admin.ok("blocks", "list", "--user", viewer.email) == "No viewer is blocked.\n"
    assert api.start(api.login(viewer), stream_id).status_code == 201
    assert admin.refused("sessions", "kick", session_id, "--block", "90s")[0] == 2
    assert admin.refused("sessions", "kick", session_id, "--this-stream")[0] == 2
    assert session_id not in admin.ok("sessions", "list", "--stream", stream_id)
    assert session_id in admin.ok("sessions", "list", "--stream", stream_id, "--ended")
    assert "two at one seat" in admin.ok("audit", columns=300)
    assert admin.refused("sessions", "kick", "a" * 26)[0] == 4
