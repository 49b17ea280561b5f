"""The paths and ports of one local platform, and the environment of its processes.

One state directory is one platform. Its sockets, ports and process ids derive from here, so two platforms (a
developer's and a test's) do not affect each other.
"""

import hashlib
import os
import pwd
import stat
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from chalicelib.domain.streams.ingest import rtmp_server
from chalicelib.setting_types import PREFIX, ConfigError
from chalicelib.settings_table import SETTINGS, Part, read

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"

# The emulator on this machine accepts any key, so this one is no secret.
ACCESS_KEY = "tollcastlocal"
SECRET_KEY = "tollcast-local-only"  # nosec B105
REGION = "us-east-1"
# Other users can write here, so `make_directories` checks who owns our directory in it.
_SHORT_DIR = "/tmp"  # nosec B108


class StateDirectory:
    """A directory in the state directory."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, layout: "Layout", _: object) -> Path:
        return layout.state_dir / self._name


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The paths and ports of one local platform."""

    state_dir: Path
    port: int
    emulator_port: int
    rtmp_port: int
    # Used with `make up WITH=prometheus` only.
    prometheus_port: int = 9090
    # Used with `make admin` only.
    dashboard_port: int = 5173
    stage: str = "local"
    # Set in containers, which share a directory; elsewhere these paths derive from the state directory.
    shared_run_dir: Path | None = None
    shared_access_log: Path | None = None

    denylist_dir = StateDirectory("denylist")
    emulator_dir = StateDirectory("emulator")
    ingest_dir = StateDirectory("ingest")
    log_dir = StateDirectory("log")
    media_dir = StateDirectory("media")
    nginx_dir = StateDirectory("nginx")
    prometheus_dir = StateDirectory("prometheus")
    usage_dir = StateDirectory("usage")
    work_dir = StateDirectory("work")

    @property
    def name(self) -> str:
        """A short name that derives from the state directory and marks the platform's resources."""
        return hashlib.sha256(str(self.state_dir).encode()).hexdigest()[:10]

    @property
    def run_dir(self) -> Path:
        """The directory of sockets and process ids. It is in /tmp, since a socket's path has at most 108 bytes."""
        return self.shared_run_dir or Path(_SHORT_DIR) / f"tollcast-{os.getuid()}-{self.name}"

    @property
    def access_log(self) -> Path:
        """The log of the gateway's requests."""
        return self.shared_access_log or self.log_dir / "access.log"

    @property
    def url(self) -> str:
        """The address for viewers and operators."""
        return f"http://{HOST}:{self.port}"

    @property
    def rtmp_url(self) -> str:
        """The address for senders and the worker."""
        return rtmp_server(HOST, self.rtmp_port)

    @property
    def prometheus_url(self) -> str:
        """The address of Prometheus, where it runs."""
        return f"http://{HOST}:{self.prometheus_port}"

    @property
    def canary_file(self) -> Path:
        """The credentials of the canary, once it was used."""
        return self.state_dir / "canary.json"

    @property
    def emulator_url(self) -> str:
        """The endpoint for the AWS SDK."""
        return f"http://{HOST}:{self.emulator_port}"

    @property
    def worker_id(self) -> str:
        """The id of this platform's worker."""
        return f"local-{self.name}"

    @property
    def user(self) -> str:
        """The user of the parts."""
        return pwd.getpwuid(os.getuid()).pw_name

    def socket(self, part: str) -> Path:
        """Return the path of a part's unix socket."""
        return self.run_dir / f"{part}.sock"

    def make_directories(self) -> None:
        """Create missing directories. Raise `ConfigError` if other users can use the run directory."""
        for name, attribute in vars(Layout).items():
            if isinstance(attribute, StateDirectory):
                getattr(self, name).mkdir(parents=True, exist_ok=True)
        self.run_dir.mkdir(mode=0o700, exist_ok=True)
        # Another user may have created a directory or a link of this name in /tmp.
        found = self.run_dir.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise ConfigError(f"{self.run_dir} must be a directory of yours with mode 0700. Remove it and try again.")


def layout_from(environ: Mapping[str, str]) -> Layout:
    """Return the layout that the local settings of the environment describe. Raise `ConfigError`."""
    values = read(Part.LOCAL, environ)
    return Layout(
        state_dir=values["state_dir"].expanduser().resolve(),
        port=values["port"],
        emulator_port=values["emulator_port"],
        rtmp_port=values["rtmp_port"],
        prometheus_port=values["prometheus_port"],
        dashboard_port=values["dashboard_port"],
        shared_run_dir=values["run_dir"],
        shared_access_log=values["access_log"],
    )


def environment(layout: Layout, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of every part: the caller's without its AWS settings, plus the platform's."""
    inherited = {key: value for key, value in environ.items() if not key.startswith(("AWS_", PREFIX))}
    choosable = [each.name for part in Part for each in SETTINGS[part] if each.is_choosable]
    python_bin = str(Path(sys.executable).parent)
    return {
        **inherited,
        **aws_environment(layout.emulator_url),
        **local_settings(layout),
        **{name: environ[name] for name in choosable if environ.get(name)},
        "PATH": os.pathsep.join([python_bin, inherited.get("PATH", os.defpath), "/usr/sbin"]),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }


def local_settings(layout: Layout, parts: Iterable[Part] = Part) -> dict[str, str]:
    """Return the settings that the platform sets for these readers."""
    return {each.name: each.local.format(layout=layout) for part in parts for each in SETTINGS[part] if each.local}


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
