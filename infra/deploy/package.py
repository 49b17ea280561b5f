"""`python -m infra.deploy.package DIR`: pack the functions for Lambda: `DIR/functions.zip` and `DIR/template.json`."""

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
    """Chalice could not pack the app; the message holds what it printed."""


def package(out: Path) -> Path:
    """Pack the app into `out`; answers the template's path.

    Chalice writes its caches into the project it packs, so it packs a copy. It builds for the Python it runs under.
    """
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        project, packed = Path(scratch) / "project", Path(scratch) / "packed"
        _copy_sources(project)
        command = [str(Path(sys.executable).with_name("chalice")), "package", "--stage", STAGE, str(packed)]
        done = subprocess.run(
            command,
            cwd=project,
            # Packing asks nobody, but Chalice wants a region.
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
    print("packing the functions; the first time this fetches wheels for Lambda …", file=sys.stderr)
    print(package(Path(sys.argv[1] if len(sys.argv) > 1 else "dist")))
