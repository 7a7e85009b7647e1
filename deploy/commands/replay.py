"""`replay`: stored readings folded again and compared with what is stored, or that restated."""

import json
import os
import socket
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.commands import options
from deploy.database import reached, stored_dsn

if TYPE_CHECKING:
    from ingest.replay import Difference, Outcome

From = Annotated[
    str, typer.Option("--from", help="First interval: an instant, or a date (midnight of the site).")
]
To = Annotated[str, typer.Option("--to", help="End, not included, alike.")]
Site = Annotated[str | None, typer.Option(help="Which site [default: the only one].")]
Points = Annotated[
    str, typer.Option(help="Only points whose id fits one of these patterns (a,b), and what reads them.")
]
Apply = Annotated[
    bool,
    typer.Option("--apply/--check", help="Write what differs as revisions, or only look [default: look]."),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]


def replay(
    from_at: From,
    to_at: To,
    site: Site = None,
    points: Points = "*",
    apply: Apply = False,
    as_json: AsJson = False,
    dsn: options.Dsn = None,
) -> None:
    """Fold stored readings again and compare every figure; exit 1 if any differs.

    A check reads only and may run beside ingest. Hours and days are compared that lie in the span.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from deploy.console import actor
    from ingest.main import CLOCKS
    from ingest.replay import Wanted
    from ingest.replay import replay as replayed

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("replay", total=None)

        def report(done: int, total: int) -> None:
            progress.update(bar, completed=done, total=total)

        wanted = Wanted(site, points, from_at, to_at)
        holder = f"a replay, process {os.getpid()} on {socket.gethostname()}" if apply else None
        outcome = reached(replayed(stored_dsn(dsn), wanted, CLOCKS, report, holder, actor()))
    typer.echo(_as_json(outcome) if as_json else _as_text(outcome))
    raise typer.Exit(0 if outcome.equal or outcome.restated else 1)


def _as_text(outcome: "Outcome") -> str:
    lines = [_line(difference) for difference in outcome.first]
    n_different = sum(outcome.different.values())
    if n_different > len(lines):
        lines.append(f"… and {n_different - len(lines)} more")
    compared = ", ".join(
        f"{table} {rows}" + (f" ({outcome.different[table]} differ)" if outcome.different[table] else "")
        for table, rows in outcome.compared.items()
    )
    span = f"{_instant(outcome.from_at)} to {_instant(outcome.to_at)}"
    said = "equal" if outcome.equal else "restated" if outcome.restated else "different"
    lines.append(f"{outcome.site}: {span}: {outcome.readings} readings; {compared}: {said}")
    return "\n".join(lines)


def _line(difference: "Difference") -> str:
    columns = ", ".join(
        f"{name} is {stored}, expected {made}" for name, (stored, made) in difference.columns.items()
    )
    where = f"{difference.table}  {difference.id}  {_instant(difference.at)}"
    return f"{where}  {columns or difference.what}"


def _as_json(outcome: "Outcome") -> str:
    body = asdict(outcome) | {
        "from": _instant(outcome.from_at),
        "to": _instant(outcome.to_at),
        "equal": outcome.equal,
        "different": dict(outcome.different),
        "first": [asdict(one) | {"at": _instant(one.at)} for one in outcome.first],
    }
    return json.dumps({name: value for name, value in body.items() if not name.endswith("_at")})


def _instant(at: int) -> str:
    instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
    return instant.isoformat().replace("+00:00", "Z")
