"""The factor ledger: coefficients of regulations and handbooks as data, and the one way to look one up.

`tables/*.csv` hold a row per coefficient with where it was read and how sure it is;
`find` gives exactly one row or says what is nearest. Which factor a source uses is the
plant file's; what has been looked up is frozen in the plan version, so a release that
mends a row changes no stored figure by itself.
"""

from ingest.factors.look_up import Key, find
from ingest.factors.rows import FactorRow, ledger, required

__all__ = ["FactorRow", "Key", "find", "ledger", "required"]
