from worker.receiving.pacing import BURST_US, Pacer


def test_packets_wait_for_their_time_but_for_a_burst_at_the_beginning() -> None:
    now_s, slept, held = [100.0], [], []

    def sleep(seconds: float) -> None:
        slept.append(round(seconds, 3))
        now_s[0] += seconds

    pacer = Pacer(lambda: held.append(now_s[0]), lambda: now_s[0], sleep)
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
    assert held == []
    # During a long wait it is said every two seconds that there is a packet.
    began_s = now_s[0]
    pacer.wait(BURST_US + 20_000_000)
    assert [round(at_s - began_s) for at_s in held] == [2, 4, 6, 8]
    assert round(now_s[0] - began_s, 2) == 8.64 and round(sum(slept[4:]), 2) == 8.64
