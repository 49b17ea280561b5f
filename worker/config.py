"""The worker's settings, beside those of `chalicelib.config`. Nothing else in `worker/` reads the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from chalicelib.settings_table import Part, read
from worker.egress_rules import EgressRules


@dataclass(frozen=True, kw_only=True)
class WorkerConfig:
    """The worker's id, how many streams it may run, and where it reads and writes."""

    worker_id: str
    capacity: int
    media_dir: Path
    work_dir: Path
    rtmp_url: str | None
    listen_host: str
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
    values = read(Part.WORKER, env)
    ffmpeg_environ = {"PATH": env.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    return WorkerConfig(capacity=values.pop("worker_capacity"), ffmpeg_environ=ffmpeg_environ, **values)
