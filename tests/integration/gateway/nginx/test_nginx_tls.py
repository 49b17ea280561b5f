"""TLS and HTTP/2 towards viewers, and TLS to S3, whose name nginx resolves again and again."""

import http.client
import socket
import ssl
import struct
import threading
from contextlib import ExitStack, closing
from dataclasses import replace

import pytest

from gateway.nginx.config import GatewayConfig
from gateway.nginx.tls import Tls
from tests.fixtures.authority import Authority
from tests.fixtures.ports import free_port
from tests.integration.gateway.nginx.harness import SEGMENT, LongQueueServer, StubS3, run_nginx, serving

SESSION = "a" * 26
HOST = "watch.test"
S3_HOST = "s3.test"


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def names():
    """The address of a name server that resolves every name to 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            while (asked := _received(server)) is not None:
                query, asker = asked
                question = query[12 : query.index(b"\0", 12) + 5]
                head = query[:2] + struct.pack("!5H", 0x8180, 1, 1, 0, 0)
                is_address = question[-4:-2] == b"\0\x01"
                answer = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + bytes((127, 0, 0, 1))
                if not is_address:
                    head, answer = query[:2] + struct.pack("!5H", 0x8180, 1, 0, 0, 0), b""
                server.sendto(head + question + answer, asker)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"


def _received(server: socket.socket) -> tuple[bytes, object] | None:
    try:
        return server.recvfrom(512)
    except OSError:
        return None


@pytest.fixture
def start(gateway, nginx_config, authority, tmp_path, names):
    """Return a function that starts a second nginx with TLS on both sides, from the certificates to trust for S3."""
    s3 = LongQueueServer(("127.0.0.1", 0), StubS3)
    port = s3.server_address[1]
    s3.socket = authority.context(S3_HOST).wrap_socket(s3.socket, server_side=True, do_handshake_on_connect=False)
    s3.hits, s3.missing, s3.failing, s3.host = gateway.s3.hits, set(), False, f"{S3_HOST}:{port}"
    certificate = authority.certificate(HOST)
    (tmp_path / "state").mkdir()

    def started(trusted) -> GatewayConfig:
        config = replace(
            nginx_config,
            listen=f"127.0.0.1:{free_port()}",
            origin_socket=nginx_config.origin_socket.with_name("origin-tls.sock"),
            state_dir=tmp_path / "state",
            s3_host=s3.host,
            s3_trusted=trusted,
            resolver=names,
            tls=Tls(certificate=certificate, key=certificate, host=HOST, plain_listen=f"127.0.0.1:{free_port()}"),
        )
        running.enter_context(run_nginx(config))
        return config

    with ExitStack() as running:
        running.enter_context(serving(s3))
        yield started


def connected(config, authority, *protocols: str) -> ssl.SSLSocket:
    """Return a connection of a client that trusts the authority and expects the public name."""
    context = ssl.create_default_context(cafile=authority.ca_file)
    context.set_alpn_protocols(list(protocols))
    host, port = config.listen.split(":")
    return context.wrap_socket(socket.create_connection((host, int(port)), timeout=5), server_hostname=HOST)


def segment(config, authority):
    """Fetch a segment by HTTP/1.1 over TLS, and return status, headers and body."""
    with closing(http.client.HTTPConnection(HOST)) as client:
        client.sock = connected(config, authority, "http/1.1")
        client.request("GET", f"/play/{SESSION}/720p/1.ts", headers={"Authorization": f"Bearer t-{SESSION}"})
        answer = client.getresponse()
        return answer.status, answer.headers, answer.read()


def test_tls_and_http_2_to_viewers_and_tls_to_s3(start, authority):
    config = start(authority.ca_file)
    status, headers, body = segment(config, authority)
    assert (status, body) == (200, SEGMENT)
    assert headers["Strict-Transport-Security"] == "max-age=63072000"
    with connected(config, authority, "h2", "http/1.1") as connection:
        assert (connection.selected_alpn_protocol(), connection.version()) == ("h2", "TLSv1.3")


def test_plain_http_is_redirected_to_tls(start, authority):
    config = start(authority.ca_file)
    with closing(http.client.HTTPConnection(config.tls.plain_listen, timeout=5)) as client:
        client.request("POST", "/auth/login?x=1", headers={"Host": "evil.test"})
        answer = client.getresponse()
    assert (answer.status, answer.headers["Location"]) == (308, f"https://{HOST}/auth/login?x=1")


def test_an_s3_with_an_untrusted_certificate_gets_no_request(start, authority, tmp_path, gateway):
    (tmp_path / "other").mkdir()
    config = start(Authority(tmp_path / "other").ca_file)
    status, _, body = segment(config, authority)
    assert status == 502 and b"unavailable" in body
    assert gateway.hits("stream-1/720p/1.ts") == 0
