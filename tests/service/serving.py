"""The application behind a real socket, in the test's own loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from service.main import open_listener, serve


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[str]:
    """Its address; stopped as SIGTERM stops it."""
    listener = open_listener("127.0.0.1", 0)
    stop = asyncio.Event()
    task = asyncio.create_task(serve(app, listener, stop))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stop.set()
        await task
