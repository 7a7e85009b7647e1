"""`demo`: a real steel works and a simulated cement line, end to end."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.commands import options


def demo(
    run_for: Annotated[
        float | None,
        typer.Option("--for", min=0, metavar="SECONDS", help="Stop after this time, and compare."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
    state: options.State = Path(".state"),
    http_port: options.HttpPort = None,
    mqtt_port: options.MqttPort = None,
    ingest_port: options.IngestPort = None,
    pg_port: options.PgPort = None,
    bind: options.Bind = "127.0.0.1",
    admin_key: options.AdminKey = None,
) -> None:
    """Run the stack with two plants; with --for, exit 1 unless published = acknowledged = stored."""
    from deploy import demo as demonstration
    from deploy.stack import Wishes, shipped_plants

    wishes = Wishes(
        state=state,
        plants=shipped_plants(),
        bind=bind,
        http_port=http_port,
        mqtt_port=mqtt_port,
        ingest_port=ingest_port,
        pg_port=pg_port,
        admin_key=admin_key,
    )
    raise typer.Exit(demonstration.run(wishes, run_for, as_json=as_json))
