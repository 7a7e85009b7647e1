"""The service as a process.

Listens, serves, and on SIGTERM or SIGINT ends its live streams, lets running
requests finish and returns 0. It waits for no database: until there is one it
answers with problems, and says so at `/readyz`.
"""

import asyncio
import logging
import signal
import socket
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from ingest.errors import InputError
from ingest.settings import check_dsn
from service.app import create_app
from service.connections import Impatient
from service.proxies import DIRECT, Proxies
from service.tls import Tls

log = logging.getLogger("stackwatt.service")

GRACE_S = 4
"""What requests are given to finish."""


async def run(
    dsn: str,
    host: str,
    port: int,
    admin_key: str | None,
    *,
    tls: Tls | None = None,
    proxies: Proxies = DIRECT,
) -> int:
    """Serve until told to stop; the exit code.

    Args:
        dsn: of the database ingest writes to.
        host: address to listen on.
        port: port to listen on; 0: any free one.
        admin_key: a key with every right; None: only keys of the database.
        tls: of the port; None: plain HTTP.
        proxies: whose word about requests is taken.

    Raises:
        InputError: the address cannot be listened on, the DSN not be read, or the certificate not be used.
    """
    check_dsn(dsn)
    if tls is not None:
        tls.check()
    listener = open_listener(host, port)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await serve(create_app(dsn, admin_key, proxies=proxies), listener, stop, tls)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    return 0


async def serve(app: FastAPI, listener: socket.socket, stop: asyncio.Event, tls: Tls | None = None) -> None:
    """Serve an application on an open socket until `stop` is set; live streams end first."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=GRACE_S,
        http=Impatient,
        proxy_headers=False,  # `service.proxies` looks at them, which knows whom to believe
        **(tls.options() if tls is not None else {}),
    )
    server = _Server(config)

    async def end() -> None:
        await stop.wait()
        app.state.service.feed.stop()
        server.should_exit = True

    host, port = listener.getsockname()[:2]
    scheme = "http" if tls is None else "https"
    log.info("listening on %s://%s:%d", scheme, f"[{host}]" if ":" in host else host, port)
    ending = asyncio.create_task(end(), name="end on stop")
    try:
        await server.serve(sockets=[listener])
    finally:
        ending.cancel()


class _Server(uvicorn.Server):
    """Leaves signals to `run`, which returns instead of raising them again."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Capture none."""
        yield


def open_listener(host: str, port: int) -> socket.socket:
    """A socket bound to the address; InputError where that is not to be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, else asyncio leaves Nagle's algorithm on and every answer costs a client 40 ms more.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # From here on clients wait instead of being refused while the application starts.
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise InputError(
            f"cannot listen on {host} port {port}: {error.strerror}; expected a free port."
        ) from None
    return listener
