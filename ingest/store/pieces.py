"""What the documents of a source come to over a span that is sealed."""

import math

from psycopg import AsyncCursor

from ingest.methods.documented import Emitted, Quantity, covered_us, mass_kg, rounded
from ingest.model import Quality, Reason

Summed = tuple[float | None, int, int, int, int, int]
"""mass_kg (None: a factor is wanting), covered_us, valid_us, substituted_us, quality, reasons."""


async def summed(cursor: AsyncCursor, source_no: int, from_at: int, to_at: int) -> Summed | None:
    """The documents of a source over [from_at, to_at) µs, on interval edges; None: there are none."""
    await cursor.execute(
        """
        SELECT p.document_no, (extract(epoch FROM d.from_at) * 1000000)::bigint,
               (extract(epoch FROM d.to_at) * 1000000)::bigint, d.count,
               (extract(epoch FROM p.from_at) * 1000000)::bigint, (extract(epoch FROM p.to_at) * 1000000)::bigint,
               p.kg_per_count, p.defaulted <> '{}'
          FROM document_piece p JOIN document d USING (document_no)
         WHERE p.source_no = %(source)s AND p.superseded_batch IS NULL
           AND p.from_at < to_timestamp(0) + %(to)s * interval '1 microsecond'
           AND p.to_at > to_timestamp(0) + %(from)s * interval '1 microsecond'
        """,
        {"source": source_no, "from": from_at, "to": to_at},
    )
    found = await cursor.fetchall()
    if not found:
        return None
    parts = [Emitted(Quantity(*row[:4]), *row[4:7]) for row in found]
    exact = mass_kg(parts, from_at, to_at)
    mass = None if exact is None or math.isnan(rounded(exact)) else rounded(exact)
    covered = covered_us([(part.from_at, part.to_at) for part in parts], from_at, to_at)
    quality = Quality.UNCERTAIN if any(row[7] for row in found) else Quality.GOOD
    return (
        mass,
        covered,
        0 if mass is None else covered,
        0,
        int(Quality.BAD if mass is None else quality),
        int(Reason.MANUAL),
    )
