import asyncio
import logging

import pytest

from infra.local.emulator.ministack import saving


async def app(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()


async def saves_within(seconds, save):
    """Run the app from start-up to shutdown, with a save every 10 ms."""
    events = asyncio.Queue()
    await events.put({"type": "lifespan.startup"})

    async def send(message):
        pass

    life = asyncio.create_task(saving(app, save, 0.01)({"type": "lifespan"}, events.get, send))
    await asyncio.sleep(seconds)
    await events.put({"type": "lifespan.shutdown"})
    await asyncio.wait_for(life, 5)


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), TypeError("not serializable")])
def test_a_failed_save_is_logged_and_the_next_one_runs(caplog, failure):
    saves = []

    async def save():
        saves.append(1)
        if len(saves) < 3:
            raise failure

    with caplog.at_level(logging.ERROR):
        asyncio.run(saves_within(0.3, save))
    assert len(saves) > 3 and [record.exc_info[1] for record in caplog.records] == [failure] * 2


def test_a_shutdown_stops_the_saving():
    saves = []

    async def save():
        saves.append(1)
        await asyncio.sleep(60)

    asyncio.run(saves_within(0.1, save))
    assert saves == [1]
