import asyncio

from infra.local.emulator.ministack import saving


async def app(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()


async def live_until(happened, save):
    """Run the app with a save every 10 ms, and shut it down when the event has happened."""
    events = asyncio.Queue()
    await events.put({"type": "lifespan.startup"})

    async def send(message):
        pass

    life = asyncio.create_task(saving(app, save, 0.01)({"type": "lifespan"}, events.get, send))
    await asyncio.wait_for(happened.wait(), 30)
    await events.put({"type": "lifespan.shutdown"})
    await asyncio.wait_for(life, 30)


def test_a_failed_save_is_logged_and_the_next_one_runs(caplog):
    saves, failure, saved = [], OSError(28, "No space left on device"), asyncio.Event()

    async def save():
        saves.append(1)
        if len(saves) < 3:
            raise failure
        saved.set()

    asyncio.run(live_until(saved, save))
    assert [record.exc_info[1] for record in caplog.records] == [failure] * 2


def test_a_shutdown_stops_the_saving():
    began = asyncio.Event()

    async def save():
        began.set()
        await asyncio.sleep(60)

    asyncio.run(live_until(began, save))
