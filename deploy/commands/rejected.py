"""`rejected`: what ingest refused, and putting it in again once the cause is mended."""

from typing import Annotated

import typer

from deploy.commands import options
from deploy.database import Connection, on_database

app = typer.Typer(help="Messages that were refused: list, replay.", no_args_is_help=True)

Numbers = Annotated[
    list[int] | None, typer.Argument(help="Numbers from the list [default: all not replayed].")
]
Site = Annotated[str | None, typer.Option(help="Only of this site.")]
Reason = Annotated[str | None, typer.Option(help="Only with this reason.")]
Limit = Annotated[int, typer.Option(min=1, help="At most this many, the newest first.")]


@app.command("list")
def list_kept(site: Site = None, reason: Reason = None, limit: Limit = 100, dsn: options.Dsn = None) -> None:
    """Print kept refusals: number, time, reason, topic, what is wrong."""
    from ingest.store.rejected import list_rejected

    kept = on_database(
        dsn, lambda connection: list_rejected(connection, site=site, reason=reason, limit=limit)
    )
    for refusal in kept:
        element = "" if refusal.element is None else f" element {refusal.element}"
        replayed = (
            "" if refusal.replayed_at is None else f"  (replayed {refusal.replayed_at:%Y-%m-%dT%H:%M:%SZ})"
        )
        typer.echo(
            f"{refusal.rejected_no}  {refusal.received_at:%Y-%m-%dT%H:%M:%SZ}  {refusal.reason}  "
            f"{refusal.topic}{element}: {refusal.detail}{replayed}"
        )


@app.command("replay")
def replay(
    numbers: Numbers = None,
    site: Site = None,
    reason: Reason = None,
    limit: Limit = 10_000,
    dsn: options.Dsn = None,
) -> None:
    """Queue refused messages again; a reading without a time gets the time it is taken in."""
    from deploy.console import actor
    from ingest.store.rejected import list_rejected, replay_rejected

    async def work(connection: Connection) -> int:
        chosen = numbers
        if not chosen:
            kept = await list_rejected(connection, site=site, reason=reason, limit=limit)
            chosen = [refusal.rejected_no for refusal in kept if refusal.replayed_at is None]
        return await replay_rejected(connection, chosen, actor())

    typer.echo(f"{on_database(dsn, work)} messages queued")
