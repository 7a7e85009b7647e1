"""The console command: names of commands, and what an error looks like.

Every command is a module of `deploy.commands` that imports what it starts only
when it runs, so asking for help loads neither numba nor a web server. An error
is one sentence on standard error: exit 2 where the input is wrong, else 1.
"""

import os
import sys

import typer

from deploy.commands import (
    backup,
    bench,
    chaos,
    check,
    conformance,
    declare,
    demo,
    documents,
    evidence,
    fuzz,
    import_history,
    ingest,
    keys,
    migrate,
    notify,
    plant,
    rejected,
    replay,
    restate,
    serve,
    simulate,
    test,
    up,
    verify,
)
from deploy.secret_files import read_secrets
from deploy.supervisor import StopRequestedError
from ingest.errors import InputError, StackwattError

_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}

app = typer.Typer(
    name="stackwatt",
    help="Streaming energy and carbon monitoring for industrial plants.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("demo")(demo.demo)
app.command("up")(up.up)
app.command("check")(check.check)
app.command("test", context_settings=_PASS_ON, add_help_option=False)(test.test)
app.command("bench", context_settings=_PASS_ON, add_help_option=False)(bench.bench)
app.command("chaos", context_settings=_PASS_ON, add_help_option=False)(chaos.chaos)
app.command("fuzz", context_settings=_PASS_ON, add_help_option=False)(fuzz.fuzz)
app.command("ingest")(ingest.ingest)
app.command("import")(import_history.import_history)
app.command("serve")(serve.serve)
app.command("notify")(notify.notify)
app.command("simulate", context_settings=_PASS_ON, add_help_option=False)(simulate.simulate)
app.command("conformance")(conformance.conformance)
app.command("replay")(replay.replay)
app.command("restate")(restate.restate)
app.command("verify")(verify.verify)
app.command("migrate")(migrate.migrate)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.add_typer(plant.app, name="plant")
app.add_typer(rejected.app, name="rejected")
app.add_typer(keys.app, name="keys")
app.add_typer(declare.app, name="declare")
app.add_typer(documents.app, name="documents")
app.add_typer(evidence.app, name="evidence")


def main() -> None:
    """Run the command line."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["stackwatt"]:  # ./run stackwatt …
        arguments = arguments[1:]
    try:
        read_secrets(os.environ)
        app(args=arguments, prog_name="stackwatt")
    except KeyboardInterrupt:
        sys.exit(130)
    except StopRequestedError as error:
        _fail(error, 130)
    except InputError as error:
        _fail(error, 2)
    except StackwattError as error:
        _fail(error, 1)


def _fail(error: StackwattError, code: int) -> None:
    sys.stderr.write(f"{error}\n")
    sys.exit(code)
