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
    # One sleep serves the packets of the next tenth of a second.
    for n in range(1, 9):
        pacer.wait(BURST_US + 40_000 * n)
    assert slept == [0.14, 0.12, 0.12]
    # What was held up is not waited for.
    now_s[0] += 10
    pacer.wait(BURST_US + 360_000)
    pacer.wait(BURST_US + 11_360_000)
    assert slept[3:] == [1.08]
