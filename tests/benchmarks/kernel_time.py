"""CPU inside compiled functions, as the product calls them: outermost calls from Python, by name.

For the length of a block every kernel that a module of `ingest` has imported is called
through a clock of its thread. What kernels call among themselves is within. All kernels
must have been compiled before: a compiled function cannot call a clock.
"""

import sys
import time
from collections import defaultdict
from collections.abc import Callable
from types import ModuleType, SimpleNamespace, TracebackType
from typing import Any, Self

from numba.core.dispatcher import Dispatcher


class KernelTime:
    """What was spent, by (module, function)."""

    def __init__(self) -> None:
        self.cpu_s: dict[tuple[str, str], float] = defaultdict(float)
        self.calls: dict[tuple[str, str], int] = defaultdict(int)
        self.readings: dict[str, int] = defaultdict(int)
        """Readings that were folded, and that programs gave."""
        self._replaced: list[tuple[ModuleType, str, Any]] = []
        self._timed: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for name, module in list(sys.modules.items()):
            if not name.startswith("ingest.") or module is None:
                continue
            for attribute, value in list(vars(module).items()):
                timed = self._of(value)
                if timed is not None:
                    self._replaced.append((module, attribute, value))
                    setattr(module, attribute, timed)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for module, attribute, value in self._replaced:
            setattr(module, attribute, value)

    def _of(self, value: Any) -> Any:
        """The same with a clock; None: it is nothing of kernels."""
        if id(value) not in self._timed:
            if isinstance(value, Dispatcher) and value.py_func.__module__.startswith("kernels."):
                self._timed[id(value)] = self._clocked(value)
            elif isinstance(value, ModuleType) and value.__name__.startswith("kernels."):
                inside = {name: self._of(one) or one for name, one in vars(value).items()}
                self._timed[id(value)] = SimpleNamespace(**inside)
        return self._timed.get(id(value))

    def _clocked(self, kernel: Any) -> Callable[..., Any]:
        key = kernel.py_func.__module__.removeprefix("kernels."), kernel.py_func.__name__

        def called(*arguments: Any) -> Any:
            begun = time.thread_time_ns()
            found = kernel(*arguments)
            self.cpu_s[key] += (time.thread_time_ns() - begun) / 1e9
            self.calls[key] += 1
            if key == ("fold", "fold_intervals"):
                self.readings["folded"] += int(arguments[0][-1])
            elif key == ("union", "evaluate_union"):
                self.readings["computed"] += int(found)
            return found

        return called

    def of(self, *modules: str) -> float:
        """CPU of all kernels of some modules, s."""
        return sum(spent for (module, _), spent in self.cpu_s.items() if module in modules)

    @property
    def all(self) -> float:
        """CPU of all kernels, s."""
        return sum(self.cpu_s.values())
