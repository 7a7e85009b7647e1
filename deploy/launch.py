"""Become another program that cannot outlive its parent, under an account without rights.

    python -I -S launch.py SIGNAL PARENT_PID UID GID PROGRAM [ARGUMENT …]

Run as a script in front of every child, because `fork` hooks are unsafe once
threads exist. On Linux the kernel sends SIGNAL when the parent dies, however
it dies. UID and GID of -1 mean: stay. It imports nothing of the project and
is gone as soon as PROGRAM runs: same process, same pid.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Drop rights, bind our life to the parent's, become the program."""
    death_signal, parent, uid, gid = (int(argument) for argument in arguments[:4])
    command = arguments[4:]
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
        os.chdir("/")  # the folder we were started in may be closed to this account
    if sys.platform == "linux":
        # After the change of user, which would clear it again.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:  # died before the line above
            raise SystemExit(1)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        raise SystemExit(f"{command[0]} cannot be started: {error.strerror}") from error


if __name__ == "__main__":
    main(sys.argv[1:])
