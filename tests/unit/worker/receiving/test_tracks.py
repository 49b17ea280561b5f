"""The tracks that a source offers."""

import io

import av

from worker.receiving.tracks import choose


def test_long_titles_and_languages_are_cut() -> None:
    out = io.BytesIO()
    with av.open(out, "w", "matroska") as made:
        video = made.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        video.metadata.update({"title": "t" * 100_000, "language": "l" * 100_000})
        made.mux(video.encode(av.VideoFrame(64, 64, "yuv420p")))
    with av.open(io.BytesIO(out.getvalue())) as container:
        (offered,) = choose(container, {}, None, None).offered
    assert offered["title"] == "t" * 200 and offered["language"] == "l" * 20
