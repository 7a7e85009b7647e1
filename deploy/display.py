"""The summary on the terminal: a table that refreshes, or plain lines where there is no terminal."""

import sys
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from deploy.figures import COLUMNS, SiteLine

_PLAIN_EVERY = 10


class Display:
    """Shows site lines until its context is left."""

    def __init__(self, console: Console, title: str) -> None:
        self._console = console
        self._title = title
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._shown = 0

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, lines: Sequence[SiteLine]) -> None:
        """Show the newest lines; without a terminal, every tenth time."""
        if self._live is not None:
            self._live.update(_table(self._title, lines), refresh=True)
        elif self._shown % _PLAIN_EVERY == 0:
            for line in lines:
                self._console.print(_plain(line), highlight=False, soft_wrap=True)
        self._shown += 1


def printer(console: Console) -> Callable[[str], None]:
    """One plain line of progress."""

    def say(line: str) -> None:
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    return say


def terminal(*, to_stderr: bool) -> Console:
    """Standard output, or standard error where standard output is for one JSON object."""
    return Console(file=sys.stderr if to_stderr else sys.stdout)


def _table(title: str, lines: Sequence[SiteLine]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("site")
    for heading in ("readings/s", "data age", *COLUMNS.values()):
        table.add_column(heading, justify="right")
    for line in lines:
        figures = [line.figures.get(unit, "-") for unit in COLUMNS]
        table.add_row(line.site, _rate(line), _age(line), *figures)
    return table


def _plain(line: SiteLine) -> str:
    figures = [f"{COLUMNS[unit]} {text}" for unit, text in line.figures.items()]
    return f"{line.site}: " + ", ".join([f"{_rate(line)} readings/s", f"data age {_age(line)}", *figures])


def _rate(line: SiteLine) -> str:
    return "-" if line.readings_per_s is None else f"{line.readings_per_s:,.0f}"


def _age(line: SiteLine) -> str:
    age = line.data_age_s
    if age is None:
        return "-"
    if age < 120:
        return f"{age:.1f} s"
    if age < 7200:
        return f"{age / 60:.0f} min"
    return f"{age / 3600:.0f} h" if age < 172_800 else f"{age / 86_400:.0f} d"
