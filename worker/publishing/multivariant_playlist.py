"""The multivariant playlist of one owner: probed, measured, and rewritten when it is wrong.

Bandwidths rise before the playlists name the segment that raised them, so that no reader finds a segment above them.
They fall at most every `REWRITE_S`.
"""

import logging
import time
from collections.abc import Callable, Mapping

from chalicelib.domain.streams.runtime import PublishedRendition
from chalicelib.ports.common import StoreUnavailable
from chalicelib.ports.streams.media import MediaStore
from worker.publishing.channel import PLAYLIST, Channel
from worker.publishing.fenced_object import FencedObject, StaleEtag
from worker.publishing.playlists.media_playlist import Playlist
from worker.publishing.playlists.multivariant_file import render_multivariant, rendition_names
from worker.publishing.playlists.variants import Rates, Variant, declare, measure_rates, peak_bps, published_rendition
from worker.publishing.segment_prober import SegmentProber

log = logging.getLogger(__name__)

REWRITE_S = 10.0
# How many of the newest segments are measured with every new one. The whole window is measured every `REWRITE_S`.
NEWEST = 24


class MultivariantPlaylist:
    """The stored multivariant playlist. Used by the publishing thread. `check` raises where nothing may be written."""

    def __init__(
        self,
        media: MediaStore,
        channel: Channel,
        check: Callable[[], None],
        prober: SegmentProber,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        # The published renditions, best first; none before the first write.
        self.published: tuple[PublishedRendition, ...] = ()
        # Whether a stored one, of this or an older owner, names this ladder's renditions.
        self.is_stored = False
        # Renditions of an earlier ladder, which viewers may still play.
        self.dropped_names: set[str] = set()
        # It is given segments by the publisher; `refresh` writes its answers.
        self.prober = prober
        self._media = media
        self._channel = channel
        self._check = check
        self._monotonic = monotonic
        self._object = FencedObject(media, channel.multivariant_key, channel.epoch)
        self._rates: dict[str, Rates] = {}
        self._measured_at_s: float | None = None
        self._written: tuple[Variant, ...] | None = None
        self._written_at_s = 0.0

    def read_stored(self) -> None:
        """Read what earlier owners have named. Raise `ClaimLost` and `StoreUnavailable`."""
        body = self._object.read()
        names = rendition_names(body) if body is not None else ()
        self.is_stored = names == self._channel.rendition_names
        self.dropped_names |= {*names} - {*self._channel.rendition_names}

    def raise_bandwidths(self, playlists: Mapping[str, Playlist]) -> None:
        """Write higher bandwidths, before the media playlists. Raise as `Publisher.publish`."""
        self._measure(playlists)
        if self._written and any(self._rates[v.name].peak_bps > v.declared.peak_bps for v in self._written):
            self._write(self._variants())

    def refresh(self, playlists: Mapping[str, Playlist]) -> None:
        """Write it if it is missing or wrong, after the media playlists. Raise as `Publisher.publish`.

        The first write waits for the probes, since many players read it once.
        """
        self._measure(playlists)
        self.prober.collect()
        if self._written is None and not self.prober.is_settled:
            return
        variants = self._variants()
        if self._is_wrong(variants):
            self._write(variants)
        self.published = tuple(
            published_rendition(v.name, v.media_info, self._rates[v.name]) for v in self._written or () if v.media_info
        )

    def delete_dropped(self) -> None:
        """Delete the playlists of renditions that the ladder has lost: players reload the ladder at a 404.

        Kept as it is, such a playlist would seem live and stand still; with an end, the viewing would end. The next
        owner's cleaner sweeps what an owner that dies here leaves.
        """
        if self._written is None:
            return
        try:
            for name in sorted(self.dropped_names):
                self._check()
                FencedObject(self._media, self._channel.key(name, PLAYLIST), self._channel.epoch).remove()
                self.dropped_names.discard(name)
        except StoreUnavailable as error:
            # The segment is published nevertheless: the next flush tries again.
            log.warning("deletion is postponed", extra={"stream_id": self._channel.stream_id, "error": str(error)})

    def _measure(self, playlists: Mapping[str, Playlist]) -> None:
        """Measure the whole window when that is due, else its newest segments."""
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
        media_info = self.prober.media_info
        return tuple(
            Variant(name=name, media_info=media_info.get(name), declared=declare(declared.get(name), self._rates[name]))
            for name in self._channel.rendition_names
        )

    def _is_wrong(self, variants: tuple[Variant, ...]) -> bool:
        """Return whether these must be written: media infos at once, lower bandwidths when they are due."""
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
                # An older owner wrote it after it was read.
                self.read_stored()
                continue
            self.is_stored, self._written, self._written_at_s = True, variants, self._monotonic()
            return
