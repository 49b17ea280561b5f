"""The address that an operator copies into OBS accepts a sender until its key is replaced."""

import httpx

from tests.e2e.conftest import Platform
from tests.fixtures.stack import Stack
from tests.integration.gateway.ingest.harness import plays, send

LISTENING = {"mode": "listen", "protocol": "rtmp"}
DROPPED_S_MAX = 12.0


def test_an_operators_address_takes_a_sender_until_its_key_is_replaced(stack: Stack) -> None:
    with httpx.Client(base_url=stack.url, timeout=20) as http:
        platform = Platform(stack, http)
        stream = platform.operator("POST", "/streams", json={"title": "A sender's", "ingest": LISTENING})
        path = f"/streams/{stream['stream_id']}"
        address = "{server}/{stream_key}".format(**stream["ingest_address"])
        assert address.startswith(stack.layout.rtmp_url)
        with send(address) as sender:
            try:
                assert plays(address, seconds=15)
                platform.operator("POST", f"{path}/ingest-key")
                sender.wait(DROPPED_S_MAX)
            finally:
                sender.kill()
        with send(address) as refused:
            assert refused.wait(DROPPED_S_MAX) != 0
        platform.operator("DELETE", path)
        assert stream["ingest_key"] not in stack.log("ingest") + stack.log("endpoints") + stack.log("api")
