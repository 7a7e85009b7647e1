"""Which system account runs the servers, and which folder it can reach.

PostgreSQL refuses to run as root, and a broker has no business to. So where we
are root, both run under an account the system already has, in folders of their
own. Nothing here creates users or opens a folder that is not ours: a state
folder the account cannot reach gets its data kept elsewhere instead.
"""

import os
import pwd
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ingest.errors import StackwattError

_CANDIDATES = ("nobody", "daemon")
_ELSEWHERE = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108 - mkdtemp in it, never a fixed name


@dataclass(frozen=True, slots=True)
class Account:
    """An existing account without rights."""

    name: str
    uid: int
    gid: int


def unprivileged_account() -> Account | None:
    """The account servers run under; None where we are not root and simply stay who we are."""
    if os.geteuid() != 0:
        return None
    for name in _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise StackwattError(
        f"PostgreSQL does not run as root, and none of the accounts {', '.join(_CANDIDATES)} exists"
    )


def can_reach(folder: Path, account: Account) -> bool:
    """Whether the account may pass through `folder` and every folder above it."""
    resolved = folder.resolve()
    return all(_may_pass(step, account) for step in (resolved, *resolved.parents))


def _may_pass(folder: Path, account: Account) -> bool:
    status = folder.stat()
    if status.st_uid == account.uid:
        bit = stat.S_IXUSR
    elif status.st_gid == account.gid:
        bit = stat.S_IXGRP
    else:
        bit = stat.S_IXOTH
    return bool(status.st_mode & bit)


def open_state(state: Path, account: Account | None) -> None:
    """Make the state folder: private, or passable (not listable) for the servers' account."""
    state.mkdir(parents=True, exist_ok=True)
    state.chmod(0o700 if account is None else 0o711)


def data_folder(state: Path, account: Account | None) -> Path:
    """The folder that holds the servers' folders: `state/data`, or a link to one the account can reach."""
    link = state / "data"
    if not link.exists():
        if account is None or can_reach(state, account):
            link.mkdir()
        else:
            link.symlink_to(_make_elsewhere())
    folder = link.resolve()
    folder.chmod(0o700 if account is None else 0o711)
    return folder


def own_folder(folder: Path, account: Account | None) -> Path:
    """A folder for one server alone (0700)."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o700)
    if account is not None:
        os.chown(folder, account.uid, account.gid)
    return folder


def write_private(path: Path, text: str, account: Account | None = None) -> None:
    """Write a file that only we (and the account) can read, whole or not at all."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(
        os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(text)
        if account is not None:
            os.fchown(file.fileno(), account.uid, account.gid)
    draft.replace(path)


def _make_elsewhere() -> Path:
    for parent in _ELSEWHERE:
        if os.access(parent, os.W_OK | os.X_OK):
            return Path(tempfile.mkdtemp(prefix="stackwatt-", dir=parent))
    raise StackwattError(
        "the state folder is closed to the account that runs PostgreSQL, and neither "
        f"{' nor '.join(map(str, _ELSEWHERE))} is writable: choose a --state every account can reach"
    )
