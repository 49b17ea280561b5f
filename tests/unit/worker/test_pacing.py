"""Reading at the pace of the clock."""

from worker.receiving.pacing import BURST_US, Pacer


def test_packets_wait_for_their_time_but_for_a_burst_at_the_beginning() -> None:
    now_s, slept = [100.0], []

    def sleep(seconds: float) -> None:
        slept.append(round(seconds, 3))
        now_s[0] += seconds

    pacer = Pacer(lambda: now_s[0], sleep)
    # Slides are decoded long before they are shown.
    for at_us in (-30_000_000, 0, 40_000, BURST_US):
        pacer.wait(at_us)
    assert slept == []
    for n in (1, 2, 3):
        pacer.wait(BURST_US + 40_000 * n)
    assert slept == [0.04, 0.04, 0.04]
    # What was held up is not waited for.
    now_s[0] += 10
    pacer.wait(BURST_US + 160_000)
    pacer.wait(BURST_US + 11_120_000)
    assert slept[3:] == [1.0]
