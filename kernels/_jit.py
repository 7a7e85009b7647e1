"""The one place that configures numba.

`kernel` is the only decorator of compiled functions. It compiles on first use,
never at import (an eager signature costs 0.35 s each), releases the GIL (else
a kernel stalls the event loop for its whole run), keeps IEEE arithmetic in the
written order (replay equals live, bit for bit) and runs on one thread (two
threads entering a parallel kernel abort the process).

Machine code is kept in a folder named by what it depends on: numba itself looks
only at the file of the function, not at the functions it calls. Folders of
earlier versions stay until someone removes them.
"""

import hashlib
import os
import pkgutil
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core import codegen, config

Function = TypeVar("Function", bound=Callable[..., Any])

_PACKAGE = Path(__file__).parent


def _cache_key() -> str:
    """A name for all that compiled code depends on: sources, numba, CPU."""
    cpu: str = codegen.get_host_cpu_features()  # type: ignore[no-untyped-call]
    digest = hashlib.sha256(f"{numba.__version__} {cpu}".encode())
    for source in sorted(_PACKAGE.glob("*.py")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:16]


def _is_private(folder: Path) -> bool:
    """Whether the folder is ours alone to write: what is cached there will be executed."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except OSError:
        return False
    return status.st_uid == os.getuid() and not status.st_mode & 0o022 and os.access(folder, os.W_OK)


def _cache_folder(configured: str) -> Path:
    """The first usable of: what NUMBA_CACHE_DIR says, ~/.cache/stackwatt, a folder for temporary files."""
    candidates = [
        Path("~/.cache/stackwatt").expanduser(),
        Path(tempfile.gettempdir()) / f"stackwatt-{os.getuid()}",
    ]
    if configured:
        candidates.insert(0, Path(configured))
    key = _cache_key()
    for candidate in candidates:
        if _is_private(candidate / key):
            return candidate / key
    return Path(tempfile.mkdtemp(prefix="stackwatt-"))


config.CACHE_DIR = str(_cache_folder(config.CACHE_DIR))  # type: ignore[attr-defined]

_compile = numba.njit(nogil=True, fastmath=False, parallel=False, error_model="numpy", cache=True)


def kernel(function: Function) -> Function:
    """Compile a function on first use; for the type checker it stays what it is."""
    return cast("Function", _compile(function))


AT_FIRST_USE = frozenset(
    {
        "availability",
        "calculated",
        "control",
        "hour_facts",
        "missing",
        "missing75",
        "part75",
        "quality",
        "quantiles",
        "steam",
    }
)
"""Modules that no reading waits for: hours, tests and periods. They double what is to be compiled."""


def warm_up() -> None:
    """Compile, or load from the cache, every kernel that the stream calls.

    Each module of kernels has a function `warm_up` that calls its kernels with
    empty or tiny arrays of the real types. Takes seconds with a cold cache, so
    it runs in a thread before the process says it is ready.
    """
    for module in pkgutil.iter_modules([str(_PACKAGE)]):
        if not module.ispkg and module.name != "_jit" and module.name not in AT_FIRST_USE:
            _compile_module(module.name)


def warm_up_regimes() -> None:
    """The same for the kernels of AT_FIRST_USE, for who wants to call them without waiting."""
    for name in sorted(AT_FIRST_USE):
        _compile_module(name)


def _compile_module(name: str) -> None:
    warm = getattr(import_module(f"{__package__}.{name}"), "warm_up", None)
    if warm is not None:
        warm()
