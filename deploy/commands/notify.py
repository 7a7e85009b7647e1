"""`notify`: the process that delivers events to webhooks."""

import asyncio
import logging
import os
from pathlib import Path
from typing import Annotated

import typer

from deploy.commands import options
from deploy.database import stored_dsn

Private = Annotated[
    list[str] | None,
    typer.Option(
        "--private",
        envvar="STACKWATT_WEBHOOK_PRIVATE",
        help="Network of one's own that may be delivered to, such as 10.1.0.0/16; may be given more than once"
        " [default: none, public addresses only].",
    ),
]


def notify(
    dsn: options.Dsn = None,
    private: Private = None,
    public_url: Annotated[
        str, typer.Option(envvar="STACKWATT_PUBLIC_URL", help="Where people find the page, for links.")
    ] = "",
    ca_file: Annotated[
        Path | None,
        typer.Option(envvar="STACKWATT_WEBHOOK_CA", help="Certificates of authorities of one's own."),
    ] = None,
) -> None:
    """Deliver events to the webhooks of the plant files, until SIGTERM. Secrets come from the environment."""
    from service.webhooks.process import NotifierSettings, run
    from service.webhooks.targets import parse_networks

    logging.basicConfig(level=logging.INFO, format=options.LOG_FORMAT)
    settings = NotifierSettings(
        dsn=stored_dsn(dsn),
        environment=dict(os.environ),
        private=parse_networks(private or ()),
        public_url=public_url,
        ca_file=ca_file,
    )
    raise typer.Exit(asyncio.run(run(settings)))
