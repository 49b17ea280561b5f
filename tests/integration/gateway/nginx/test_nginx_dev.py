"""Media without a session, for developers: only with the snippet included, and only at its address."""

from dataclasses import replace

import httpx
import pytest

from gateway.nginx.config import TEMPLATE, render
from infra.local.layout import ROOT
from tests.fixtures.ports import free_port
from tests.integration.gateway.nginx.harness import PLAYLIST, SEGMENT, run_nginx

SNIPPET = ROOT / "infra" / "dev" / "hls.conf"
PORT = 8090


@pytest.fixture
def dev(gateway, nginx_config, tmp_path):
    """Start a second nginx with the snippet; return the snippet's URL and that of the public server."""
    port = free_port()
    snippet = tmp_path / "hls.conf"
    snippet.write_text(SNIPPET.read_text().replace(f"127.0.0.1:{PORT}", f"127.0.0.1:{port}"))
    (tmp_path / "state").mkdir()
    config = replace(
        nginx_config,
        listen=f"127.0.0.1:{free_port()}",
        origin_socket=nginx_config.origin_socket.with_name("origin-dev.sock"),
        state_dir=tmp_path / "state",
    )
    text = render(config).rstrip().removesuffix("}") + f'include "{snippet}"; }}\n'
    with run_nginx(config, text):
        yield f"http://127.0.0.1:{port}/hls", f"http://{config.listen}/hls"


def test_the_snippet_serves_only_media_without_a_session(dev):
    private, public = dev
    playlist = httpx.get(f"{private}/stream-1/720p/index.m3u8")
    assert (playlist.status_code, playlist.content, playlist.headers["Cache-Control"]) == (200, PLAYLIST, "no-store")
    assert httpx.get(f"{private}/stream-1/720p/1.ts").content == SEGMENT
    # The public server passes the request on to the API, which does not run in this test.
    assert httpx.get(f"{public}/stream-1/720p/1.ts").status_code == 502
    for path in ("/stream-1/720p/secret", "/../play/x/index.m3u8", "/stream-1/%2e%2e/1.ts", "/", ""):
        assert httpx.get(private + path).status_code == 404, path
    assert httpx.head(f"{private}/stream-1/720p/1.ts").status_code == 200
    assert httpx.delete(f"{private}/stream-1/720p/1.ts").status_code == 403


def test_no_stage_includes_the_snippet():
    assert "/hls/" not in TEMPLATE.read_text()
    assert not [path for path in (ROOT / "infra").rglob("*.py") if "hls.conf" in path.read_text()]
