"""What is published beside the lists of events does not stand in their way."""

import asyncio
import time

from streams.shards import Send

REST = 3.0  # times as long as a send took; similar items are 5 % of the loop's time at 17,000/s


def unhurried(send: Send) -> Send:
    """Return a `send` that rests after each call, so that events have the loop and Redis."""

    async def send_and_rest(commands: list[bytes]) -> None:
        begun = time.monotonic()
        await send(commands)
        await asyncio.sleep(REST * (time.monotonic() - begun))

    return send_and_rest
