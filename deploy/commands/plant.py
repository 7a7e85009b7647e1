"""`plant`: look at a plant file before a plant depends on it."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Plant files: check, compare with what is in force, apply.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="The plant file.")]


@app.command("check")
def check(file: File) -> None:
    """Read a plant file and say what it holds, or what is wrong with it (exit 2)."""
    from ingest.plant.parse import load_plant

    plant = load_plant(file)
    typer.echo(f"{file}: {plant.site}: {len(plant.points)} points, {len(plant.kpis)} KPIs, in order")
