"""The metrics as text: what parsers accept, which format a client gets, and that labels are bounded."""

import re
import subprocess

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse_text

from chalicelib.api.operations.exposition import JSON, OPENMETRICS, TEXT, preferred, render
from chalicelib.bootstrap import Container
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.cut_offs import counters_of
from chalicelib.domain.money.reconciliation import ReconciliationFigures
from chalicelib.domain.operations.canary import STEPS
from chalicelib.domain.operations.metric_catalogue import (
    CATALOGUE,
    LABELLED_STREAMS_MAX,
    OTHER,
    Family,
    Kind,
    Metric,
    Sample,
)
from chalicelib.domain.operations.traffic import TOTALS_MINUTE
from chalicelib.domain.operations.workers import Worker
from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.runtime import Runtime, RuntimeState
from chalicelib.domain.streams.stream import DesiredState, Stream
from chalicelib.ports.common import StoreUnavailable
from tests.fakes.stores import memory_services

PARSERS = {TEXT: parse_text, OPENMETRICS: parse_open}
FIGURES = ReconciliationFigures(sessions=3, disagreeing=2, ledger_mismatches=1, drift_points=-1.5, cut_offs=[])
# What Prometheus 2.42 sends, and curl and browsers.
PROMETHEUS = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
PROMETHEUS += "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.fixture
def services() -> Container:
    services = memory_services()
    services.exporter._reconciled = lambda: FIGURES
    return services


def live_stream(services: Container, stream_id: str, number: int = 1) -> None:
    stores, now_ms = services.stores, services.stores.clock.now_ms()
    ingest = Ingest(mode=IngestMode.TEST)
    stores.streams.add(Stream(stream_id=stream_id, title="x", ingest=ingest, desired_state=DesiredState.LIVE))
    claim = stores.runtimes.claim(stream_id, "w1", now_ms, now_ms + 60_000)
    assert claim
    report = Runtime(
        stream_id=stream_id,
        state=RuntimeState.LIVE,
        claim=claim,
        reported_at_ms=now_ms,
        last_manifest_at_ms=now_ms - 1_500 * number,
        ingest_bitrate_bps=1_000 * number,
        segments_per_minute=30.0,
    )
    assert stores.runtimes.report(claim, report)


def busy(services: Container) -> Container:
    """Services with a value for every metric."""
    counters, usage, now_ms = services.stores.counters, services.stores.usage, services.stores.clock.now_ms()
    for name in ("spent_millipoints", "login_failures", "problem.404.not_found", "problem.503.unavailable"):
        counters.add(name, 1_500)
    counters.add("spent_millipoints", -250)
    for milliseconds in (0, 437, 70_000):
        for name, amount in counters_of(EndReason.KICKED, milliseconds).items():
            counters.add(name, amount)
    counters.set_gauge("ledger_pages_behind", 2)
    usage.count(TOTALS_MINUTE, "", {"media_2xx": 7, "media_bytes": 9_000, "verdict_hits": 3}, follower="f", batch=1)
    usage.mark("f", now_ms - 4_000, watching=2)
    usage.mark("slow", now_ms - 9_000, watching=1)
    live_stream(services, "stream-1")
    services.stores.workers.report(Worker(worker_id='w"\\1', capacity=4, stream_ids=("stream-1",), seen_at_ms=now_ms))
    services.stores.queue.send("stream-1")
    services.canary.report((40,) * len(STEPS), None)
    return services


def samples_of(services: Container, media_type: str = TEXT) -> dict[str, float]:
    """Return the value of each sample, by its name and labels as in the text."""
    text = render(services.exporter.families(), media_type)
    lines = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in lines}


@pytest.mark.parametrize("media_type", PARSERS)
def test_the_official_parsers_read_every_metric(media_type: str, services: Container) -> None:
    text = render(busy(services).exporter.families(), media_type)
    families = list(PARSERS[media_type](text))
    read = {sample.name for family in families for sample in family.samples}
    assert read == {name for metric in CATALOGUE for name in metric.sample_names}
    kinds = {family.name: family.type for family in families}
    for metric in CATALOGUE:
        expected = "gauge" if metric.kind is Kind.INFO and media_type == TEXT else metric.kind.value
        name = f"tollcast_{metric.name}" + ("_info" if metric.kind is Kind.INFO and media_type == TEXT else "")
        assert kinds[name] == expected
    [worker] = [each for family in families for each in family.samples if "capacity" in each.name]
    assert worker.labels == {"worker_id": 'w"\\1'}


def test_promtool_finds_nothing_but_the_unit_that_the_name_has_by_request(services: Container) -> None:
    text = render(busy(services).exporter.families(), TEXT)
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=30)
    # Bit rates are in bits everywhere in this product, and the metric's name is fixed.
    allowed = 'tollcast_ingest_bitrate_bits_per_second use base unit "bytes" instead of "bits"'
    assert set((done.stdout + done.stderr).splitlines()) <= {allowed}


def test_the_values(services: Container) -> None:
    found = samples_of(busy(services))
    expected = {
        "tollcast_points_spent_total": 1.5,
        "tollcast_points_returned_total": 0.25,
        'tollcast_problems_total{status="404",code="not_found"}': 1_500,
        'tollcast_gateway_answers_total{part="media",status="2xx"}': 7,
        'tollcast_egress_bytes_total{part="media"}': 9_000,
        'tollcast_cache_hits_total{cache="decision"}': 3,
        "tollcast_gateway_log_age_seconds": 9,
        'tollcast_manifest_age_seconds{stream_id="stream-1"}': 1.5,
        'tollcast_ingest_bitrate_bits_per_second{stream_id="stream-1"}': 1_000,
        'tollcast_stream_delivered{stream_id="stream-1"}': 1,
        'tollcast_streams{state="live"}': 1,
        'tollcast_streams{state="failed"}': 0,
        'tollcast_streams_waiting{reason="no_worker"}': 0,
        'tollcast_queue_messages{queue="work"}': 1,
        "tollcast_ledger_pages_behind": 2,
        "tollcast_ledger_mismatches": 1,
        "tollcast_drift_points": -1.5,
        'tollcast_cut_off_seconds_bucket{end_reason="kicked",le="0.0"}': 1,
        'tollcast_cut_off_seconds_bucket{end_reason="kicked",le="0.25"}': 1,
        'tollcast_cut_off_seconds_bucket{end_reason="kicked",le="0.5"}': 2,
        'tollcast_cut_off_seconds_bucket{end_reason="kicked",le="60.0"}': 2,
        'tollcast_cut_off_seconds_bucket{end_reason="kicked",le="+Inf"}': 3,
        'tollcast_cut_off_seconds_count{end_reason="kicked"}': 3,
        'tollcast_cut_off_seconds_sum{end_reason="kicked"}': 70.437,
    }
    assert {name: found.get(name) for name in expected} == expected


def test_what_is_unknown_is_missing_and_never_zero(services: Container) -> None:
    ingest = Ingest(mode=IngestMode.TEST)
    services.stores.streams.add(Stream(stream_id="new", title="x", ingest=ingest, desired_state=DesiredState.LIVE))
    found = samples_of(services)
    unknown = ("manifest_age", "ingest_bitrate", "segment_rate", "gateway_log_age", "ledger_pages_behind", "worker_")
    assert not [name for name in found if name.startswith(tuple(f"tollcast_{each}" for each in unknown))]
    assert found['tollcast_stream_delivered{stream_id="new"}'] == 0


def test_a_report_of_a_lost_claim_is_no_rate(services: Container) -> None:
    live_stream(services, "stream-1")
    services.stores.clock.advance(60_001)
    found = samples_of(services)
    assert found['tollcast_manifest_age_seconds{stream_id="stream-1"}'] == 61.501
    assert found['tollcast_stream_delivered{stream_id="stream-1"}'] == 0
    assert not [name for name in found if "bitrate" in name or "segment_rate" in name]


@pytest.mark.parametrize("last", [OTHER, "s0204"])
def test_many_streams_share_a_label(services: Container, last: str) -> None:
    for number in range(LABELLED_STREAMS_MAX + 4):
        live_stream(services, f"s{number:04}", number)
    live_stream(services, last, LABELLED_STREAMS_MAX + 4)
    found = samples_of(services)
    for name, other in (("manifest_age_seconds", 1.5 * 204), ("ingest_bitrate_bits_per_second", 1_000 * 1_010)):
        assert len([each for each in found if each.startswith(f"tollcast_{name}{{")]) == LABELLED_STREAMS_MAX + 1
        assert found[f'tollcast_{name}{{stream_id="other"}}'] == other
    assert found['tollcast_stream_delivered{stream_id="other"}'] == 1


def test_a_store_that_fails_costs_its_own_metrics(services: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise StoreUnavailable("stub")

    monkeypatch.setattr(busy(services).stores.queue, "depths", fail)
    found = samples_of(services)
    assert found['tollcast_part_read{part="queue"}'] == 0 and found['tollcast_part_read{part="workers"}'] == 1
    assert not [name for name in found if "queue_messages" in name]
    assert found["tollcast_workers"] == 1


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", JSON),
        ("*/*", JSON),
        (BROWSER, JSON),
        ("application/json", JSON),
        (PROMETHEUS, OPENMETRICS),
        ("text/plain", TEXT),
        ("text/plain;version=0.0.4", TEXT),
        ("Application/OpenMetrics-Text; version=1.0.0", OPENMETRICS),
        ("text/plain;q=0.5,application/openmetrics-text;q=0.4", TEXT),
        ("application/json;q=0.9,text/plain;q=0.5", JSON),
        ("text/plain;q=0,application/json;q=0.1", JSON),
        ("text/plain;q=nonsense", JSON),
        ("image/png", JSON),
        ("text/plain," * 200, JSON),
    ],
)
def test_the_format_that_the_client_prefers(accept: str, media_type: str) -> None:
    assert preferred(accept) == media_type


def test_texts_are_escaped() -> None:
    metric = Metric("odd", Kind.GAUGE, 'a "quoted" \\ text\nof two lines', ("label",))
    family = Family(metric, [Sample(('a"\\\n',), 1)])
    for media_type, parse in PARSERS.items():
        [read] = parse(render([family], media_type))
        assert read.samples[0].labels == {"label": 'a"\\\n'}


def test_names_follow_the_conventions() -> None:
    assert len({metric.name for metric in CATALOGUE}) == len(CATALOGUE) >= 30
    for metric in CATALOGUE:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", metric.name) and not metric.name.endswith(("_total", "_info"))
        assert metric.name.endswith(metric.unit) and metric.help.endswith(".")
