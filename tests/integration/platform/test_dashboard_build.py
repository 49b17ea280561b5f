"""The build of the dashboard: what makes it run, and what is served when it fails. npm and Node are real."""

import json
import subprocess
import sys
import threading
import time

import pytest

from infra.dashboard import build as building
from infra.dashboard.build import DashboardError, build
from infra.dashboard.project import Project
from infra.local.processes.process_groups import running_processes
from tests.fixtures.ports import free_port
from tests.fixtures.waiting import wait_for

# A build that copies its source, beside a second file.
BUILD = (
    "const fs = require('fs'), out = process.argv[process.argv.indexOf('--outDir') + 1];"
    "fs.mkdirSync(out, { recursive: true });"
    "fs.copyFileSync('index.html', out + '/index.html');"
    "require('./last.js');"
    "fs.writeFileSync(out + '/app.js', 'app'.repeat(1000));"
)


@pytest.fixture
def project(tmp_path):
    made = Project(tmp_path)
    (tmp_path / "chalicelib").mkdir()
    (tmp_path / "chalicelib" / "routes.py").write_text("first = 1\n")
    made.admin.mkdir()
    package = {"name": "small", "version": "1.0.0", "scripts": {"build": "node build.js"}}
    lock = {"name": "small", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": package}}
    (made.admin / "package.json").write_text(json.dumps(package))
    (made.admin / "package-lock.json").write_text(json.dumps(lock))
    (made.admin / "build.js").write_text(BUILD)
    (made.admin / "last.js").write_text("")
    (made.admin / "index.html").write_text("first")
    return made


def said(project):
    lines = []
    build(lines.append, project)
    return [line.split(" ")[0] for line in lines]


def served(project):
    return (project.dist / "index.html").read_text()


def test_each_step_runs_only_if_its_input_changed(project):
    assert said(project) == ["installing", "building", "built"]
    assert (served(project), (project.dist / "app.js.gz").stat().st_size < 100) == ("first", True)
    began = time.monotonic()
    assert said(project) == [] and time.monotonic() - began < 0.5
    (project.admin / "index.html").write_text("second")
    assert said(project) == ["building", "built"] and served(project) == "second"
    # Code of the API changed, its document did not.
    (project.root / "chalicelib" / "routes.py").write_text("second = 2\n")
    assert said(project) == [] and project.is_current()
    (project.admin / "package-lock.json").write_text((project.admin / "package-lock.json").read_text() + "\n")
    assert said(project) == ["installing", "building", "built"]
    (project.dist / "index.html").unlink()
    assert said(project) == ["building", "built"]


def test_a_changed_document_of_the_api_builds_again(project, monkeypatch):
    assert said(project) == ["installing", "building", "built"]
    monkeypatch.setattr("chalicelib.api.openapi.document", lambda: {"openapi": "3.1.0"})
    (project.root / "chalicelib" / "routes.py").write_text("second = 2\n")
    assert said(project) == ["building", "built"]


def test_a_build_that_fails_keeps_the_last_one_and_says_why(project):
    said(project)
    (project.admin / "index.html").write_text("second")
    (project.admin / "last.js").write_text("throw new Error('a type is wrong')")
    for _ in range(2):
        with pytest.raises(DashboardError, match="a type is wrong"):
            said(project)
        assert served(project) == "first" and not project.is_current()
    (project.admin / "last.js").write_text("")
    assert said(project) == ["building", "built"] and served(project) == "second"


def test_a_build_that_hangs_ends_with_its_processes(project, monkeypatch):
    said(project)
    monkeypatch.setattr(building, "BUILD_S_MAX", 2.0)
    pid_file = project.root / "pid"
    hang = f"require('fs').writeFileSync({json.dumps(str(pid_file))}, String(process.pid)); for (;;) {{}}"
    (project.admin / "last.js").write_text(hang)
    with pytest.raises(DashboardError, match="longer than 2 s"):
        said(project)
    assert served(project) == "first"
    pid = int(pid_file.read_text())
    wait_for("end of the build", lambda: pid not in {each.pid for each in running_processes()}, 5)


def test_a_registry_that_does_not_answer_is_named(project, monkeypatch):
    lock = json.loads((project.admin / "package-lock.json").read_text())
    lock["packages"][""]["dependencies"] = {"left": "1.0.0"}
    lock["packages"]["node_modules/left"] = {"version": "1.0.0", "integrity": "sha512-" + "A" * 86 + "=="}
    (project.admin / "package-lock.json").write_text(json.dumps(lock))
    (project.admin / "package.json").write_text(json.dumps(lock["packages"][""]))
    monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{free_port()}/")
    monkeypatch.setenv("npm_config_cache", str(project.root / "cache"))
    began = time.monotonic()
    with pytest.raises(DashboardError, match=r"ECONNREFUSED(.|\n)*npm's registry(.|\n)*make up"):
        said(project)
    assert time.monotonic() - began < 20


def test_two_builds_at_once_build_once(project):
    lines, failed = [], []

    def run():
        try:
            build(lines.append, project)
        except DashboardError as error:
            failed.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed and len([line for line in lines if line.startswith("built")]) == 1


def test_a_wrong_command_is_refused():
    done = subprocess.run([sys.executable, "-m", "infra.dashboard", "sell"], capture_output=True, text=True)
    assert (done.returncode, "usage:" in done.stderr) == (2, True)
