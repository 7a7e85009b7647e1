"""`serve`: the HTTP API and the live page."""

import asyncio
import logging
from typing import Annotated

import typer

from deploy.commands import options
from deploy.database import stored_dsn


def serve(
    dsn: options.Dsn = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8080,
    admin_key: options.AdminKey = None,
) -> None:
    """Run the service until SIGTERM."""
    from service.main import run

    logging.basicConfig(level=logging.INFO, format=options.LOG_FORMAT)
    raise typer.Exit(asyncio.run(run(stored_dsn(dsn), host, port, admin_key)))
