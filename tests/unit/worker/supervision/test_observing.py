from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from chalicelib.domain.streams.ingest import Ingest, IngestMode, ListenProtocol
from chalicelib.domain.streams.issues.ingest_refusals import IngestRefusal, RefusalCode, encode, ingest_refusals_key
from chalicelib.domain.streams.media_health import Repairs
from chalicelib.domain.streams.stream import Stream
from chalicelib.ports.common import StoreUnavailable
from tests.fakes.streams.media import FaultyMedia, MemoryMedia
from tests.fixtures.waiting import eventually
from worker.encoding.source_info import SourceInfo
from worker.encoding.transcoder import Progress
from worker.ingest.failover import Failover, Failure
from worker.issues.observation import Delivery, Observation, PlayedSource, Trouble
from worker.publishing.publication import Publication
from worker.supervision.driver import Driver
from worker.supervision.observing import REFUSALS_INTERVAL_S, Observer, RefusalReader

LISTEN = Ingest(mode=IngestMode.LISTEN, protocol=ListenProtocol.RTMP)
STREAM = Stream(stream_id="s", title="t", ingest=LISTEN, backups=(Ingest(mode=IngestMode.TEST),), abr_profile="sd")
SOURCE = SourceInfo(rate=Fraction(25), width=640, height=360, rotation=90, has_audio=False)
WRONG = IngestRefusal(code=RefusalCode.WRONG_KEY, count=2, last_at_ms=5)


def receiver() -> SimpleNamespace:
    return SimpleNamespace(bitrate_bps=9, keyframes=SimpleNamespace(longest_s=2.0))


def driver(failover: Failover, opener: object = None, size: tuple[int, int] | None = None, **changes: object) -> Driver:
    pool = SimpleNamespace(
        failover=failover, playing=opener, connected_s=(1.0,), rejected=None, frozen_sources=lambda: ("backup-1",)
    )
    run = SimpleNamespace(is_copied=False, pictures_per_s=25.0)
    values = {"runs": 3, "pool": pool, "run": run, "source": "primary", "published_fault": lambda now_s: "", **changes}
    progress = Progress(speed=0.9, repairs=Repairs(silence_ms=4), size=size)
    return cast(Driver, SimpleNamespace(progress=progress, **values))


def publication(failure: object, share: float | None) -> Publication:
    return cast(Publication, SimpleNamespace(store_failure=failure, upload_share=share))


def observer(media: MemoryMedia | FaultyMedia, directory: Path) -> Observer:
    return Observer(media, lambda: 7, "s", directory)


def test_what_is_known_of_a_stream_is_observed(tmp_path: Path) -> None:
    failover = Failover(2)
    failover.record_failure(1, 0.0, "gone")
    failover.record_failure(0, 0.0, "broke off before", Failure.BROKEN)
    failover.playing = 0
    opener = SimpleNamespace(source=SOURCE, receiver=receiver())
    it = observer(MemoryMedia(), tmp_path)
    seen = it.observe(9.0, STREAM, driver(failover, opener), publication(("no answer", 4.0), 0.5))
    assert seen.disk_free_bytes and seen.disk_free_bytes > 0
    assert seen == Observation(
        now_ms=7,
        run=3,
        repairs=Repairs(silence_ms=4),
        speed=0.9,
        pictures_per_s=25.0,
        playing="primary",
        source=PlayedSource(
            name="primary",
            connection=1,
            width=640,
            height=360,
            rotation=90,
            has_audio=False,
            pictures_per_s=25.0,
            bitrate_bps=9,
            keyframe_interval_s=2.0,
        ),
        # The one that plays has none.
        troubles=(Trouble(source="backup-1", kind="broken", reason="gone"),),
        listener="primary",
        is_rtmp=True,
        connected_s=(1.0,),
        refusals=seen.refusals,
        frozen_sources=("backup-1",),
        published_fault="",
        ladder_bps=STREAM.renditions[0].bitrate_bps,
        delivery=Delivery(store_error="no answer", failing_s=5.0, upload_share=0.5),
        disk_free_bytes=seen.disk_free_bytes,
    )
    again = it.observe(9.0, STREAM, driver(failover, opener), None).source
    other = SimpleNamespace(source=SOURCE, receiver=receiver())
    third = it.observe(9.0, STREAM, driver(failover, other), None).source
    assert again and third and (again.connection, third.connection) == (1, 2)
    # A size that changes within a track is known to the decoder alone.
    decoded = it.observe(9.0, STREAM, driver(failover, opener, (320, 180)), None).source
    assert decoded and (decoded.width, decoded.height) == (320, 180)


def test_what_is_unknown_is_none(tmp_path: Path) -> None:
    it, idle = observer(MemoryMedia(), tmp_path / "none"), cast(Any, driver(Failover(2)))
    idle.pool = idle.run = idle.progress = idle.source = None
    seen = it.observe(9.0, STREAM, idle, None)
    assert (seen.troubles, seen.source, seen.repairs, seen.speed, seen.playing) == (None,) * 5
    assert (seen.delivery, seen.disk_free_bytes) == (Delivery(), None)
    # A pattern has no receiver, and before the first upload nothing is known of the store.
    pattern = SimpleNamespace(source=SOURCE, receiver=None)
    seen = it.observe(9.0, STREAM, driver(Failover(2), pattern), publication(None, None))
    assert seen.source is None and seen.delivery == Delivery()
    assert it.observe(9.0, STREAM, idle, publication(None, 0.2)).delivery == Delivery(store_error="", upload_share=0.2)


def test_refusals_are_read_now_and_then_and_unknown_while_the_store_fails() -> None:
    media = FaultyMedia(MemoryMedia())
    reader = RefusalReader(media, "s")
    eventually(lambda: reader.newest(0.1) == (), 5, "the first answer")
    media.put(ingest_refusals_key("s"), encode([WRONG]), "application/json")
    assert reader.newest(REFUSALS_INTERVAL_S - 0.1) == ()
    eventually(lambda: reader.newest(REFUSALS_INTERVAL_S + 1) == (WRONG,), 5, "the second answer")

    def fail(operation: str, key: str) -> None:
        raise StoreUnavailable(operation)

    media.before = fail
    eventually(lambda: reader.newest(3 * REFUSALS_INTERVAL_S) is None, 5, "no answer")
