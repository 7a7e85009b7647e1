"""`conformance`: a file of worked examples against what the product computes."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

File = Annotated[Path, typer.Argument(help="JSON list of {id, op, inputs, expected, tol}.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]


def conformance(file: File, as_json: AsJson = False) -> None:
    """Compute worked examples; exit 1 if one whose operation is here does not come out as expected."""
    from ingest.conformance import conform

    verdict = conform(file)
    if as_json:
        body = asdict(verdict) | {"failed": len(verdict.failed)}
        typer.echo(json.dumps(body))
    else:
        for example in verdict.examples:
            typer.echo(f"{example.id}  {example.op}  {example.fault or 'as expected'}")
        if verdict.absent:
            absent = ", ".join(f"{op} ({count})" for op, count in sorted(verdict.absent.items()))
            typer.echo(f"not here yet: {absent}")
        typer.echo(
            f"{len(verdict.examples)} computed, {len(verdict.failed)} failed, "
            f"{sum(verdict.absent.values())} not here yet"
        )
    raise typer.Exit(1 if verdict.failed else 0)
