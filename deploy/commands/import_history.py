"""`import`: history from a CSV file by a mapping file."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.commands import options
from deploy.database import reached, stored_dsn


def import_history(
    file: Annotated[Path, typer.Argument(help="The CSV file.")],
    mapping: Annotated[Path, typer.Option(help="What its columns and times mean (YAML).")],
    dsn: options.Dsn = None,
) -> None:
    """Import history; started again, it goes on where it was and stores nothing twice."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from ingest.importer import Progress as Report
    from ingest.importer import import_csv
    from ingest.main import CLOCKS

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task(file.name, total=None)

        def report(now: Report) -> None:
            waiting = f"{now.rows:,} rows, {now.waiting} messages waiting"
            progress.update(
                bar,
                completed=now.bytes_done,
                total=now.bytes_total,
                description=f"{file.name}: {'reading it through' if now.phase == 'checking' else waiting}",
            )

        done = reached(import_csv(stored_dsn(dsn), file, mapping, CLOCKS, report))
    typer.echo(f"{file.name}: {done.rows} rows stored, {done.queued} messages that were not there before")
