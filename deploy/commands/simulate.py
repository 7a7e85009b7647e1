"""`simulate`: a plant whose truth is known, publishing to a broker."""

import asyncio
import logging
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from deploy.commands import options


class Kind(StrEnum):
    """The plants there are."""

    CEMENT = "cement"
    STEEL = "steel"


class Midnight(StrEnum):
    """What the row stamped 00:00 of a day means in the steel record."""

    NEXT_DAY = "next-day"
    AS_IS = "as-is"


def simulate(
    kind: Annotated[Kind, typer.Argument(help="Which plant.")],
    mqtt_url: Annotated[
        str, typer.Option(envvar="STACKWATT_MQTT_URL", help="mqtt://[user:password@]host[:port]")
    ] = "mqtt://127.0.0.1:1883",
    stats: Annotated[Path | None, typer.Option(help="File for statistics, rewritten every second.")] = None,
    plant: Annotated[Path | None, typer.Option(help="Plant file [default: the one that ships].")] = None,
    seed: Annotated[int, typer.Option(help="Another seed, another cement line and other faults.")] = 1,
    fault: Annotated[
        list[str] | None, typer.Option(help="all, or such as late=0.02; may be given more than once.")
    ] = None,
    history: Annotated[float, typer.Option(help="Cement: hours before now to start from.")] = 24.0,
    csv: Annotated[
        Path | None, typer.Option(help="Steel: the record [default: the week that ships].")
    ] = None,
    midnight: Annotated[Midnight, typer.Option(help="Steel: what a 00:00 stamp means.")] = Midnight.NEXT_DAY,
    at_once: Annotated[float, typer.Option(help="Steel: days sent as fast as they are acknowledged.")] = 3.0,
    rows_per_s: Annotated[float, typer.Option(help="Steel: pace of the days after; 0: no pace.")] = 1.0,
) -> None:
    """Publish a plant until SIGTERM; then wait for what is not acknowledged."""
    from simulator import main

    given = main.Options(
        plant=plant,
        seed=seed,
        faults=tuple(fault or ()),
        history_h=history,
        csv=csv,
        midnight=midnight.value,
        at_once_days=at_once,
        rows_per_s=rows_per_s,
    )
    logging.basicConfig(level=logging.INFO, format=options.LOG_FORMAT)
    raise typer.Exit(asyncio.run(main.run(kind.value, mqtt_url, stats, given)))
