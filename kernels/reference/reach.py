"""Definitions of `kernels.reach`: how far the readings lie that a register's steps depend on."""

from collections.abc import Iterator

import numpy as np

from kernels.reference.pieces import Reading
from kernels.reference.register import Register, is_normal, registers
from kernels.rows import NEVER, Ints, Records

UNTOLD = NEVER - 1


def anchors(
    offsets: Ints,
    at: Ints,
    count: Ints,
    quality: Ints,
    reasons: Ints,
    params: Records,
    whole: Ints,
    out: Ints,
) -> None:
    """The last reading of each stretch that is kept, whatever was before."""
    for j, found in enumerate(_stretches(offsets, at, count, quality, reasons)):
        fixed = [
            one.at for i, one in enumerate(found) if _is_fixed(found, i, params[j]) or (whole[j] and i == 0)
        ]
        out[j] = fixed[-1] if fixed else NEVER if whole[j] else UNTOLD


def turns_from(
    offsets: Ints,
    at: Ints,
    count: Ints,
    quality: Ints,
    reasons: Ints,
    params: Records,
    until: Ints,
    whole: Ints,
    out: Ints,
) -> None:
    """The last reading of each stretch, or the one before if the last may be a glitch or none."""
    for j, found in enumerate(_stretches(offsets, at, count, quality, reasons)):
        if not found:
            out[j] = NEVER if whole[j] else UNTOLD
            continue
        far = until[j] - found[-1].at > params[j]["max_gap_us"]
        if far or _is_fixed(found, len(found) - 1, params[j]) or (len(found) == 1 and whole[j]):
            out[j] = found[-1].at
        else:
            out[j] = found[-2].at if len(found) > 1 else UNTOLD


def turns_until(
    offsets: Ints,
    at: Ints,
    count: Ints,
    quality: Ints,
    reasons: Ints,
    params: Records,
    whole: Ints,
    out: Ints,
) -> None:
    """The first reading of each stretch that is kept, whatever comes before the stretch."""
    for j, found in enumerate(_stretches(offsets, at, count, quality, reasons)):
        out[j] = NEVER if whole[j] and not found else UNTOLD
        for i, one in enumerate(found):
            last = i + 1 == len(found)
            alone = whole[j] if last else found[i + 1].at - one.at > params[j]["max_gap_us"]
            if alone or _is_fixed(found, i, params[j]):
                out[j] = one.at
                break


def seconds(offsets: Ints, at: Ints, count: Ints, quality: Ints, whole: Ints, out: Ints) -> None:
    """The second reading of each stretch."""
    for j, found in enumerate(_stretches(offsets, at, count, quality, np.zeros_like(at))):
        out[j] = found[1].at if len(found) > 1 else NEVER if whole[j] else UNTOLD


def _stretches(
    offsets: Ints, at: Ints, count: Ints, quality: Ints, reasons: Ints
) -> Iterator[list[Register[Reading]]]:
    columns = (at.tolist(), count.tolist(), quality.tolist(), reasons.tolist())
    everything = [Reading(when, 0.0, n, trust, bits) for when, n, trust, bits in zip(*columns, strict=True)]
    for j in range(len(offsets) - 1):
        yield registers(everything[offsets[j] : offsets[j + 1]])


def _is_fixed(found: list[Register[Reading]], i: int, param: np.void) -> bool:
    """Whether it is kept in any case, by what the stretch holds."""
    return found[i].is_replacement or (i > 0 and is_normal(found[i - 1], found[i], param))
