"""Which kernels are installed: a hash of their sources, told without loading one.

The same names and bytes that the cache of compiled code is keyed by (`kernels._jit`), without numba and
the processor: two machines with the same sources tell the same version.
"""

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path


@cache
def kernel_version() -> str:
    """Sha256, hex, over names and texts of kernels/*.py in the order of their names."""
    spec = find_spec("kernels")
    assert spec is not None
    digest = hashlib.sha256()
    for folder in spec.submodule_search_locations or ():
        for source in sorted(Path(folder).glob("*.py")):
            digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()
