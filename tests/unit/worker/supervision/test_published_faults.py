from worker.encoding.transcoder import Activity
from worker.publishing.segment_sampler import Sample
from worker.supervision.published_faults import CLEAN_S, FAULTS_MIN, FaultHistory, published_fault

LIVELY = Activity(heard=True, moves=True, dark=False)
QUIET = Activity(heard=False, moves=False, dark=False)
GOOD = {"run": 1, "duration_s": 2.0, "has_sound": True, "sound_s": 2.01, "peak": 3000, "moves": True, "dark": False}


LIVELY_ALL, QUIET_AT_LAST = [LIVELY] * 8, [*[LIVELY] * 7, QUIET]
FAULTY = [
    ({"sound_s": 1.8}, [], "a published segment of 2.00 s has 1.80 s of sound"),
    ({"sound_s": 31.0}, LIVELY_ALL, "a published segment of 2.00 s has 31.00 s of sound"),
    ({"peak": 0}, LIVELY_ALL, "a published segment is silent while the source has sound"),
    ({"dark": True}, LIVELY_ALL, "a published segment is black while the source is not"),
    ({"moves": False}, LIVELY_ALL, "a published segment stands still while the source moves"),
]
DARK_AT_LAST = [*[LIVELY] * 7, Activity(heard=True, moves=True, dark=True)]
NO_SOUND = {"has_sound": False, "sound_s": 0.0, "peak": 0}
RIGHT = [
    *(({}, LIVELY_ALL), ({"sound_s": 1.86}, LIVELY_ALL), (NO_SOUND, LIVELY_ALL), ({"peak": 0}, [LIVELY] * 7)),
    *(({"peak": 0}, QUIET_AT_LAST), ({"dark": True}, DARK_AT_LAST), ({"moves": False}, QUIET_AT_LAST)),
]


def test_a_segment_is_held_against_its_source() -> None:
    for changes, activity, expected in (*FAULTY, *((*row, None) for row in RIGHT)):
        assert published_fault(Sample(**{**GOOD, **changes}), activity) == expected


FAULT = "a published segment is silent while the source has sound"


def replaced(history: FaultHistory, now_s: float) -> bool:
    """Let two inspections in a row find the fault; return whether the run has to be replaced."""
    found = [history.record(now_s, FAULT) for _ in range(FAULTS_MIN)]
    history.start_run()
    return found == [None, FAULT]


def test_the_operator_hears_of_faults_until_all_was_right_for_ten_minutes() -> None:
    history = FaultHistory()
    assert history.issue(0) is None, "nothing was looked into"
    history.record(0, None)
    assert history.record(10, FAULT) is None and history.issue(10) == "", "one look is no fault of the run"
    history.record(20, None)
    assert replaced(history, 30)
    said = f"a run was replaced: {FAULT}"
    assert history.issue(30) == said
    assert history.issue(5_000) == said, "nothing was looked into meanwhile"
    history.record(5_000, None)
    history.record(5_030, None)
    assert history.issue(5_000 + CLEAN_S - 1) == said
    assert history.issue(5_000 + CLEAN_S) == ""


def test_one_faulty_segment_starts_the_ten_minutes_again_and_replaced_runs_are_counted() -> None:
    history = FaultHistory()
    assert replaced(history, 0)
    history.record(10, None)
    history.record(500, FAULT)
    history.record(510, None)
    assert history.issue(10 + CLEAN_S) and history.issue(509 + CLEAN_S)
    assert replaced(history, 520)
    assert (history.issue(520) or "").startswith("2 runs were replaced")
    history.record(530, None)
    assert history.issue(530 + CLEAN_S) == ""
    assert replaced(history, 9_000)
    assert (history.issue(9_000) or "").startswith("a run was replaced"), "those before are long over"
    # Faults in a row are one run's.
    history = FaultHistory()
    assert history.record(0, FAULT) is None
    history.start_run()
    assert history.record(1, FAULT) is None and history.record(2, FAULT) == FAULT
