"""`check`: ruff, mypy and import-linter over code and tests; changes nothing."""

import subprocess
import sys

import typer

from deploy.process import ROOT

_LINT_IMPORTS = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_logo=True))"
TOOLS = (
    ("-m", "ruff", "check", "--no-fix"),
    ("-m", "ruff", "format", "--check"),
    ("-m", "mypy"),
    ("-c", _LINT_IMPORTS),
)


def check() -> None:
    """Lint, format check, types, layers; exit 1 if any of them complains."""
    codes = [subprocess.run([sys.executable, *tool], cwd=ROOT, check=False).returncode for tool in TOOLS]
    raise typer.Exit(1 if any(codes) else 0)
