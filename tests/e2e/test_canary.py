"""The canary on the whole platform: it reports what viewers would see, and where it fails."""

from canary.credentials import read_credentials
from chalicelib.domain.operations.canary import CanaryStep
from tests.e2e.conftest import Platform


def test_the_canary_sees_that_all_works_and_what_does_not(platform: Platform) -> None:
    platform.go_live()
    done = platform.stack.command("run", "infra.local.processes.canary")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    for step in CanaryStep:
        assert f"  {step:<9} ok " in done.stdout
    failed = platform.stack.command("run", "infra.local.processes.canary", "--stream", "no-such-stream")
    assert failed.returncode == 1 and "failed at the step stream" in failed.stdout
    last, before = platform.operator("GET", "/monitoring/canary?limit=2")["items"]
    assert (last["failed_step"], before["is_ok"]) == ("stream", True)
    assert "no-such-stream" in last["failure"]
    # Nothing of a run is left, and its secrets are in its file alone.
    assert platform.operator("GET", "/sessions?state=active")["items"] == []
    layout, secrets = platform.stack.layout, read_credentials(platform.stack.layout.canary_file)
    assert layout.canary_file.stat().st_mode & 0o777 == 0o600
    logs = "".join(path.read_text(errors="replace") for path in layout.log_dir.glob("*.log"))
    assert not {secret for secret in (secrets.password, secrets.service_key) if secret in logs + failed.stdout}
