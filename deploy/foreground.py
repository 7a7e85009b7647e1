"""The stack in the foreground of a terminal, until it is asked to stop."""

from deploy.account import unprivileged_account
from deploy.display import printer, terminal
from deploy.stack import Wishes, start
from deploy.state import State
from deploy.supervisor import StopRequestedError, Supervisor

_LONG_S = 3600.0


def run(wishes: Wishes) -> None:
    """Start everything, say where it is, and keep it running."""
    wishes.check()
    console = terminal(to_stderr=False)
    say = printer(console)
    with State(wishes.state, unprivileged_account()) as state, Supervisor(say) as supervisor:
        try:
            endpoints = start(wishes, state, supervisor, say)
            # Where nobody looks on, what is printed is a log, and no place for a key.
            key = f"key: {endpoints.key}   (also in {state.key_file})"
            say(f"page: {endpoints.page}   {key if console.is_terminal else f'key in {state.key_file}'}")
            say(f"logs: {state.logs}   stop with Ctrl-C")
            while True:
                supervisor.pause(_LONG_S)
        except StopRequestedError:
            say("stopping")
