"""The house rules that no linter knows."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("kernels", "ingest", "service", "simulator", "dashboards", "deploy")
MIGRATIONS = ROOT / "ingest" / "store" / "migrations"
MODULE_LINES = 300
FUNCTION_LINES = 50


def modules() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("name", PACKAGES)
def test_import_package_is_this_checkout(name: str) -> None:
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin).is_relative_to(ROOT)


def test_modules_keep_to_their_size(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in modules()}
    largest = sorted(sizes.items(), key=lambda item: -item[1])[:10]
    with capsys.disabled():
        print(
            "\nlargest modules: " + ", ".join(f"{path.relative_to(ROOT)} {lines}" for path, lines in largest)
        )
    assert {str(path.relative_to(ROOT)): lines for path, lines in largest if lines > MODULE_LINES} == {}


def test_functions_keep_to_their_size() -> None:
    long = {
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}": lines
        for path in modules()
        for node in functions(path)
        if (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES
    }
    assert long == {}


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in modules()
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_every_public_function_declares_what_it_returns() -> None:
    silent = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in modules()
        for node in functions(path)
        if not node.name.startswith("_") and node.returns is None
    ]
    assert silent == []


def test_every_folder_of_modules_is_a_package() -> None:
    bare = {
        str(path.parent.relative_to(ROOT)) for path in modules() if not (path.parent / "__init__.py").exists()
    }
    assert bare == set()


def test_tests_are_no_package() -> None:
    # tests/kernels/__init__.py would shadow kernels.
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_no_name_that_says_nothing() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "handler", "handlers"}
    assert [str(path.relative_to(ROOT)) for path in modules() if path.stem in vague] == []


def test_every_import_from_outside_is_declared_once_per_side() -> None:
    aiomqtt = [path.relative_to(ROOT).parts[0] for path in modules() if "aiomqtt" in imported(path)]
    assert sorted(aiomqtt) in (["ingest", "simulator"], ["simulator"])
    numba = {path.relative_to(ROOT).parts[0] for path in modules() if "numba" in imported(path)}
    assert numba == {"kernels"}


def test_the_http_client_is_only_where_webhooks_are_sent() -> None:
    clients = {"httpx", "httpcore", "requests", "aiohttp", "urllib3"}
    knowing = {str(path.relative_to(ROOT)) for path in modules() if clients & imported(path)}
    assert knowing == {"service/webhooks/posting.py"}


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("module", ["service.main", "simulator.main", "deploy.cli", "deploy.demo"])
def test_start_does_not_load_numba(module: str) -> None:
    code = f"import sys, {module}; sys.exit('numba' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_migrations_are_numbered_each_once() -> None:
    """A number may be missing while the step that is to have it is being written: each step is applied by name."""
    steps = sorted({path.name.split(".")[0] for path in MIGRATIONS.glob("*.sql")})
    numbers = [int(step[:4]) for step in steps]
    assert sorted(set(numbers)) == numbers
    assert numbers[0] == 1
    assert all(step[4] == "_" for step in steps)


def test_a_step_for_one_engine_is_there_for_both() -> None:
    engines: dict[str, set[str]] = {}
    for path in MIGRATIONS.glob("*.sql"):
        step, *engine, _ = path.name.split(".")
        engines.setdefault(step, set()).update(engine or ["any"])
    assert all(found in ({"any"}, {"plain", "timescaledb"}) for found in engines.values())


def test_lock_has_hashes_and_no_address() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text
    pins = [line for line in text.splitlines() if "==" in line and not line.startswith((" ", "#"))]
    assert pins
    assert all(line.endswith("\\") for line in pins), "a pin without a hash"


def test_lock_names_what_the_project_needs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8").lower()
    names = [
        entry.split("[")[0].split(">")[0].split("<")[0].split("=")[0].strip().lower() for entry in wanted
    ]
    assert [name for name in names if f"\n{name}==" not in text] == []
