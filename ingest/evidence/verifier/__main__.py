"""The verifier as a program: what `python BUNDLE.zip` runs, and `python -m ingest.evidence.verifier BUNDLE.zip`."""

import sys

from .bundle import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.argv[0]))
