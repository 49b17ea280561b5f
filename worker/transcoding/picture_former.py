"""Decoded pictures in the ladder's forms: deinterlaced, upright, with square pixels, in the renditions' sizes."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter

from worker.media.messages import MICRO
from worker.transcoding.plan import EncodedRendition
from worker.transcoding.sound_line import pull_frames

# Pixels may be declared 255 times as wide as high: no picture is made wider than this for that.
WIDTH_MAX = 3_840
FULL_RANGE = 2
# PQ and HLG.
HDR_TRANSFERS = (16, 18)
TURNS = {90: ["transpose=cclock"], 180: ["hflip", "vflip"], 270: ["transpose=clock"]}
FORMAT = "yuv420p"
# Matrices as H.273 numbers them, and as the scaler names the supported ones. An undeclared one is guessed as mpv and
# browsers do: BT.709 from these sizes on.
BT709, BT601, UNSPECIFIED = 1, 6, 2
MATRICES = {5: "smpte170m", 6: "smpte170m"}
HD_WIDTH, SD_HEIGHT_MAX = 1_280, 576


@dataclass(frozen=True)
class PictureFormat:
    """The properties of a picture that decide how it is converted."""

    width: int
    height: int
    format: str
    pixel_aspect: Fraction
    rotation: int
    colorspace: int
    color_range: int
    transfer: int
    interlaced: bool

    @property
    def is_hdr(self) -> bool:
        """Return whether its brightness is that of PQ or HLG."""
        return self.transfer in HDR_TRANSFERS

    @property
    def matrix(self) -> str:
        """Return the supported matrix that suits it best."""
        return MATRICES.get(self.colorspace, "bt709")

    @staticmethod
    def of_frame(frame: Any, pixel_aspect: Fraction, *, rotation: int = 0, interlaced: bool = False) -> "PictureFormat":
        """Return a decoded picture's format. `rotation` is the container's, in degrees counter-clockwise."""
        matrix = int(frame.colorspace)
        if matrix == UNSPECIFIED:
            matrix = BT709 if frame.width >= HD_WIDTH or frame.height > SD_HEIGHT_MAX else BT601
        return PictureFormat(
            width=frame.width,
            height=frame.height,
            format=frame.format.name,
            pixel_aspect=pixel_aspect,
            rotation=rotation or frame.rotation % 360,
            colorspace=matrix,
            color_range=int(frame.color_range),
            transfer=int(frame.color_trc),
            interlaced=interlaced,
        )


class PictureFormer:
    """A converter of pictures to each rendition's form. Its filters are replaced where the pictures' format changes.

    With `fields` an interlaced picture becomes two, one a field.
    """

    def __init__(self, renditions: Sequence[EncodedRendition], *, fields: bool = False) -> None:
        self._renditions = renditions
        self._deinterlace = f"bwdif=mode={'send_field' if fields else 'send_frame'}:deint=all"
        # The format of the present pictures.
        self.picture_format: PictureFormat | None = None
        # The first picture's matrix: an encoder cannot change it.
        self._matrix = ""
        self._common: Any = None
        self._tone_mapper: VideoReformatter | None = None
        self._each: list[Any] = []

    def form(self, frame: Any, at_us: int, picture_format: PictureFormat) -> list[tuple[int, list[Any]]]:
        """Return the pictures that are ready now with their times, in all renditions. Deinterlacing is one behind."""
        if picture_format != self.picture_format:
            self.picture_format, self._matrix = picture_format, self._matrix or picture_format.matrix
            self._make(picture_format)
        # Times are in the frame, so that they follow it through the filters.
        frame.pts, frame.time_base, frame.colorspace = at_us, MICRO, picture_format.colorspace
        made = []
        for upright in _passed(self._common, frame):
            if self._tone_mapper:
                upright = tone_map(self._tone_mapper, upright)
            formed = [_passed(graph, upright) for graph in self._each]
            made.append((round(upright.pts * upright.time_base / MICRO), [each[0] for each in formed]))
        return made

    def _make(self, picture_format: PictureFormat) -> None:
        filters = [self._deinterlace] if picture_format.interlaced else []
        filters += TURNS.get(picture_format.rotation, [])
        self._tone_mapper = VideoReformatter() if picture_format.is_hdr else None
        self._common = _graph(picture_format, filters) if filters else None
        turned = picture_format.rotation in (90, 270)
        width, height = (
            (picture_format.height, picture_format.width) if turned else (picture_format.width, picture_format.height)
        )
        aspect = 1 / picture_format.pixel_aspect if turned else picture_format.pixel_aspect
        plain = (
            not filters and aspect == 1 and picture_format.format == FORMAT and picture_format.color_range != FULL_RANGE
        )
        plain = plain and not picture_format.is_hdr and picture_format.matrix == self._matrix
        self._each = []
        for each in self._renditions:
            if plain and (width, height) == (each.width, each.height):
                self._each.append(None)
                continue
            size = f"{each.width}:{each.height}"
            shown = fit_size(width, height, aspect, each.width, each.height)
            scale = f"scale={shown[0]}:{shown[1]}:out_range=tv:out_color_matrix={self._matrix}"
            chain = [scale, f"format={FORMAT}"]
            chain += [] if shown == (each.width, each.height) else [f"pad={size}:-1:-1"]
            self._each.append(_LazyGraph([*chain, "setsar=1"]))


class _LazyGraph:
    """A filter graph that is built at its first frame, whose form the earlier filters decide."""

    def __init__(self, filters: list[str]) -> None:
        self._filters = filters
        self._graph: Any = None

    def push(self, frame: Any) -> None:
        """Filter a frame."""
        if self._graph is None:
            self._graph = _graph(PictureFormat.of_frame(frame, Fraction(1)), self._filters)
        self._graph.push(frame)

    def pull(self) -> Any:
        """Return a filtered frame."""
        return self._graph.pull()


def tone_map(mapper: VideoReformatter, frame: Any) -> Any:
    """Return an HDR picture in BT.709. The mapper takes a second for its tables at the first picture."""
    return mapper.reformat(
        frame,
        format=FORMAT,
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
        dst_color_trc=ColorTrc.BT709,
        dst_color_primaries=ColorPrimaries.BT709,
    )


def fit_size(width: int, height: int, pixel_aspect: Fraction, box_width: int, box_height: int) -> tuple[int, int]:
    """Return the largest even size of a picture's shape that fits into a box."""
    shown = min(Fraction(width) * pixel_aspect, Fraction(max(width, WIDTH_MAX)))
    factor = min(Fraction(box_width) / shown, Fraction(box_height, height))
    sides = ((shown * factor, box_width), (height * factor, box_height))
    return tuple(min(most, max(2, 2 * round(side / 2))) for side, most in sides)  # type: ignore[return-value]


def _graph(source: PictureFormat, filters: list[str]) -> Any:
    graph = av.filter.Graph()
    size = f"video_size={source.width}x{source.height}:pix_fmt={source.format}:time_base=1/1000000:pixel_aspect=1/1"
    colors = f"colorspace={source.colorspace}:range={source.color_range}"
    nodes = [graph.add("buffer", f"{size}:{colors}")]
    for text in filters:
        name, _, arguments = text.partition("=")
        nodes.append(graph.add(name, arguments or None))
    graph.link_nodes(*nodes, graph.add("buffersink")).configure()
    return graph


def _passed(graph: Any, frame: Any) -> list[Any]:
    if graph is None:
        return [frame]
    graph.push(frame)
    return pull_frames(graph)
