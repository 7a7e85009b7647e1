"""`ingest`: the process that turns messages into facts."""

import asyncio
import logging
import os
import socket
from pathlib import Path
from typing import Annotated

import typer

from deploy.commands import options
from deploy.database import stored_dsn

Url = Annotated[
    str | None,
    typer.Option(
        envvar="STACKWATT_MQTT_URL", help="mqtt://[user:password@]host[:port]; none: only the inbox."
    ),
]

Session = Annotated[
    str, typer.Option(envvar="STACKWATT_MQTT_SESSION", hidden=True, help="Only from the environment.")
]
Host = Annotated[str, typer.Option(envvar="STACKWATT_INGEST_BIND", help="Address of health and metrics.")]
Port = Annotated[int, typer.Option(envvar="STACKWATT_INGEST_PORT", help="Port of health and metrics.")]
EvidenceKey = Annotated[
    Path | None,
    typer.Option(
        envvar="STACKWATT_EVIDENCE_KEY", help="Private key that signs evidence [default: it is not signed]."
    ),
]


def ingest(
    plant: Annotated[
        list[Path] | None,
        typer.Option(help="Plant file to apply; may be given more than once [default: none]."),
    ] = None,
    dsn: options.Dsn = None,
    mqtt_url: Url = None,
    mqtt_ca: Annotated[
        Path | None,
        typer.Option(
            envvar="STACKWATT_MQTT_CA", help="Authority of an mqtts:// broker [default: the system's]."
        ),
    ] = None,
    mqtt_cert: Annotated[
        Path | None, typer.Option(envvar="STACKWATT_MQTT_CERT", help="Our certificate, PEM [default: none].")
    ] = None,
    mqtt_key: Annotated[
        Path | None, typer.Option(envvar="STACKWATT_MQTT_KEY", help="Its key [default: in the same file].")
    ] = None,
    mqtt_verify: Annotated[
        bool, typer.Option(envvar="STACKWATT_MQTT_VERIFY", help="Whether the broker has to prove who it is.")
    ] = True,
    mqtt_session: Session = "stackwatt",
    http_host: Host = "127.0.0.1",
    http_port: Port = 8081,
    evidence_key: EvidenceKey = None,
    wait: Annotated[bool, typer.Option(help="Wait for a site that another ingest holds, or exit 2.")] = True,
) -> None:
    """Run ingest for the plants given, else for every site of the database, until SIGTERM; then drain."""
    from ingest.evidence.signing import read_signer
    from ingest.main import run
    from ingest.mqtt.tls import BrokerTls
    from ingest.settings import IngestSettings, check_session

    logging.basicConfig(level=logging.INFO, format=options.LOG_FORMAT)
    settings = IngestSettings(
        dsn=stored_dsn(dsn),
        mqtt_url=mqtt_url,
        mqtt_session=check_session(mqtt_session),
        mqtt_tls=BrokerTls(mqtt_ca, mqtt_cert, mqtt_key, mqtt_verify),
        plants=tuple(plant or ()),
        http_host=http_host,
        http_port=http_port,
        wait=wait,
        signer=None if evidence_key is None else read_signer(evidence_key),
        holder=f"ingest, process {os.getpid()} on {socket.gethostname()}",
    )
    raise typer.Exit(asyncio.run(run(settings)))
