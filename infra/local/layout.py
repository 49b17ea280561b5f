"""The paths and ports of one local platform, and the environment of its processes.

One state directory is one platform. Its sockets, ports and process ids derive from here, so two platforms (a
developer's and a test's) do not affect each other.
"""

import hashlib
import os
import pwd
import re
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from chalicelib.domain.streams.ingest import rtmp_server

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
PORT_DEFAULT = 8080
EMULATOR_PORT_DEFAULT = 4566
RTMP_PORT_DEFAULT = 1935
STAGE_DEFAULT = "local"

# The emulator on this machine accepts any key, so this one is no secret.
ACCESS_KEY = "tollcastlocal"
SECRET_KEY = "tollcast-local-only"  # nosec B105
REGION = "us-east-1"
# Settings of the services that are taken from the caller's environment. chalicelib/config.py has their allowed values.
CHOOSABLE = (
    "TOLLCAST_SESSIONS_PER_USER_MAX",
    "TOLLCAST_LOGIN_LIMIT",
    "TOLLCAST_LOGIN_ADDRESS_LIMIT",
    "TOLLCAST_START_LIMIT",
    "TOLLCAST_ADDRESS_DAYS",
    "TOLLCAST_INGEST_HOST",
    "TOLLCAST_INGEST_NETWORKS",
    "TOLLCAST_INGEST_PORTS",
    "TOLLCAST_LISTEN_HOST",
)
# Other users can write here, so `make_directories` checks who owns our directory in it.
_SHORT_DIR = "/tmp"  # nosec B108
_UNSAFE = re.compile(r"[%;$\\\"'\x00-\x1f]")


class LayoutError(Exception):
    """A path or port cannot be used. The message says what to change."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The paths and ports of one local platform."""

    state_dir: Path
    port: int
    emulator_port: int
    rtmp_port: int = RTMP_PORT_DEFAULT
    stage: str = STAGE_DEFAULT
    # Set where it does not derive from the state directory: containers share one directory.
    shared_run_dir: Path | None = None

    @property
    def name(self) -> str:
        """A short name that derives from the state directory and marks the platform's resources."""
        return hashlib.sha256(str(self.state_dir).encode()).hexdigest()[:10]

    @property
    def run_dir(self) -> Path:
        """The directory of sockets and process ids. It is in /tmp, since a socket's path has at most 108 bytes."""
        return self.shared_run_dir or Path(_SHORT_DIR) / f"tollcast-{os.getuid()}-{self.name}"

    @property
    def log_dir(self) -> Path:
        """The directory of the parts' logs."""
        return self.state_dir / "log"

    @property
    def emulator_dir(self) -> Path:
        """The directory of the emulator's tables, queues and objects."""
        return self.state_dir / "emulator"

    @property
    def denylist_dir(self) -> Path:
        """The gateway's denylist, one file for each entry."""
        return self.state_dir / "denylist"

    @property
    def media_dir(self) -> Path:
        """The only directory that `file` sources are read from."""
        return self.state_dir / "media"

    @property
    def work_dir(self) -> Path:
        """The directory of segments before their upload."""
        return self.state_dir / "work"

    @property
    def nginx_dir(self) -> Path:
        """The gateway's configuration, caches and temporary files."""
        return self.state_dir / "nginx"

    @property
    def ingest_dir(self) -> Path:
        """The configuration and temporary files of the nginx that receives what senders publish."""
        return self.state_dir / "ingest"

    @property
    def usage_dir(self) -> Path:
        """The checkpoint of the follower of the gateway's log."""
        return self.state_dir / "usage"

    @property
    def url(self) -> str:
        """The address for viewers and operators."""
        return f"http://{HOST}:{self.port}"

    @property
    def rtmp_url(self) -> str:
        """The address for senders and the worker."""
        return rtmp_server(HOST, self.rtmp_port)

    @property
    def emulator_url(self) -> str:
        """The endpoint for the AWS SDK."""
        return f"http://{HOST}:{self.emulator_port}"

    @property
    def worker_id(self) -> str:
        """The id of this platform's worker."""
        return f"local-{self.name}"

    def socket(self, part: str) -> Path:
        """Return the path of a part's unix socket."""
        return self.run_dir / f"{part}.sock"

    def make_directories(self) -> None:
        """Create missing directories. Raises `LayoutError` if other users can use the run directory."""
        for path in (
            self.log_dir,
            self.emulator_dir,
            self.denylist_dir,
            self.media_dir,
            self.work_dir,
            self.nginx_dir,
            self.ingest_dir,
            self.usage_dir,
        ):
            path.mkdir(parents=True, exist_ok=True)
        self.run_dir.mkdir(mode=0o700, exist_ok=True)
        # Another user may have created a directory or a link of this name in /tmp.
        found = self.run_dir.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise LayoutError(f"{self.run_dir} must be a directory of yours with mode 0700. Remove it and try again.")


def layout_from(environ: Mapping[str, str]) -> Layout:
    """Return the layout that TOLLCAST_STATE_DIR and the three variables of ports set, with defaults for the others."""
    state_dir = Path(environ.get("TOLLCAST_STATE_DIR") or ROOT / ".local")
    if _UNSAFE.search(str(state_dir)):
        raise LayoutError(f"TOLLCAST_STATE_DIR is {str(state_dir)!r}. Use a path without % ; $ \\ and quotes.")
    run_dir = environ.get("TOLLCAST_RUN_DIR")
    return Layout(
        state_dir=state_dir.expanduser().resolve(),
        port=_port(environ, "TOLLCAST_PORT", PORT_DEFAULT),
        emulator_port=_port(environ, "TOLLCAST_EMULATOR_PORT", EMULATOR_PORT_DEFAULT),
        rtmp_port=_port(environ, "TOLLCAST_RTMP_PORT", RTMP_PORT_DEFAULT),
        shared_run_dir=Path(run_dir) if run_dir else None,
    )


def _port(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise LayoutError(f"{name} is {text!r}. Set it to a port from 1 to 65535.")
    return int(text)


def environment(layout: Layout, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of every part: the caller's without its AWS settings, plus the platform's."""
    inherited = {key: value for key, value in environ.items() if not key.startswith(("AWS_", "TOLLCAST_"))}
    chosen = {name: environ[name] for name in CHOOSABLE if environ.get(name)}
    python_bin = str(Path(sys.executable).parent)
    return {
        **inherited,
        **aws_environment(layout.emulator_url),
        **service_environment(layout.stage),
        **chosen,
        "PATH": os.pathsep.join([python_bin, inherited.get("PATH", os.defpath), "/usr/sbin"]),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "TOLLCAST_STATE_DIR": str(layout.state_dir),
        "TOLLCAST_PORT": str(layout.port),
        "TOLLCAST_EMULATOR_PORT": str(layout.emulator_port),
        "TOLLCAST_PUBLIC_URL": layout.url,
        "TOLLCAST_RTMP_PORT": str(layout.rtmp_port),
        "TOLLCAST_RTMP_URL": layout.rtmp_url,
        "TOLLCAST_DENYLIST_DIR": str(layout.denylist_dir),
        "TOLLCAST_MEDIA_DIR": str(layout.media_dir),
        "TOLLCAST_WORK_DIR": str(layout.work_dir),
        "TOLLCAST_WORKER_ID": layout.worker_id,
        # Only infra/local/supervisord.conf reads these.
        "TOLLCAST_RUN_DIR": str(layout.run_dir),
        "TOLLCAST_USER": pwd.getpwuid(os.getuid()).pw_name,
    }


def aws_environment(endpoint: str) -> dict[str, str]:
    """Return the SDK's standard variables for the emulator. They switch the user's profiles off."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def service_environment(stage: str) -> dict[str, str]:
    """Return the settings that `chalicelib.config` reads, for a stage of this name in the emulator."""
    return {
        "TOLLCAST_STAGE": stage,
        "TOLLCAST_MEDIA_BUCKET": f"tollcast-{stage}-media",
        "TOLLCAST_WORK_QUEUE": f"tollcast-{stage}-work",
        "TOLLCAST_TOKEN_SECRET": f"tollcast-{stage}-tokens",
        "TOLLCAST_PUBLIC_URL": f"http://{HOST}:{PORT_DEFAULT}",
        "TOLLCAST_SESSIONS_PER_USER_MAX": "3",
        # All local requests have one address, and a load test is one user, so these limits are too high to reach.
        "TOLLCAST_LOGIN_ADDRESS_LIMIT": "100000+1/1s",
        "TOLLCAST_START_LIMIT": "100000+1/1s",
        "TOLLCAST_RTMP_PORT": str(RTMP_PORT_DEFAULT),
    }
