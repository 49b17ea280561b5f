"""The multivariant playlist of one owner: what it says is probed and measured, and it is written anew when it is wrong.

Bandwidths rise before the playlists name the segment that made them rise, so that whoever reads them finds no segment
above them; they fall at most every `REWRITE_S`.
"""

import logging
import time
from collections.abc import Callable, Mapping

from chalicelib.domain.streams import PublishedRendition
from chalicelib.ports import MediaStore, StoreUnavailable
from worker.publishing.channel import PLAYLIST, Channel
from worker.publishing.fenced_object import FencedObject, StaleEtag
from worker.publishing.playlists.media_playlist import Playlist
from worker.publishing.playlists.multivariant_file import render_multivariant, rendition_names
from worker.publishing.playlists.variants import Rates, Variant, declare, measure_rates, peak_bps, published_rendition
from worker.publishing.segment_prober import SegmentProber
from worker.publishing.segment_queue import FinishedSegment

log = logging.getLogger(__name__)

REWRITE_S = 10.0
# How many of the newest segments are looked at with every new one. All of them are measured every `REWRITE_S`.
NEWEST = 24


class MultivariantPlaylist:
    """Used by the publishing thread. `check` raises where nothing may be written."""

    def __init__(
        self,
        media: MediaStore,
        channel: Channel,
        check: Callable[[], None],
        prober: SegmentProber,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        # What was found published, best first; none before the first write.
        self.published: tuple[PublishedRendition, ...] = ()
        # Whether there is one that names our renditions, be it an older owner's.
        self.is_stored = False
        # Renditions of a ladder before, which viewers may still be on.
        self.dropped_names: set[str] = set()
        self._media = media
        self._channel = channel
        self._check = check
        self._monotonic = monotonic
        self._object = FencedObject(media, channel.multivariant_key, channel.epoch)
        self._prober = prober
        self._rates: dict[str, Rates] = {}
        self._measured_at_s: float | None = None
        self._written: tuple[Variant, ...] | None = None
        self._written_at_s = 0.0

    def read_stored(self) -> None:
        """Read what owners before have named. Raises `ClaimLost` and `StoreUnavailable`."""
        body = self._object.read()
        names = rendition_names(body) if body is not None else ()
        self.is_stored = names == self._channel.rendition_names
        self.dropped_names |= {*names} - {*self._channel.rendition_names}

    def probe(self, segment: FinishedSegment) -> None:
        """Find out what the segments of this run hold."""
        self._prober.probe(segment)

    @property
    def has_answers(self) -> bool:
        """Whether the probes have told something that is not written yet: time to `refresh`."""
        return self._prober.has_answers

    def raise_bandwidths(self, playlists: Mapping[str, Playlist]) -> None:
        """Before the playlists are written: whatever is heavier than declared. Raises as `Publisher.publish`."""
        self._measure(playlists)
        if self._written and any(self._rates[v.name].peak_bps > v.declared.peak_bps for v in self._written):
            self._write(self._variants())

    def refresh(self, playlists: Mapping[str, Playlist]) -> None:
        """After the playlists are written: if it is not there, or wrong for long enough. Raises as `publish`.

        It is not begun before its segments are known, since many players read it once.
        """
        self._measure(playlists)
        self._prober.collect()
        if self._written is None and not self._prober.is_settled:
            return
        variants = self._variants()
        if self._is_wrong(variants):
            self._write(variants)
        self.published = tuple(
            published_rendition(v.name, v.media_info, self._rates[v.name]) for v in self._written or () if v.media_info
        )

    def delete_dropped(self) -> None:
        """Delete the playlists of renditions that the ladder has no more: players load the ladder again at a 404.

        Left as it is, such a playlist would seem to be live and stand still; with an end, the viewing would end. What
        an owner that dies here leaves behind is swept by the next one's cleaner.
        """
        if self._written is None:
            return
        try:
            for name in sorted(self.dropped_names):
                self._check()
                FencedObject(self._media, self._channel.key(name, PLAYLIST), self._channel.epoch).remove()
                self.dropped_names.discard(name)
        except StoreUnavailable as error:
            # No reason to call this segment unpublished: the next flush tries again.
            log.warning("dropping is put off", extra={"stream_id": self._channel.stream_id, "error": str(error)})

    def close(self) -> None:
        """Examine nothing more."""
        self._prober.close()

    def _measure(self, playlists: Mapping[str, Playlist]) -> None:
        """All of the window when it is due, for the peaks that have left it; else only what came last."""
        now_s = self._monotonic()
        whole = self._measured_at_s is None or now_s - self._measured_at_s >= REWRITE_S
        if whole:
            self._measured_at_s = now_s
        for name, playlist in playlists.items():
            before = self._rates.get(name)
            if whole or before is None:
                self._rates[name] = measure_rates(playlist.entries, playlist.target_s) or Rates(
                    peak_bps=1, average_bps=1
                )
            else:
                newest = peak_bps(playlist.entries[-NEWEST:], playlist.target_s) or 0
                self._rates[name] = Rates(peak_bps=max(before.peak_bps, newest), average_bps=before.average_bps)

    def _variants(self) -> tuple[Variant, ...]:
        declared = {variant.name: variant.declared for variant in self._written or ()}
        media_info = self._prober.media_info
        return tuple(
            Variant(name=name, media_info=media_info.get(name), declared=declare(declared.get(name), self._rates[name]))
            for name in self._channel.rendition_names
        )

    def _is_wrong(self, variants: tuple[Variant, ...]) -> bool:
        """Whether these must be written: facts at once, bandwidths (which `raise_bandwidths` raises) when they are due."""
        if self._written is None or [v.media_info for v in variants] != [v.media_info for v in self._written]:
            return True
        return variants != self._written and self._monotonic() - self._written_at_s >= REWRITE_S

    def _write(self, variants: tuple[Variant, ...]) -> None:
        body = render_multivariant(variants, self._channel.epoch)
        while True:
            self._check()
            try:
                self._object.write(body)
            except StaleEtag:
                # An older owner wrote it after we had read it.
                self.read_stored()
                continue
            self.is_stored, self._written, self._written_at_s = True, variants, self._monotonic()
            return
