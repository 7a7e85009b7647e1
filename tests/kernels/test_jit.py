"""What the package promises of itself: codes, imports, warm-up, cache."""

import importlib
import pkgutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kernels
from ingest import model
from ingest.plant import alerts, plan_alerts
from kernels import _jit, fold, reference, rows, rule_rows

PACKAGE = Path(kernels.__file__).parent
ROOT = PACKAGE.parent


def warmed() -> list[str]:
    """The modules whose kernels others call; what only kernels call is compiled into its callers."""
    names = [module.name for module in pkgutil.iter_modules([str(PACKAGE)]) if module.name != "_jit"]
    return [name for name in names if hasattr(importlib.import_module(f"kernels.{name}"), "warm_up")]


def compiled(name: str) -> dict[str, Any]:
    """The public kernels that a module defines."""
    module = importlib.import_module(f"kernels.{name}")
    return {
        key: value
        for key, value in vars(module).items()
        if hasattr(value, "py_func")
        and value.py_func.__module__ == module.__name__
        and not key.startswith("_")
    }


@pytest.mark.parametrize(
    "code",
    [
        *(kind for kind in model.Kind),
        *(quality for quality in model.Quality),
        model.Reason.RANGE,
        model.Reason.RATE,
        model.Reason.STUCK,
        model.Reason.LATE,
        model.Reason.RESET,
        model.Reason.ROLLOVER,
        model.Reason.GAP,
    ],
)
def test_codes_are_those_of_the_vocabulary(code: model.Kind | model.Quality | model.Reason) -> None:
    assert getattr(rows, str(code.name)) == code


def test_rules_are_columns_of_the_plan() -> None:
    assert {kind.name: int(kind) for kind in plan_alerts.RuleKind} == {
        name: getattr(rule_rows, name) for name in ("LIMITS", "CHANGE", "STATE", "AGE", "QUALITY")
    }
    kinds = {name: np.dtype(kind) for name, kind in plan_alerts.RULE_COLUMNS.items()}
    assert kinds == {name: rule_rows.RULE[name] for name in rule_rows.RULE.names or ()}
    assert alerts.MOST_TOLD == rule_rows.MEMORY


def test_what_came_of_shaping_is_of_the_vocabulary() -> None:
    assert tuple(model.FlatBecause)[:3] == (rows.SHAPED, rows.WEIGHT_MISSING, rows.WEIGHTS_ZERO)


def test_steps_and_spans_are_those_of_the_vocabulary() -> None:
    assert (rows.NORMAL_STEP, rows.ROLLOVER_STEP, rows.RESET_STEP) == (
        model.StepClass.NORMAL,
        model.StepClass.ROLLOVER,
        model.StepClass.RESET,
    )
    assert (rows.HOUR_US, rows.NEVER) == (model.HOUR, model.NEVER)


@pytest.mark.parametrize("what", ["kernels", "kernels.rows", "kernels.reference"])
def test_a_plan_or_a_definition_does_not_load_numba(what: str) -> None:
    program = f"import sys, {what}; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize(
    "name", ["exact", "fold", "union", "methods", "co2", "windows", "tail", "frontier", "ring", "screen"]
)
def test_every_kernel_has_its_definition(name: str) -> None:
    for kernel in compiled(name):
        definition = getattr(reference, kernel)
        assert not hasattr(definition, "py_func")


@pytest.mark.parametrize("name", sorted(_jit.AT_FIRST_USE))
def test_every_kernel_of_the_regimes_has_its_definition(name: str) -> None:
    """In the module of the same name; and its own warm-up leaves nothing to compile."""
    twin = importlib.import_module(f"kernels.reference.{name}")
    importlib.import_module(f"kernels.{name}").warm_up()
    assert compiled(name)
    for key, kernel in compiled(name).items():
        assert not hasattr(getattr(twin, key), "py_func")
        assert kernel.signatures, f"{name}.{key} is compiled by no warm_up"


def test_warm_up_leaves_nothing_to_compile() -> None:
    """Every public kernel is ready after it, and a fold of real columns compiles no second version."""
    _jit.warm_up()
    for name in set(warmed()) - _jit.AT_FIRST_USE:
        for key, kernel in compiled(name).items():
            assert kernel.signatures, f"{name}.{key} is compiled by no warm_up"
    dispatcher: Any = fold.fold_intervals
    before = len(dispatcher.signatures)
    ints, floats = np.arange(4, dtype=np.int64), np.ones(4)
    dispatcher(
        np.array([0, 4]), ints, floats, ints, ints, ints, np.zeros(1, rows.POINT_PARAMS), np.zeros(1, np.int64),
        np.ones(1, np.int64), 60_000_000, np.zeros(3, rows.INTERVAL_ROW), np.zeros(2, rows.STEP_ROW),
        np.zeros(1, np.int64),
    )  # fmt: skip
    assert len(dispatcher.signatures) == before


def test_what_the_stream_waits_for_is_not_what_hours_and_tests_are_judged_by() -> None:
    """The kernels of regimes are compiled at first use; each of those modules is one with a warm-up."""
    assert set(warmed()) >= _jit.AT_FIRST_USE
    assert not {"fold", "tail", "union", "methods", "co2"} & _jit.AT_FIRST_USE


def test_the_flags_that_replay_and_the_event_loop_need() -> None:
    dispatcher: Any = fold.fold_intervals
    options = dispatcher.targetoptions
    assert options["nogil"] is True
    assert options["fastmath"] is False
    assert options["parallel"] is False
    assert options["error_model"] == "numpy"


def test_only_one_file_knows_the_compiler() -> None:
    """Kernels take their decorator from _jit, so that no flag is set elsewhere."""
    users = [
        path.name
        for path in PACKAGE.rglob("*.py")
        if "import numba" in path.read_text() and path.name != "_jit.py"
    ]
    assert users == []


def test_code_is_cached_where_only_we_write(tmp_path: Path) -> None:
    """Cached code is executed: a folder that others may write is not used."""
    open_to_all = tmp_path / "open"
    folder = _jit._cache_folder(str(tmp_path / "mine"))
    assert folder.parent == tmp_path / "mine"
    assert folder.is_dir()
    shared = open_to_all / folder.name
    shared.mkdir(parents=True)
    shared.chmod(0o777)
    assert stat.S_IMODE(shared.stat().st_mode) == 0o777
    assert _jit._cache_folder(str(open_to_all)) != shared


def test_a_place_that_cannot_be_a_folder_is_passed_over(tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("")
    assert _jit._cache_folder(str(occupied)).parent != occupied
