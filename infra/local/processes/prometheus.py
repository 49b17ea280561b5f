"""Become Debian's Prometheus with the alert rules, reading the platform's metrics with a service key of its own."""

import os
import shutil
import sys
from pathlib import Path

from chalicelib.bootstrap import Container, container
from chalicelib.domain.access.service_keys import Scope, parse_token
from chalicelib.domain.errors import DomainError
from chalicelib.domain.operations.audit import Actor
from infra.local.layout import HOST, ROOT, Layout, layout_from

RULES = ROOT / "infra" / "monitoring" / "rules.yml"
KEY_DAYS = 400
SCRAPE_S = 5
KEPT = ("30d", "1GB")


def configuration(layout: Layout, rules: Path, *, scrape_s: int = SCRAPE_S) -> str:
    """Return Prometheus's configuration. JSON is YAML too, but a text is easier to look at."""
    return f"""global:
  scrape_interval: {scrape_s}s
  evaluation_interval: {scrape_s}s
rule_files: ["{rules}"]
scrape_configs:
  - job_name: tollcast
    metrics_path: /monitoring/metrics
    authorization: {{credentials_file: "{key_file(layout)}"}}
    static_configs: [{{targets: ["{HOST}:{layout.port}"]}}]
"""


def key_file(layout: Layout) -> Path:
    """Return the path of the service key."""
    return layout.prometheus_dir / "service.key"


def ensure_key(services: Container, path: Path) -> None:
    """Create a service key for metrics unless the file has one that is accepted."""
    token = path.read_text() if path.exists() else ""
    try:
        parse_token(token)
        services.service_keys.authenticate(token, Scope.METRICS)
    except DomainError:
        actor = Actor(user_id="local:prometheus", ip=HOST)
        made = services.service_keys.create("prometheus", [Scope.METRICS], KEY_DAYS, by=actor)
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(made.token)


def command(layout: Layout, config: Path, port: int) -> list[str]:
    """Return Prometheus's command line. It listens on this machine only."""
    program = shutil.which("prometheus")
    if program is None:
        sys.exit("Prometheus is not installed: sudo apt-get install prometheus")
    days, size = KEPT
    return [
        program,
        f"--config.file={config}",
        f"--storage.tsdb.path={layout.prometheus_dir / 'data'}",
        f"--storage.tsdb.retention.time={days}",
        f"--storage.tsdb.retention.size={size}",
        f"--web.listen-address={HOST}:{port}",
        "--log.level=warn",
    ]


def main() -> None:
    """Become Prometheus. Never return."""
    layout = layout_from(os.environ)
    config = layout.prometheus_dir / "prometheus.yml"
    argv = command(layout, config, layout.prometheus_port)
    ensure_key(container(), key_file(layout))
    config.write_text(configuration(layout, RULES))
    os.execv(argv[0], argv)


if __name__ == "__main__":
    main()
