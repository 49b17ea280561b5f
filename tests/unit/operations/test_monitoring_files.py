"""Alert rules, their tests, the dashboard and the runbooks: they name only what is exported, and none is missing."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from chalicelib.domain.operations.metric_catalogue import CATALOGUE
from tests.alarms.causes import CAUSES
from tests.alarms.lab import shortened

ROOT = Path(__file__).resolve().parents[3]
MONITORING = ROOT / "infra" / "monitoring"
RULES = [rule for group in yaml.safe_load((MONITORING / "rules.yml").read_text())["groups"] for rule in group["rules"]]
PANELS = json.loads((MONITORING / "dashboard.json").read_text())["panels"]
QUERIES = [target["expr"] for panel in PANELS for target in panel["targets"]]
EXPORTED = {name: metric for metric in CATALOGUE for name in metric.sample_names}
# What Prometheus adds itself.
PROMETHEUS = {"job", "alertstate", "alertname", "le"}


def promtool(*words: str) -> str:
    done = subprocess.run(["promtool", *words], capture_output=True, text=True, timeout=170)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_rules_hold_in_their_own_tests(tmp_path: Path) -> None:
    promtool("check", "rules", str(MONITORING / "rules.yml"))
    promtool("test", "rules", str(MONITORING / "rules_test.yml"))
    # A rule that cannot fire is noticed.
    for name in ("rules.yml", "rules_test.yml"):
        text = (MONITORING / name).read_text()
        (tmp_path / name).write_text(text.replace("tollcast_manifest_age_seconds > 20", "tollcast_workers > 20"))
    with pytest.raises(AssertionError, match="ManifestOld"):
        promtool("test", "rules", str(tmp_path / "rules_test.yml"))


def test_every_rule_is_tested_and_has_a_runbook() -> None:
    tests = (MONITORING / "rules_test.yml").read_text()
    headings = re.findall(r"^### Alarm (\w+)$", (ROOT / "docs" / "operations.md").read_text(), flags=re.MULTILINE)
    assert sorted(headings) == sorted(rule["alert"] for rule in RULES)
    for rule in RULES:
        name = rule["alert"]
        assert f'alertname="{name}"' in tests
        assert rule["annotations"]["runbook"] == f"docs/operations.md#alarm-{name.lower()}"
        assert rule["annotations"]["summary"].endswith(".") and rule["labels"]["severity"] in ("critical", "warning")


@pytest.mark.parametrize("query", [*(rule["expr"] for rule in RULES), *QUERIES])
def test_queries_name_what_is_exported(query: str) -> None:
    names = set(re.findall(r"\btollcast_\w+", query))
    assert names <= set(EXPORTED)
    known: set[str] = PROMETHEUS.union(*(EXPORTED[name].labels for name in names))
    for selector in re.findall(r"\{([^}]*)\}", query):
        assert {label for label, _ in re.findall(r"(\w+)\s*(=~|!~|!=|=)", selector)} <= known
    for listed in re.findall(r"by \(([^)]*)\)", query):
        assert {label.strip() for label in listed.split(",")} <= known


def test_the_dashboard_shows_every_metric_and_prometheus_can_read_its_queries(tmp_path: Path) -> None:
    shown = set(re.findall(r"\btollcast_\w+", " ".join(QUERIES)))
    left_out = {metric.name for metric in CATALOGUE if not shown & set(metric.sample_names)}
    assert left_out == {"build", "points_spent", "audit_failures"}
    rules: list[dict[str, Any]] = [{"record": f"panel:{n}", "expr": query} for n, query in enumerate(QUERIES)]
    (tmp_path / "panels.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    promtool("check", "rules", str(tmp_path / "panels.yml"))
    labels = [
        set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) for panel in PANELS for target in panel["targets"]
    ]
    for query, used in zip(QUERIES, labels, strict=True):
        names = re.findall(r"\btollcast_\w+", query)
        assert not names or used <= set().union(*(EXPORTED[name].labels for name in names)), query


def test_the_example_configuration_is_one(tmp_path: Path) -> None:
    for name in ("prometheus.yml", "rules.yml"):
        (tmp_path / name).write_text((MONITORING / name).read_text())
    (tmp_path / "tollcast.key").write_text("tck_x")
    assert "SUCCESS" in promtool("check", "config", str(tmp_path / "prometheus.yml"))


def test_every_alarm_has_a_real_cause_in_the_long_run(tmp_path: Path) -> None:
    caused = [name for names in CAUSES.values() for name in names]
    assert sorted(caused) == sorted(rule["alert"] for rule in RULES)
    short = shortened((MONITORING / "rules.yml").read_text())
    assert "[5m]" not in short and "for: 15s" in short and "[60s]" in short
    (tmp_path / "rules.yml").write_text(short)
    promtool("check", "rules", str(tmp_path / "rules.yml"))
