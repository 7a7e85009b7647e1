"""Names of states stand for the kernels' numbers."""

import kernels.hours
from ingest.methods import hour_states
from ingest.methods.limits import CONTROL_RULES
from ingest.methods.regimes import REGIME_RULES
from ingest.methods.registry import METHODS
from ingest.methods.schemes import SCHEMES
from ingest.methods.validity import RULES


def test_states_are_the_kernels() -> None:
    for number, name in hour_states.STATES.items():
        if number != hour_states.NO_RULE:
            assert getattr(kernels.hours, name.upper()) == number
            assert getattr(hour_states, name.upper()) == number


def test_rules_name_what_there_is() -> None:
    for rule in REGIME_RULES.values():
        assert set(rule.equations) <= METHODS.keys()
        assert set(rule.schemes.values()) <= SCHEMES.keys()
        assert rule.control in CONTROL_RULES
        assert rule.validity in RULES
