"""Getting the kernels ready while the rest of the process starts.

Loading them takes a second, compiling them half a minute. The thread that does it is
a daemon: a process that is told to stop waits for no compiler.
"""

import asyncio
import threading
from contextlib import suppress

from ingest.errors import StackwattError


async def warm(stop: asyncio.Event) -> bool:
    """Compile or load every kernel; False if told to stop meanwhile.

    Raises:
        StackwattError: that failed; its thread has said why on standard error.
    """
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    finished: list[bool] = []

    def work() -> None:
        from kernels._jit import warm_up  # noqa: PLC0415  numba is loaded by this thread

        try:
            warm_up()
            finished.append(True)
        finally:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=work, name="warm-up", daemon=True).start()
    waits = [asyncio.create_task(event.wait()) for event in (ended, stop)]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    if not ended.is_set():
        return False
    if not finished:
        raise StackwattError("the kernels could not be compiled; the reason stands above")
    return True
