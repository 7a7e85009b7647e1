"""Errors some caller answers differently.

StackwattError              shown as one sentence, exit 1
├── InputError              the input is wrong: one sentence, exit 2
│   └── PlantError          of the plant file: names file, path, value and what was expected
├── SiteBusyError           another ingest holds the site: wait, or exit 2 under --no-wait
└── StaleEpochError         another ingest took the site over: stop at once, write nothing
"""


class StackwattError(Exception):
    """Base of the project's errors; its text is one clear sentence."""


class InputError(StackwattError):
    """Something given from outside is wrong and has to be changed there."""


class PlantError(InputError):
    """The plant file is wrong."""


class SiteBusyError(StackwattError):
    """The site's writer lock is held by another process."""


class RefusedFiguresError(StackwattError):
    """The database refuses figures, and no message is to blame; nothing more is acknowledged."""


class StaleEpochError(StackwattError):
    """The site's epoch has moved on; this writer must not write again."""
