"""Package the functions for Lambda: `python -m infra.deploy.package DIR` writes `functions.zip` and `template.json`."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from infra.deploy.template import parametrized

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("app.py", "chalicelib", "requirements.txt", ".chalice")
STAGE = "package"
PACKAGE_TIMEOUT_S = 300


class PackageFailed(Exception):
    """Chalice failed. The message is its output."""


def package(out: Path) -> Path:
    """Package the app into `out`. Return the template's path.

    Chalice writes caches into its project, so it packages a copy. It builds for the Python version that runs it.
    """
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        project, packed = Path(scratch) / "project", Path(scratch) / "packed"
        _copy_sources(project)
        command = [str(Path(sys.executable).with_name("chalice")), "package", "--stage", STAGE, str(packed)]
        done = subprocess.run(
            command,
            cwd=project,
            # Packaging sends no request, but Chalice requires a region.
            env={**os.environ, "AWS_DEFAULT_REGION": "us-east-1"},
            capture_output=True,
            text=True,
            timeout=PACKAGE_TIMEOUT_S,
            check=False,
        )
        if done.returncode:
            raise PackageFailed(done.stdout + done.stderr)
        shutil.copy(packed / "deployment.zip", out / "functions.zip")
        template = parametrized(json.loads((packed / "sam.json").read_text()))
    path = out / "template.json"
    path.write_text(json.dumps(template, indent=1) + "\n")
    return path


def _copy_sources(project: Path) -> None:
    project.mkdir()
    ignore = shutil.ignore_patterns("__pycache__", "deployments", "deployed")
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, project / name, ignore=ignore)
        else:
            shutil.copy(source, project / name)


if __name__ == "__main__":
    print("Packaging the functions. The first run downloads wheels for Lambda …", file=sys.stderr)
    print(package(Path(sys.argv[1] if len(sys.argv) > 1 else "dist")))
