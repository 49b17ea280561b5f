"""Where everything of one local platform lies, and the environment of its processes.

One state directory is one platform: its state, sockets, ports and process ids all derive from here, so two of them
(a developer's and a test's) never touch each other.
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

# It opens nothing but the emulator on this machine, which takes any other as well, so it is no secret.
ACCESS_KEY = "tollcastlocal"
SECRET_KEY = "tollcast-local-only"  # nosec B105
REGION = "us-east-1"
# The services' own settings that whoever starts a platform may choose; chalicelib/config.py says what they allow.
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
# Everybody's, so what we make there has to be ours alone, see `make_directories`.
_SHORT_DIR = "/tmp"  # nosec B108
_UNSAFE = re.compile(r"[%;$\\\"'\x00-\x1f]")


class LayoutError(Exception):
    """The platform cannot be laid out so; the message says what to change."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The places and ports of one local platform."""

    state_dir: Path
    port: int
    emulator_port: int
    rtmp_port: int = RTMP_PORT_DEFAULT
    stage: str = STAGE_DEFAULT
    # Where it is not derived from the state directory: containers share one under a name that they know.
    shared_run_dir: Path | None = None

    @property
    def name(self) -> str:
        """Short and the same for the same state directory; marks what belongs to this platform."""
        return hashlib.sha256(str(self.state_dir).encode()).hexdigest()[:10]

    @property
    def run_dir(self) -> Path:
        """Sockets and process ids. Under /tmp, since a socket's path is limited to 108 bytes."""
        return self.shared_run_dir or Path(_SHORT_DIR) / f"tollcast-{os.getuid()}-{self.name}"

    @property
    def log_dir(self) -> Path:
        """The log of each part."""
        return self.state_dir / "log"

    @property
    def emulator_dir(self) -> Path:
        """The emulator's tables, queues and objects."""
        return self.state_dir / "emulator"

    @property
    def denylist_dir(self) -> Path:
        """What the gateway refuses at once: a file an entry."""
        return self.state_dir / "denylist"

    @property
    def media_dir(self) -> Path:
        """The only place that `file` sources are read from."""
        return self.state_dir / "media"

    @property
    def work_dir(self) -> Path:
        """What ffmpeg writes before it is uploaded."""
        return self.state_dir / "work"

    @property
    def nginx_dir(self) -> Path:
        """nginx's configuration, caches and temporary files."""
        return self.state_dir / "nginx"

    @property
    def ingest_dir(self) -> Path:
        """The configuration and temporary files of the nginx that takes what senders send."""
        return self.state_dir / "ingest"

    @property
    def usage_dir(self) -> Path:
        """How far the gateway's log is added up."""
        return self.state_dir / "usage"

    @property
    def url(self) -> str:
        """What viewers and operators open."""
        return f"http://{HOST}:{self.port}"

    @property
    def rtmp_url(self) -> str:
        """Where senders connect, and the worker."""
        return rtmp_server(HOST, self.rtmp_port)

    @property
    def emulator_url(self) -> str:
        """What the AWS SDK is pointed at."""
        return f"http://{HOST}:{self.emulator_port}"

    @property
    def worker_id(self) -> str:
        """The one worker of this platform."""
        return f"local-{self.name}"

    def socket(self, part: str) -> Path:
        """The unix socket of a part."""
        return self.run_dir / f"{part}.sock"

    def make_directories(self) -> None:
        """Make what is missing; raises `LayoutError` where a directory is not ours alone."""
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
        # /tmp is everybody's: somebody else may have put a directory or a link of this name there first.
        found = self.run_dir.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise LayoutError(f"{self.run_dir} must be a directory of yours with mode 0700; remove it and try again")


def layout_from(environ: Mapping[str, str]) -> Layout:
    """The layout that TOLLCAST_STATE_DIR and the three variables of ports ask for, else the defaults."""
    state_dir = Path(environ.get("TOLLCAST_STATE_DIR") or ROOT / ".local")
    if _UNSAFE.search(str(state_dir)):
        raise LayoutError(
            f"TOLLCAST_STATE_DIR is {str(state_dir)!r}; nginx and supervisord cannot take % ; $ \\ or quotes"
        )
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
        raise LayoutError(f"{name} is {text!r}; allowed: a port from 1 to 65535")
    return int(text)


def environment(layout: Layout, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of every part: the caller's without any AWS settings of their own, plus the platform's."""
    inherited = {key: value for key, value in environ.items() if not key.startswith(("AWS_", "TOLLCAST_"))}
    chosen = {name: environ[name] for name in CHOOSABLE if environ.get(name)}
    own_bin = str(Path(sys.executable).parent)
    return {
        **inherited,
        **aws_environment(layout.emulator_url),
        **service_environment(layout.stage),
        **chosen,
        "PATH": os.pathsep.join([own_bin, inherited.get("PATH", os.defpath), "/usr/sbin"]),
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
        # What only infra/local/supervisord.conf reads.
        "TOLLCAST_RUN_DIR": str(layout.run_dir),
        "TOLLCAST_USER": pwd.getpwuid(os.getuid()).pw_name,
    }


def aws_environment(endpoint: str) -> dict[str, str]:
    """The SDK's standard variables for the emulator, shielding the user's own profiles from it and it from them."""
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
    """What `chalicelib.config` reads, for a stage of this name in the emulator."""
    return {
        "TOLLCAST_STAGE": stage,
        "TOLLCAST_MEDIA_BUCKET": f"tollcast-{stage}-media",
        "TOLLCAST_WORK_QUEUE": f"tollcast-{stage}-work",
        "TOLLCAST_TOKEN_SECRET": f"tollcast-{stage}-tokens",
        "TOLLCAST_PUBLIC_URL": f"http://{HOST}:{PORT_DEFAULT}",
        "TOLLCAST_SESSIONS_PER_USER_MAX": "3",
        # Here all come from one address, and a load test is one user: what has no bounds in practice.
        "TOLLCAST_LOGIN_ADDRESS_LIMIT": "100000+1/1s",
        "TOLLCAST_START_LIMIT": "100000+1/1s",
        "TOLLCAST_RTMP_PORT": str(RTMP_PORT_DEFAULT),
    }
