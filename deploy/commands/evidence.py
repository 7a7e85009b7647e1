"""`evidence`: the key that signs it, and bundles that others can check."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.commands import options
from deploy.database import reached, stored_dsn

app = typer.Typer(help="Evidence that what is stored is what was measured.", no_args_is_help=True)

Site = Annotated[str | None, typer.Option(help="Which site [default: the only one].")]
From = Annotated[
    str, typer.Option("--from", help="What became known from this instant on, in whole hours of UTC.")
]
To = Annotated[str, typer.Option("--to", help="And before this one, alike.")]
Output = Annotated[Path, typer.Option(help="The file to write; a zip.")]


@app.command("export")
def export(from_at: From, to_at: To, output: Output, site: Site = None, dsn: options.Dsn = None) -> None:
    """Write a period as one file that checks itself: `python FILE`. Needs no database, nor anything of ours."""
    from ingest.evidence_export import export as exported
    from ingest.verify import Asked

    outcome = reached(exported(stored_dsn(dsn), Asked(site, from_at, to_at), output))
    typer.echo(
        f"{output}: {outcome.site}, batches {outcome.first_batch} to {outcome.last_batch}, {outcome.rows} rows;"
        f" check it with: python {output}"
    )


@app.command("key")
def key(
    file: Annotated[Path, typer.Argument(help="File of the private key; made if it is not there.")],
) -> None:
    """Print the public key of a key file, to be given to whoever shall check; ingest gets the file by --evidence-key."""
    from ingest.evidence.signing import make_key, read_signer

    if not file.exists():
        make_key(file)
    typer.echo(read_signer(file).public_key.hex())
