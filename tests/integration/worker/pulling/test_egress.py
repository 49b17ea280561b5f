"""Untrusted sources against a real ffmpeg: good ones play; hostile ones reach nothing that is not public.

The outside is 127.0.0.2, which the rules allow. The inside is 127.0.0.1: a listener there counts connections. Every
attack is also made without the guard, where it must succeed, else the test would prove nothing.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chalicelib.domain.errors import SourceUrlRefused
from chalicelib.domain.streams.source_urls import check_source_url
from tests.fixtures.authority import Authority
from tests.integration.worker.origins import Listener, Origin, Page
from tests.integration.worker.puller import WIDE, Puller, run, run_careless
from worker.ingest.pull_options import Proxied, pull_request

SEGMENT = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n{tags}#EXTINF:1,\n{uri}\n#EXT-X-ENDLIST\n"
MASTER = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=100000\n{uri}\n"
INNER_NAME, TURNING_NAME, MIXED_NAME, OUTER_NAME = "inner.test", "turning.test", "mixed.test", "outer.test"


@pytest.fixture
def origin(authority: Authority, media: Path) -> Iterator[Origin]:
    with Origin("127.0.0.2", authority.context("127.0.0.2", OUTER_NAME, TURNING_NAME, INNER_NAME, MIXED_NAME)) as it:
        for path in media.iterdir():
            it.put(f"/{path.name}", path.read_bytes())
        yield it


@pytest.fixture
def inside() -> Iterator[Listener]:
    with Listener("127.0.0.1") as it:
        yield it


@pytest.fixture
def puller(authority: Authority, origin: Origin, inside: Listener) -> Puller:
    names = {
        OUTER_NAME: [["127.0.0.2"]],
        INNER_NAME: [["127.0.0.1"]],
        MIXED_NAME: [["127.0.0.2", "127.0.0.1"]],
        # Rebinding: good when it is asked for first, and inside from then on.
        TURNING_NAME: [["127.0.0.2"], ["127.0.0.1"]],
    }
    return Puller(authority, frozenset({origin.port, inside.port}), names)


@pytest.mark.parametrize("name", ["plain.m3u8", "secret.m3u8", "fragments.m3u8", "plain0.ts"])
def test_a_good_source_plays(puller: Puller, origin: Origin, name: str) -> None:
    pulled = puller.pull(f"{origin.url}/{name}")
    assert (pulled.status, pulled.refusal) == (0, None), pulled
    assert pulled.media_bytes > 10_000


def test_absolute_urls_of_a_good_source_play_too(puller: Puller, origin: Origin) -> None:
    named = f"https://{OUTER_NAME}:{origin.port}"
    origin.put("/master.m3u8", MASTER.format(uri=f"{named}/media.m3u8?url=https://a.example/"))
    key = f'#EXT-X-KEY:METHOD=AES-128,URI="{origin.url}/secret.key",IV=0x{"0" * 32}\n'
    origin.put("/media.m3u8", SEGMENT.format(tags=key, uri=f"{named}/secret0.ts"))
    pulled = puller.pull(f"{origin.url}/master.m3u8")
    assert (pulled.status, pulled.refusal) == (0, None), pulled
    assert origin.asked == ["/master.m3u8", "/media.m3u8?url=https://a.example/", "/secret.key", "/secret0.ts"]


@pytest.mark.parametrize("name", ["plain.m3u8", "plain0.ts"])
def test_the_query_of_a_source_is_asked_for_without_ffmpeg(puller: Puller, origin: Origin, name: str) -> None:
    pulled = puller.pull(f"{origin.url}/{name}?token=abc")
    assert (pulled.status, pulled.refusal) == (0, None), pulled
    assert origin.asked[0] == f"/{name}?token=abc" and "abc" not in pulled.said
    assert not [path for path in origin.asked if "?" in path and not path.startswith(f"/{name}")]


# What a playlist may name, with {inside} for the port that must not be reached.
NAMED_INSIDE = {
    "segment": SEGMENT.format(tags="", uri="https://127.0.0.1:{inside}/x.ts"),
    "segment in plain http": SEGMENT.format(tags="", uri="http://127.0.0.1:{inside}/x.ts"),
    "segment of a name": SEGMENT.format(tags="", uri="https://inner.test:{inside}/x.ts"),
    "segment of a name with a good address, too": SEGMENT.format(tags="", uri="https://mixed.test:{inside}/x.ts"),
    "segment without a scheme": SEGMENT.format(tags="", uri="//127.0.0.1:{inside}/x.ts"),
    "media playlist": MASTER.format(uri="https://127.0.0.1:{inside}/x.m3u8"),
    "key": SEGMENT.format(tags='#EXT-X-KEY:METHOD=AES-128,URI="https://127.0.0.1:{inside}/k"\n', uri="plain0.ts"),
    "init section": SEGMENT.format(tags='#EXT-X-MAP:URI="https://127.0.0.1:{inside}/x.mp4"\n', uri="plain0.ts"),
}


@pytest.mark.parametrize("playlist", NAMED_INSIDE.values(), ids=NAMED_INSIDE.keys())
def test_what_a_playlist_names_inside_is_not_reached(
    puller: Puller, origin: Origin, inside: Listener, playlist: str
) -> None:
    origin.put("/evil.m3u8", playlist.replace("{inside}", str(inside.port)))
    pulled = puller.pull(f"{origin.url}/evil.m3u8")
    assert origin.asked[0] == "/evil.m3u8" and inside.hits() == 0
    assert pulled.refusal and "not public" in pulled.refusal
    puller.pull(f"{origin.url}/evil.m3u8", networks=WIDE)
    assert inside.hits() > 0, "without the guard it must be reached"


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0177.0.0.1", "[::ffff:127.0.0.1]", "localhost"])
def test_other_forms_of_an_inner_address_are_not_reached(
    puller: Puller, origin: Origin, inside: Listener, host: str
) -> None:
    origin.put("/evil.m3u8", SEGMENT.format(tags="", uri=f"https://{host}:{inside.port}/x.ts"))
    pulled = puller.pull(f"{origin.url}/evil.m3u8")
    assert origin.asked[0] == "/evil.m3u8" and inside.hits() == 0
    assert pulled.refusal and "its host" in pulled.refusal
    with pytest.raises(SourceUrlRefused):
        check_source_url(f"https://{host}:{inside.port}/x.ts", ports=puller.ports)
    run_careless(f"{origin.url}/evil.m3u8")
    assert inside.hits() > 0, "without the guard it must be reached"


def test_a_playlist_cannot_go_past_the_proxy(puller: Puller, origin: Origin, inside: Listener) -> None:
    origin.put("/evil.m3u8", SEGMENT.format(tags="", uri=f"httpproxy://127.0.0.1:{inside.port}/x.ts"))
    assert puller.pull(f"{origin.url}/evil.m3u8").status != 0
    assert origin.asked == ["/evil.m3u8"] and inside.hits() == 0
    run_careless(f"{origin.url}/evil.m3u8", protocol_whitelist="https,tls,tcp,httpproxy")
    assert inside.hits() > 0, "with httpproxy allowed it must be reached"


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("redirected", ["/start.m3u8", "/segment.ts"])
def test_redirects_are_not_followed(
    puller: Puller, origin: Origin, inside: Listener, redirected: str, scheme: str
) -> None:
    origin.put("/start.m3u8", SEGMENT.format(tags="", uri="segment.ts"))
    origin.put(redirected, "", status=302, Location=f"{scheme}://127.0.0.1:{inside.port}/x.ts?token=abc")
    pulled = puller.pull(f"{origin.url}/start.m3u8")
    assert redirected in origin.asked and inside.hits() == 0
    assert pulled.refusal and f"redirects to '127.0.0.1:{inside.port}'" in pulled.refusal
    run_careless(f"{origin.url}/start.m3u8")
    assert inside.hits() > 0, "without the guard it must be reached"


@pytest.mark.parametrize("name", [INNER_NAME, MIXED_NAME])
def test_a_name_of_an_inner_address_is_not_reached(puller: Puller, inside: Listener, name: str) -> None:
    pulled = puller.pull(f"https://{name}:{inside.port}/x.m3u8")
    assert inside.hits() == 0
    assert pulled.refusal and name in pulled.refusal and "127.0.0.1, which is not public" in pulled.refusal
    puller.pull(f"https://{name}:{inside.port}/x.m3u8", networks=WIDE)
    assert inside.hits() > 0, "without the guard it must be reached"


def test_a_name_that_turns_inside_is_not_followed(puller: Puller, origin: Origin, authority: Authority) -> None:
    """Rebinding: between playlist and segment the name gets an inner address, on the same port."""
    origin.put("/start.m3u8", SEGMENT.format(tags="", uri="plain0.ts"))
    with Listener("127.0.0.1", origin.port) as inside:
        pulled = puller.pull(f"https://{TURNING_NAME}:{origin.port}/start.m3u8")
        assert origin.asked == ["/start.m3u8"] and inside.hits() == 0
        assert pulled.refusal and "127.0.0.1, which is not public" in pulled.refusal
        puller.pull(f"https://{TURNING_NAME}:{origin.port}/start.m3u8", networks=WIDE)
        assert inside.hits() > 0, "without the guard it must be reached"


Playlist = Callable[[Path], str]
FILES: dict[str, tuple[Playlist, dict[str, str]]] = {
    "segment": (lambda file: SEGMENT.format(tags="", uri=f"file:{file}"), {}),
    "media playlist": (lambda file: MASTER.format(uri=f"file:{file.with_name('plain.m3u8')}"), {}),
    "init section": (lambda file: SEGMENT.format(tags=f'#EXT-X-MAP:URI="file:{file}"\n', uri=f"file:{file}"), {}),
    "script of concat": (lambda file: f"ffconcat version 1.0\nfile 'file:{file}'\n", {"safe": "0"}),
}


@pytest.mark.parametrize(("playlist", "careless"), FILES.values(), ids=FILES.keys())
def test_files_are_not_read(
    puller: Puller, origin: Origin, media: Path, playlist: Playlist, careless: dict[str, str]
) -> None:
    origin.put("/evil.m3u8", playlist(media / "plain0.ts"))
    assert puller.pull(f"{origin.url}/evil.m3u8").media_bytes == 0
    assert set(origin.asked) == {"/evil.m3u8"}
    assert run_careless(f"{origin.url}/evil.m3u8", **careless).media_bytes > 0, "without the guard it must be read"


@pytest.mark.parametrize("form", ["concat:{file}|{file}", "subfile,,start,0,end,0,,:{file}", "crypto:file:{file}"])
def test_other_protocols_are_not_opened_from_a_playlist(puller: Puller, origin: Origin, media: Path, form: str) -> None:
    """ffmpeg 5.1 refuses these by itself; this says so if another version does not."""
    origin.put("/evil.m3u8", SEGMENT.format(tags="", uri=form.format(file=media / "plain0.ts")))
    assert puller.pull(f"{origin.url}/evil.m3u8").media_bytes == 0
    assert set(origin.asked) == {"/evil.m3u8"}


def test_certificates_are_verified_for_segments_too(
    puller: Puller, origin: Origin, authority: Authority, tmp_path: Path
) -> None:
    strange = Authority(tmp_path)
    for context in (authority.context("other.test"), strange.context("127.0.0.2")):
        with Origin("127.0.0.2", context) as false:
            false.pages = origin.pages
            puller.ports |= {false.port}
            origin.put("/start.m3u8", SEGMENT.format(tags="", uri=f"{false.url}/plain0.ts"))
            for url in (f"{origin.url}/start.m3u8", f"{false.url}/plain0.ts"):
                pulled = puller.pull(url)
                assert pulled.media_bytes == 0 and pulled.refusal and "certificate verify failed" in pulled.refusal
            assert false.asked == []
            assert run_careless(f"{origin.url}/start.m3u8").media_bytes > 0, "unverified, it must play"


def test_a_port_that_is_not_allowed_is_not_reached(puller: Puller, origin: Origin) -> None:
    with Listener("127.0.0.2") as other:
        origin.put("/evil.m3u8", SEGMENT.format(tags="", uri=f"https://127.0.0.2:{other.port}/x.ts"))
        pulled = puller.pull(f"{origin.url}/evil.m3u8")
        assert other.hits() == 0 and pulled.refusal and f"port '{other.port}' is not allowed" in pulled.refusal
        puller.ports |= {other.port}
        puller.pull(f"{origin.url}/evil.m3u8")
        assert other.hits() > 0, "when allowed, it must be reached"


def test_a_source_that_never_ends_is_ended_with_the_proxy(puller: Puller, origin: Origin, media: Path) -> None:
    ts = (media / "plain0.ts").read_bytes()
    source = check_source_url(f"{origin.url}/live.ts", ports=puller.ports, networks=WIDE)
    with puller.egress(source) as egress:

        def endless() -> Iterator[bytes]:
            yield ts
            egress.stop()
            while True:
                yield ts

        origin.pages["/live.ts"] = Page(endless())
        run(pull_request(source, Proxied(proxy_url=egress.url)), seconds=10_000)
        assert origin.asked == ["/live.ts"]
