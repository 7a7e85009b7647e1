"""Wire contract v1: messages to columns of readings.

`WireDecoder(plan).decode(messages)` is the door. What a time may be, and
whether a value is possible, is decided after it, by the admission.
"""

from ingest.wire.decode import WireDecoder, decode
from ingest.wire.refusal import Rejection, RejectReason
from ingest.wire.rows import NO_ELEMENT, Decoded
from ingest.wire.times import NO_TIME

__all__ = ["NO_ELEMENT", "NO_TIME", "Decoded", "RejectReason", "Rejection", "WireDecoder", "decode"]
