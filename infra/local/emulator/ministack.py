"""Run the AWS emulator `ministack` as the platform needs it.

Bound to 127.0.0.1, anonymous requests refused, its admin paths closed, and its state saved every few seconds while it
runs, so that a crash loses little. ministack itself saves only at an orderly stop. It is configured by its own
variables, which must be set before it is imported: see `emulator_environment`.

Of signatures it checks those in queries (presigned URLs, as the gateway sends them). Those in headers, as the SDK sends
them, it demands but does not verify: with `AUTH=true` a request without one is refused, one with a wrong one is not.
So any process of this machine can read and write everything here. What AWS would refuse must not be proved with it.
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

SAVE_INTERVAL_S = 2.0
# A save copies everything; however much there is, it takes at most about a twentieth of the emulator's time.
SAVE_SHARE = 20
OPEN_PATHS = ("/_ministack/health", "/_ministack/ready", "/_localstack/health")
ADMIN_PREFIXES = ("/_ministack", "/_localstack")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Message, Receive, Send], Awaitable[None]]

log = logging.getLogger("emulator")


def emulator_environment(port: int, directory: Path) -> dict[str, str]:
    """ministack's variables: where it listens, what it keeps, and none of the extra listeners that it would open."""
    return {
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": HOST,
        "AUTH": "true",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(directory / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(directory / "s3"),
        # Where it unpacks deployed functions, which it does not clear away.
        "TMPDIR": str(directory / "tmp"),
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        # No Docker here; ministack would otherwise look for a daemon.
        "DOCKER_HOST": f"unix://{directory}/no-docker.sock",
        "LOG_LEVEL": "WARNING",
    }


def closed(app: AsgiApp) -> AsgiApp:
    """Refuse the admin paths (a POST to one of them wipes everything) and anonymous listings of all buckets."""

    async def guarded(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _allowed(scope):
            await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": b"closed by infra/local/emulator/ministack.py\n"})
            return
        await app(scope, receive, send)

    return guarded


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

    Never before the start-up is complete: until then the state on disk is not loaded, and saving would erase it.
    Never beside the shutdown, which saves on its own and to the same files.
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
                # One bad moment (a full disk) must not end the saving for good: nobody would notice until a crash.
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
    """Write the state of every service: copied between two requests, so consistent, each file replaced at once."""
    from ministack import app
    from ministack.core import persistence

    copies: dict[str, Callable[[], Any]] = {}
    for name, get_state in app._build_persistence_save_dict().items():
        try:
            copies[name] = partial(_same, get_state())
        except RuntimeError:
            # ministack's own expiry thread changed it while it was copied; the next round is soon.
            log.info("%s changed while it was copied", name)
    await _finished(asyncio.to_thread(persistence.save_all, copies))


def _same(value: Any) -> Any:
    return value


async def _finished(work: Awaitable[None]) -> None:
    """Await it to its end even when cancelled: a shutdown must not race it for the same temporary files."""
    future = asyncio.ensure_future(work)
    try:
        await asyncio.shield(future)
    except asyncio.CancelledError:
        await future
        raise


async def serve(port: int) -> None:
    """Serve until SIGTERM or SIGINT, then save and return."""
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
    guarded: Any = closed(saving(app.app, save_state, SAVE_INTERVAL_S))
    await hypercorn_serve(guarded, config, mode="asgi", shutdown_trigger=stop.wait)


def main() -> None:
    """Run in the foreground."""
    port, directory = int(sys.argv[1]), Path(sys.argv[2])
    os.environ.update(emulator_environment(port, directory))
    Path(os.environ["TMPDIR"]).mkdir(parents=True, exist_ok=True)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    asyncio.run(serve(port))


if __name__ == "__main__":
    main()
