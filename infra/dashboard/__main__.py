"""Build, check and serve the dashboard: `python -m infra.dashboard build|check|test|document|serve`."""

import os
import signal
import sys

from chalicelib.config import ConfigError
from infra.dashboard.build import (
    NPM,
    THIS,
    DashboardError,
    build,
    install_packages,
    run_script,
    write_document,
)
from infra.local import stack
from infra.local.layout import HOST, layout_from

USAGE = "usage: python -m infra.dashboard build|check|test|document|serve"


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


def check() -> None:
    """Check the types against the API's document. Raise `DashboardError`."""
    install_packages(say)
    run_script("types")
    run_script("check")


def serve() -> None:
    """Become Vite's server, which rebuilds changed files, over the running platform. Raise `DashboardError`."""
    install_packages(say)
    run_script("types")
    layout = layout_from(os.environ)
    port, url = layout.dashboard_port, stack.recorded(layout).url
    say(f"The dashboard is at http://{HOST}:{port}/admin/, over the platform at {url}.")
    os.environ["TOLLCAST_PORT"] = str(stack.recorded(layout).port)
    os.environ["PATH"] = os.pathsep.join([str(NPM.parent), os.environ.get("PATH", os.defpath)])
    os.chdir(THIS.admin)
    command = str(NPM)
    os.execv(command, [command, "run", "--silent", "dev", "--", "--host", HOST, "--port", str(port), "--strictPort"])


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def main(arguments: list[str]) -> int:
    """Run the command line. Return 0 on success, 1 on failure, 2 for a wrong command, 130 after an interruption."""
    signal.signal(signal.SIGTERM, _interrupted)
    commands = {
        "build": lambda: build(say),
        "check": check,
        "test": lambda: run_script("test", "--", "--passWithNoTests"),
        "document": write_document,
        "serve": serve,
    }
    if len(arguments) != 1 or arguments[0] not in commands:
        print(USAGE, file=sys.stderr)
        return 2
    try:
        commands[arguments[0]]()
    except (DashboardError, ConfigError, OSError) as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
