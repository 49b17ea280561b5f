from worker.publishing.throughput import ThroughputStats


def test_the_rate_is_of_the_last_minute_and_falls_when_nothing_comes() -> None:
    now_s = [100.0]
    throughput = ThroughputStats(lambda: now_s[0])
    assert throughput.segments_per_minute is None and throughput.bitrate_bps is None
    for _ in range(5):
        throughput.add(2.0, 250_000)
        now_s[0] += 2.0
    assert throughput.bitrate_bps == 1_000_000
    assert throughput.segments_per_minute == 25.0
    now_s[0] -= 2.0
    assert throughput.segments_per_minute == 30.0
    for _ in range(40):
        now_s[0] += 2.0
        throughput.add(2.0, 250_000)
    assert throughput.segments_per_minute == 30.0
    now_s[0] += 30.0
    assert throughput.segments_per_minute == 15.0
    now_s[0] += 60.0
    assert throughput.segments_per_minute == 0.0
