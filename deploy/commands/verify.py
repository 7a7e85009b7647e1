"""`verify`: whether anything stored was altered, removed or inserted since ingest wrote it."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.commands import options
from deploy.database import reached, stored_dsn

if TYPE_CHECKING:
    from ingest.verify import Verified

Site = Annotated[str | None, typer.Option(help="Which site [default: the only one].")]
From = Annotated[
    str | None,
    typer.Option("--from", help="Only what became known from this instant on, in whole hours of UTC."),
]
To = Annotated[str | None, typer.Option("--to", help="And before this one, alike.")]
Key = Annotated[
    str | None,
    typer.Option(help="The plant's public key as it was given to you, in hex; another is a finding."),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]


def verify(
    site: Site = None,
    from_at: From = None,
    to_at: To = None,
    key: Key = None,
    as_json: AsJson = False,
    dsn: options.Dsn = None,
) -> None:
    """Hold what is stored against its evidence; each altered, removed or inserted row is told. Exit 1 if there is one.

    Without a key it cannot know that there was evidence: batches that have none at all are a finding then.
    Reads only and may run beside ingest.
    """
    from ingest.verify import Asked
    from ingest.verify import verify as verified

    outcome = reached(verified(stored_dsn(dsn), Asked(site, from_at, to_at)))
    lines = _lines(outcome, key)
    typer.echo(
        json.dumps(_body(outcome, lines))
        if as_json
        else _as_text(outcome, lines, is_key_known=key is not None)
    )
    if lines:
        raise typer.Exit(1)


def _lines(outcome: "Verified", key: str | None) -> list[str]:
    from ingest.evidence.verifier.telling import told
    from ingest.evidence.verifier.walk import not_vouched

    lines = [told(one, outcome.names) for one in outcome.tally.findings]
    if key is not None:
        return lines + not_vouched(outcome.tally, key)
    return lines + (
        [f"no evidence at all: nothing is proven of {outcome.bare} batches"] if outcome.bare else []
    )


def _as_text(outcome: "Verified", found: list[str], *, is_key_known: bool) -> str:
    tally, lines = outcome.tally, list(found)
    if not outcome.last_batch:
        lines.append(f"{outcome.site}: there is no evidence in this span.")
        return "\n".join(lines)
    said = f"{len(lines)} findings" if lines else "everything is as it was written"
    rows = outcome.rows.total()
    lines.append(
        f"{outcome.site}: batches {outcome.first_batch} to {outcome.last_batch}, {rows} rows: {said}."
        f" Hours: {tally.signed_hours} signed, {tally.unsigned_hours} not signed."
    )
    if tally.open_batches:
        lines.append(
            f"The last {tally.open_batches} batches are of an hour that is not over: nothing is stated of it yet."
        )
    if outcome.before:
        lines.append(
            f"Batches 1 to {outcome.before} are of before evidence began: nothing can be said of them."
        )
    if not is_key_known:
        lines.append(
            "No --key was given: that nobody made all of the evidence anew, or took its end away, is not proven."
        )
    if tally.let_go:
        lines.append(f"{tally.let_go} commit rows were let go by age, as the plant file asks.")
    lines += [f"Public key: {key}" for key in sorted(tally.keys)]
    return "\n".join(lines)


def _body(outcome: "Verified", lines: list[str]) -> dict[str, object]:
    tally = outcome.tally
    return {
        "site": outcome.site,
        "first_batch": outcome.first_batch,
        "last_batch": outcome.last_batch,
        "before_evidence_began": outcome.before,
        "rows": {table: rows for table, rows in sorted(outcome.rows.items()) if rows},
        "hours": {"signed": tally.signed_hours, "unsigned": tally.unsigned_hours},
        "batches_without_any_evidence": outcome.bare,
        "open_batches": tally.open_batches,
        "commits_let_go": tally.let_go,
        "public_keys": sorted(tally.keys),
        "findings": lines,
    }
