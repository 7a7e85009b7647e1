"""`up`: the stack for a plant of one's own, until Ctrl-C."""

import os
from pathlib import Path
from typing import Annotated

import typer

from deploy.commands import options
from ingest.errors import InputError


def up(
    plant: Annotated[list[Path] | None, typer.Option(help="Plant file; may be given more than once.")] = None,
    state: options.State = Path(".state"),
    http_port: options.HttpPort = None,
    mqtt_port: options.MqttPort = None,
    ingest_port: options.IngestPort = None,
    pg_port: options.PgPort = None,
    bind: options.Bind = "127.0.0.1",
    broker: options.BrokerChoice = "own",
    mqtt_url: options.MqttUrl = None,
    dsn: options.Dsn = None,
    admin_key: options.AdminKey = None,
) -> None:
    """Run database, broker, ingest and service until Ctrl-C."""
    from deploy import foreground
    from deploy.stack import Wishes

    if "STACKWATT_TLS_CERT" in os.environ:
        raise InputError(
            "STACKWATT_TLS_CERT is for `serve` alone: expected a proxy in front of the whole stack"
        )
    wishes = Wishes(
        state=state,
        plants=tuple(plant or ()),
        bind=bind,
        http_port=http_port,
        mqtt_port=mqtt_port,
        ingest_port=ingest_port,
        pg_port=pg_port,
        mqtt_url=external_broker(broker, mqtt_url, os.environ.get("STACKWATT_MQTT_URL")),
        dsn=dsn,
        admin_key=admin_key,
    )
    foreground.run(wishes)


def external_broker(broker: str, given: str | None, from_environment: str | None) -> str | None:
    """The address of somebody else's broker; None for our own."""
    match broker:
        case "own" if given is None:
            return None
        case "own":
            raise InputError(
                "--mqtt-url is the address of somebody else's broker: give --broker external with it"
            )
        case "external":
            url = given or from_environment
            if url is None:
                raise InputError("--broker external needs its address: --mqtt-url or STACKWATT_MQTT_URL")
            return url
        case _:
            raise InputError(f"--broker {broker}: expected own or external")
