"""`restate`: a past span under changed factors, shown by source and month or written as revisions."""

import json
import os
import socket
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.commands import options
from deploy.database import reached, stored_dsn

if TYPE_CHECKING:
    from ingest.restate import Restated

From = Annotated[
    str, typer.Option("--from", help="First interval: an instant, or a date (midnight of the site).")
]
To = Annotated[str, typer.Option("--to", help="End, not included, alike.")]
Site = Annotated[str | None, typer.Option(help="Which site [default: the only one].")]
Version = Annotated[int | None, typer.Option("--plan", help="Version [default: the newest in force].")]
Apply = Annotated[bool, typer.Option("--apply/--preview", help="Write it, or only look [default: look].")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]


def restate(
    from_at: From,
    to_at: To,
    site: Site = None,
    plan: Version = None,
    apply: Apply = False,
    as_json: AsJson = False,
    dsn: options.Dsn = None,
) -> None:
    """Emissions and KPI values of a span as a plan version makes them: before, after, difference by month.

    A preview reads only and may run beside ingest. Intervals are not made again; that is `replay`.
    """
    from deploy.console import actor
    from ingest.main import CLOCKS
    from ingest.restate import Wanted
    from ingest.restate import restate as restated

    holder = f"a restatement, process {os.getpid()} on {socket.gethostname()}" if apply else None
    outcome = reached(restated(stored_dsn(dsn), Wanted(site, plan, from_at, to_at), CLOCKS, holder, actor()))
    typer.echo(json.dumps(_body(outcome)) if as_json else _as_text(outcome))


def _as_text(outcome: "Restated") -> str:
    lines = [
        f"{one.source}  {one.month or 'all'}  {one.before_kg!r} kg → {one.after_kg!r} kg,"
        f" {one.difference_kg:+} kg in {one.intervals} intervals"
        for one in outcome.changes
        if one.intervals
    ]
    different = ", ".join(f"{table} {rows}" for table, rows in sorted(outcome.different.items())) or "nothing"
    said = "restated" if outcome.written else "would change" if outcome.different else "changes"
    left = f"; {outcome.left} figures it does not make are left" if outcome.left else ""
    if outcome.not_restated:
        left += f"; left as documents told them, for it makes no mass: {', '.join(outcome.not_restated)}"
    span = f"{_instant(outcome.from_at)} to {_instant(outcome.to_at)}"
    lines.append(f"{outcome.site}: {span}: plan version {outcome.version} {said} {different}{left}")
    return "\n".join(lines)


def _body(outcome: "Restated") -> dict[str, object]:
    body = asdict(outcome)
    body |= {"from": _instant(body.pop("from_at")), "to": _instant(body.pop("to_at"))}
    return body


def _instant(at: int) -> str:
    return datetime.fromtimestamp(at // 1_000_000, UTC).isoformat().replace("+00:00", "Z")
