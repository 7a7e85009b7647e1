"""`plant`: look at a plant file before a plant depends on it, and apply it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.commands import options
from deploy.database import Connection, on_database

if TYPE_CHECKING:
    from ingest.store.registry import StoredPlan

app = typer.Typer(help="Plant files: check, compare with what is in force, apply.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="The plant file.")]


@app.command("check")
def check(file: File) -> None:
    """Compile a plant file and say what it holds, or what is wrong with it (exit 2)."""
    from ingest.plant import commands

    plan = commands.check(file)
    computed = len(plan.points) - plan.n_measured
    typer.echo(
        f"{file}: {plan.site}: {plan.n_measured} measured and {computed} computed points, "
        f"{len(plan.sources)} emission sources, {len(plan.kpis)} KPIs"
    )


@app.command("schema")
def schema() -> None:
    """Print the JSON Schema of the plant file, for editors."""
    from ingest.plant import commands

    typer.echo(json.dumps(commands.schema(), indent=2, ensure_ascii=False))


@app.command("diff")
def diff(file: File, dsn: options.Dsn = None) -> None:
    """Print what the file would change against the newest applied version."""
    from ingest.plant import commands, load_plant
    from ingest.plant.parse import from_body

    commands.check(file)
    new = load_plant(file)
    newest = on_database(dsn, lambda connection: _newest(connection, new.site))
    if newest is None:
        typer.echo(f"{new.site}: no version is applied yet; the file would be the first")
        return
    changes = commands.diff(from_body(newest.body, f"version {newest.version}"), new)
    typer.echo(
        "\n".join(changes) if changes else f"{new.site}: nothing changes against version {newest.version}"
    )


@app.command("apply")
def apply(file: File, dsn: options.Dsn = None) -> None:
    """Make the file the newest version, in force from the next interval edge on."""
    from deploy.console import actor
    from ingest.plant import canonical, commands, load_plant
    from ingest.store.registry import apply_plan, ensure_site

    commands.check(file)
    digest, body = canonical(load_plant(file))

    async def work(connection: Connection) -> tuple[int, bool]:
        newest = await _newest(connection, body["site"])
        site_no = await ensure_site(connection, body["site"])
        stored = await apply_plan(connection, site_no, digest, body, datetime.now(UTC), actor())
        return stored.version, newest is None or newest.version != stored.version

    version, changed = on_database(dsn, work)
    typer.echo(f"{body['site']}: version {version} {'applied' if changed else 'is the same: nothing to do'}")


async def _newest(connection: Connection, site: str) -> "StoredPlan | None":
    from ingest.store.registry import newest_plan

    cursor = await connection.execute("SELECT site_no FROM site WHERE id = %s", [site])
    row = await cursor.fetchone()
    return None if row is None else await newest_plan(connection, row[0])
