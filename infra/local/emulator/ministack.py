"""Run the AWS emulator `ministack`: `python -m infra.local.emulator.ministack PORT DIRECTORY [--without-saves]`.

It is bound to 127.0.0.1, rejects anonymous requests, and its admin paths are closed. Its state is saved every few
seconds, so that a crash loses little; ministack itself saves only at a regular stop. Measurements with many rows do
without, since each save copies all of them. ministack is configured by its own variables, which must be set before it
is imported: see `emulator_environment`.

It verifies signatures in queries (presigned URLs, as the gateway sends them). Signatures in headers, as the SDK sends
them, are required but not verified: with `AUTH=true` a request without a signature is rejected, one with a wrong
signature is not. So any process of this machine can read and write everything here. Do not use the emulator to prove
that AWS would reject a request.
"""

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from pathlib import Path
from typing import Any

from infra.local.layout import HOST

WITHOUT_SAVES = "--without-saves"
SAVE_INTERVAL_S = 2.0
# A save copies everything. It takes at most about a twentieth of the emulator's time, whatever the amount.
SAVE_SHARE = 20
OPEN_PATHS = ("/_ministack/health", "/_ministack/ready", "/_localstack/health")
ADMIN_PREFIXES = ("/_ministack", "/_localstack")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Message, Receive, Send], Awaitable[None]]

log = logging.getLogger("emulator")


def emulator_environment(port: int, directory: Path) -> dict[str, str]:
    """Return ministack's variables: its address and its storage, without the extra listeners that it would open."""
    return {
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": HOST,
        "AUTH": "true",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(directory / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(directory / "s3"),
        # ministack unpacks deployed functions here and does not delete them.
        "TMPDIR": str(directory / "tmp"),
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        # ministack would otherwise look for a Docker daemon.
        "DOCKER_HOST": f"unix://{directory}/no-docker.sock",
        "LOG_LEVEL": "WARNING",
    }


def restrict(app: AsgiApp) -> AsgiApp:
    """Reject anonymous listings of all buckets and requests for admin paths, one of which deletes everything."""

    async def restricted(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _allowed(scope):
            await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": b"closed by infra/local/emulator/ministack.py\n"})
            return
        await app(scope, receive, send)

    return restricted


def _allowed(scope: Message) -> bool:
    path = scope["path"]
    if path.startswith(ADMIN_PREFIXES):
        return path in OPEN_PATHS and scope["method"] in ("GET", "HEAD")
    if path == "/" and scope["method"] in ("GET", "HEAD"):
        signed = any(name.lower() == b"authorization" for name, _ in scope["headers"])
        return signed or b"x-amz-signature=" in scope["query_string"].lower()
    return True


def saving(app: AsgiApp, save: Callable[[], Awaitable[None]], interval_s: float) -> AsgiApp:
    """Call `save` every `interval_s` between the app's start-up and its shutdown.

    Before the start-up is complete, the state on disk is not loaded, and a save would delete it. The shutdown saves to
    the same files itself.
    """
    task: asyncio.Task[None] | None = None

    async def forever() -> None:
        pause_s = interval_s
        while True:
            await asyncio.sleep(pause_s)
            began = time.monotonic()
            try:
                await save()
            except Exception:
                # One failure (a full disk) must not end the saving: the loss would show only after a crash.
                log.exception("the state could not be saved")
            pause_s = max(interval_s, SAVE_SHARE * (time.monotonic() - began))

    async def wrapped(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return

        async def send_and_begin(message: Message) -> None:
            nonlocal task
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                task = asyncio.create_task(forever())

        async def receive_and_finish() -> Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown" and task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            return message

        await app(scope, receive_and_finish, send_and_begin)

    return wrapped


async def save_state() -> None:
    """Write the state of every service. The copy is made between two requests, so it is consistent."""
    from ministack import app
    from ministack.core import persistence

    copies: dict[str, Callable[[], Any]] = {}
    for name, get_state in app._build_persistence_save_dict().items():
        try:
            copies[name] = partial(_same, get_state())
        except RuntimeError:
            # ministack's expiry thread changed it during the copy. The next save is soon.
            log.info("%s changed during the copy and was not saved", name)
    await _finished(asyncio.to_thread(persistence.save_all, copies))


def _same(value: Any) -> Any:
    return value


async def _finished(work: Awaitable[None]) -> None:
    """Await `work` to its end even when cancelled: a shutdown uses the same temporary files."""
    future = asyncio.ensure_future(work)
    try:
        await asyncio.shield(future)
    except asyncio.CancelledError:
        await future
        raise


async def serve(port: int, *, saves: bool) -> None:
    """Serve until SIGTERM or SIGINT, then save and return. `saves` says whether to save in between as well."""
    from hypercorn.asyncio import serve as hypercorn_serve
    from hypercorn.config import Config
    from ministack import app

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    config = Config()
    config.bind = [f"{HOST}:{port}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 2
    config.loglevel = "WARNING"
    restricted: Any = restrict(saving(app.app, save_state, SAVE_INTERVAL_S) if saves else app.app)
    await hypercorn_serve(restricted, config, mode="asgi", shutdown_trigger=stop.wait)


def main() -> None:
    """Run in the foreground."""
    port, directory = int(sys.argv[1]), Path(sys.argv[2])
    os.environ.update(emulator_environment(port, directory))
    Path(os.environ["TMPDIR"]).mkdir(parents=True, exist_ok=True)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    asyncio.run(serve(port, saves=WITHOUT_SAVES not in sys.argv))


if __name__ == "__main__":
    main()
