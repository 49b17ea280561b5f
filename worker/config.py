"""The worker's settings, beside those of `chalicelib.config`. Nothing else in `worker/` reads the environment."""

import ipaddress
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from chalicelib.config import ConfigError
from worker.egress_rules import EgressRules

CAPACITY_DEFAULT = 4
CAPACITY_MAX = 64
# Reachable from this machine only, unless the operator changes it.
LISTEN_HOST_DEFAULT = "127.0.0.1"
RTMP_URL = re.compile(r"rtmp://[A-Za-z0-9.-]+:[0-9]{1,5}/live")
WORKER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


@dataclass(frozen=True, kw_only=True)
class WorkerConfig:
    """The worker's id, how many streams it may run, and where it reads and writes."""

    # A restarted worker of the same id reclaims its streams at once; two at a time would steal them from each other.
    worker_id: str
    capacity: int
    # The only place that `file` sources are read from.
    media_dir: Path
    # What runs write before it is uploaded: some seconds of every stream. A tmpfs is best.
    work_dir: Path
    # Where streams that listen for RTMP are played from, without the stream: `rtmp://HOST:PORT/live`.
    rtmp_url: str | None = None
    # The address at which streams that listen for SRT are reached; 0.0.0.0 is every one of this machine.
    listen_host: str = LISTEN_HOST_DEFAULT
    # Where pulled sources may be.
    egress: EgressRules = field(default_factory=EgressRules)
    # The whole environment of receivers and encoders: no credentials, no endpoints.
    ffmpeg_environ: Mapping[str, str]

    @property
    def scratch_dir(self) -> Path:
        """Return the worker's part of the work directory. It is emptied at the start."""
        return self.work_dir / self.worker_id

    @property
    def heartbeat_file(self) -> Path:
        """Return the file that the main loop touches; `python -m worker.health` reads its age."""
        return self.work_dir / f"{self.worker_id}.alive"


def load(environ: Mapping[str, str] | None = None) -> WorkerConfig:
    """Return the settings from the environment. Raise `ConfigError`."""
    env = os.environ if environ is None else environ
    worker_id = env.get("TOLLCAST_WORKER_ID") or socket.gethostname()
    if not WORKER_ID.fullmatch(worker_id):
        raise ConfigError(f"TOLLCAST_WORKER_ID is {worker_id!r}; allowed: 1 to 63 letters, digits, dots, - and _")
    return WorkerConfig(
        worker_id=worker_id,
        capacity=_capacity(env),
        media_dir=_directory(env, "TOLLCAST_MEDIA_DIR"),
        work_dir=_directory(env, "TOLLCAST_WORK_DIR"),
        rtmp_url=_rtmp_url(env),
        listen_host=_listen_host(env),
        ffmpeg_environ={"PATH": env.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
    )


def _capacity(env: Mapping[str, str]) -> int:
    text = env.get("TOLLCAST_WORKER_CAPACITY") or str(CAPACITY_DEFAULT)
    if not text.isdecimal() or not 1 <= int(text) <= CAPACITY_MAX:
        raise ConfigError(f"TOLLCAST_WORKER_CAPACITY is {text!r}; allowed: a whole number from 1 to {CAPACITY_MAX}")
    return int(text)


def _rtmp_url(env: Mapping[str, str]) -> str | None:
    text = env.get("TOLLCAST_RTMP_URL") or None
    if text is not None and not RTMP_URL.fullmatch(text):
        raise ConfigError(f"TOLLCAST_RTMP_URL is {text!r}; allowed: rtmp://HOST:PORT/live, or nothing")
    return text


def _listen_host(env: Mapping[str, str]) -> str:
    text = env.get("TOLLCAST_LISTEN_HOST") or LISTEN_HOST_DEFAULT
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise ConfigError(f"TOLLCAST_LISTEN_HOST is {text!r}; allowed: an IPv4 address of this machine") from None


def _directory(env: Mapping[str, str], name: str) -> Path:
    text = env.get(name, "")
    # FFmpeg takes a per cent sign in the name of an output for a pattern.
    if not text or not Path(text).is_absolute() or "%" in text:
        raise ConfigError(f"{name} is {text!r}; it must be the absolute path of a directory, without %")
    return Path(text)
