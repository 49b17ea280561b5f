"""A stream in lines for people: what really happens, and its settings."""

from collections.abc import Iterable
from typing import Any

from player.terminal.formats import clock
from player.terminal.text import printable, wrapped
from tollcast_admin.display.fields import field_lines
from tollcast_admin.display.values import bits_of, counted, when_of
from tollcast_admin.streams.issues import issue_lines
from tollcast_admin.streams.settings import setting_text

MS_PER_S = 1000
SETTING_NAMES = {
    "Source": "ingest",
    "Backups": "backups",
    "Slate": "slate",
    "Profile": "abr_profile",
    "Renditions": "custom_renditions",
    "Latency": "latency",
    "Segments": "segment_seconds",
    "Window": "window_minutes",
    "Rate": "rate_millipoints_per_minute",
    "Lease": "lease_ms",
    "Viewers max": "viewers_max",
    "Binding": "session_binding",
    "Frozen after": "frozen_after_s",
}
UNITS = {"segment_seconds": " s", "window_minutes": " minutes", "frozen_after_s": " s"}
ZERO_WORDS = {"viewers_max": "no limit", "frozen_after_s": "off"}


def stream_lines(stream: dict[str, Any], runtime: dict[str, Any], viewers: str, width: int) -> list[str]:
    """Return a stream: what it is, what happens, and its settings."""
    heading = [
        ("Stream", stream["stream_id"]),
        ("Title", stream["title"]),
        ("State", state_text(stream, runtime)),
        ("Viewers", viewers),
        ("Version", str(stream["version"])),
    ]
    settings = [(label, _setting(stream, name)) for label, name in SETTING_NAMES.items()]
    if stream["abr_profile"] != "custom":
        settings = [(label, value) for label, value in settings if label != "Renditions"]
    parts = [field_lines([*heading, *runtime_fields(runtime)], width), *_lists(runtime, width)]
    if issues := issue_lines(runtime["issues"], width - 2):
        parts.insert(1, ["Open issues, newest first:", *(f"  {line}" for line in issues)])
    lines: list[str] = []
    for part in (*parts, ["Settings:", *(f"  {line}" for line in field_lines(settings, width - 2))]):
        lines += [*([""] if lines and part else []), *part]
    return lines


def state_text(stream: dict[str, Any], runtime: dict[str, Any]) -> str:
    """Return the state, what was asked for if that differs, and why."""
    state, wanted = runtime["state"], stream["desired_state"]
    is_as_wanted = state == wanted or (state == "stopped" and wanted == "paused")
    text = state if is_as_wanted and wanted != "paused" else f"{state}, wanted {wanted}"
    return f"{text} ({runtime['waiting'].replace('_', ' ')})" if runtime.get("waiting") else text


def runtime_fields(runtime: dict[str, Any]) -> list[tuple[str, str | None]]:
    """Return what the worker reports; the fields that it did not report are left out."""
    age_ms, rate, speed = runtime["manifest_age_ms"], runtime["segments_per_minute"], runtime["speed"]
    is_running = runtime["worker_id"] is not None
    restarts = f"{counted(runtime['restarts'], 'restart')}, {counted(runtime['dropped_frames'], 'dropped frame')}"
    ingest_bps, bps = runtime["ingest_bitrate_bps"], runtime["bitrate_bps"]
    return [
        ("Error", runtime["last_error"]),
        ("Playing", runtime["source"] if is_running else None),
        ("Worker", runtime["worker_id"]),
        ("Newest media", f"{age_ms / MS_PER_S:.1f} s old" if age_ms is not None else None),
        ("Bitrate", f"{bits_of(bps)} out, {bits_of(ingest_bps)} in" if is_running and (bps or ingest_bps) else None),
        ("Encoder", _encoder(runtime["fps"], speed, rate) if is_running else None),
        ("Counts", restarts if is_running else None),
    ]


def _encoder(fps: float | None, speed: float | None, segments_per_minute: float | None) -> str | None:
    parts = [
        f"{fps:g} fps" if fps is not None else None,
        f"{speed:.2f} times real time" if speed is not None else None,
        f"{segments_per_minute:g} segments/min" if segments_per_minute is not None else None,
    ]
    return ", ".join(part for part in parts if part) or None


def _setting(stream: dict[str, Any], name: str) -> str | None:
    if name not in stream:
        return None
    value = stream[name]
    if value == 0 and name in ZERO_WORDS:
        return ZERO_WORDS[name]
    return setting_text(name, value) + UNITS.get(name, "")


def _lists(runtime: dict[str, Any], width: int) -> Iterable[list[str]]:
    tracks = [_track(each) for each in runtime.get("tracks") or []]
    outages = [
        f"{when_of(each['since_ms'])}, " + (_lasted(each) if each["until_ms"] else "goes on")
        for each in reversed(runtime.get("outages") or [])
    ]
    repairs = [f"{name.replace('_', ' ')}: {value}" for name, value in (runtime.get("repairs") or {}).items() if value]
    for name, texts in (("Tracks", tracks), ("Repaired in this run", repairs), ("Outages, newest first", outages)):
        if texts:
            yield [f"{name}:", *(f"  {line}" for text in texts for line in wrapped(printable(text), width - 2))]


def _lasted(outage: dict[str, Any]) -> str:
    return f"{clock((outage['until_ms'] - outage['since_ms']) / MS_PER_S)} long"


def _track(track: dict[str, Any]) -> str:
    words = [
        f"{track['kind']} {track['track']}",
        f"programme {track['program']}" if track["program"] is not None else "",
        track["codec"],
        track["details"],
        track["language"] or "",
        track["title"] or "",
        "played" if track["is_played"] else "",
    ]
    return ", ".join(word for word in words if word)
