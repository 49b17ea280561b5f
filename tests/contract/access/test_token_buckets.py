"""The port `Limits`: the fake and DynamoDB keep the same promises."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.domain.access.limits import Limit
from chalicelib.ports.access.limits import Limits

NOW_MS = 1_800_000_000_000
LIMIT = Limit(burst=3, back_every_ms=10_000)


limits = pytest.fixture(lambda stores: stores.limits)


def test_a_bucket_is_full_then_empty_then_comes_back_one_by_one(limits: Limits) -> None:
    assert [limits.take("a", LIMIT, NOW_MS) for _ in range(5)] == [0, 0, 0, 10_000, 10_000]
    assert limits.take("a", LIMIT, NOW_MS + 9_999) == 1
    assert [limits.take("a", LIMIT, NOW_MS + 10_000) for _ in range(2)] == [0, 10_000]
    # Long after it is full again it holds no more than its burst.
    assert [limits.take("a", LIMIT, NOW_MS + 10**9) for _ in range(4)] == [0, 0, 0, 10_000]


def test_buckets_do_not_know_each_other(limits: Limits) -> None:
    assert [limits.take(key, LIMIT, NOW_MS) for key in "aaabbb"] == [0] * 6
    assert limits.take("a", LIMIT, NOW_MS) == 10_000


def test_what_was_given_back_can_be_taken_again(limits: Limits) -> None:
    limits.give_back("a", LIMIT)
    for _ in range(10):
        assert limits.take("a", LIMIT, NOW_MS) == 0
        limits.give_back("a", LIMIT)
    assert [limits.take("a", LIMIT, NOW_MS) for _ in range(4)] == [0, 0, 0, 10_000]


def test_a_clock_that_differs_is_wrong_by_its_difference_only(limits: Limits) -> None:
    assert [limits.take("a", LIMIT, NOW_MS + 4_000) for _ in range(3)] == [0, 0, 0]
    assert limits.take("a", LIMIT, NOW_MS) == 14_000
    assert limits.take("a", LIMIT, NOW_MS + 14_000) == 0
    assert limits.take("a", LIMIT, NOW_MS - 10**9) == LIMIT.span_ms, "no wait is longer than the bucket takes to fill"


def test_many_at_once_get_no_more_than_there_is(limits: Limits) -> None:
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda _: limits.take("a", Limit(20, 10_000), NOW_MS), range(40)))
    assert waits.count(0) == 20
