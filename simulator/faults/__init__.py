"""What goes wrong between a process and the broker, as wrappers around a clean plant.

Faults of readings change what an instrument shows, before it is put into a
message: value, register, or time. Faults of messages lose, double, delay,
shuffle or spoil what has been encoded. The plant never knows that it is
wrapped; what was done to which reading is in the record (`Disturbance`), so a
test can ask whether each was noticed. `Chain` is the door.
"""

from simulator.faults.chain import FAULTS, Chain, chain
from simulator.faults.record import Disturbance

__all__ = ["FAULTS", "Chain", "Disturbance", "chain"]
