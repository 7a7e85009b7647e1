"""Evidence: that what is stored is what ingest wrote, in the order in which it was written.

    rows of a batch → leaf ─→ chain (in commit order)
                        └───→ Merkle tree of the hour → root ┐
                     chain's head, names, plan versions ─────┴→ statement → signature

**A leaf per batch**, made inside the batch's own transaction: sha256 over its commit row and, table by table, over
the canonical bytes of all rows it wrote. Rows of batch B are those of a table and of its history with batch_no B, so
a leaf holds after its rows were revised; that a row was superseded, and by which batch, is a row of its own in the leaf
of the batch that did it. Covered: readings, closed intervals, KPI values, emissions, the ledger, final hours of regimes,
filled gaps, silent frontiers, analyser tests, what declarations and documents said when they took effect, seals and
their totals. Not covered: what is provisional or overwritten in place (revision 0, provisional hours, what they bring to
sealed periods as time goes on, `kpi_latest`, `point_state`, rollups, `comparison`), and alerts; figures follow
from the rest, and `stackwatt replay` makes them again.

**What has no batch of its own** (which id a number is, what a plan version says) is noted by the first batch after ingest
took the site or another version; notes are chained, and the chain's head stands in each statement.

**Made in the transaction, not by a sealer behind it**: nobody else sees rows before they are committed, so nothing can be
changed between writing and hashing. Readings are hashed as they leave memory, figures are read back within the
transaction by the keys that triggers note (0026_evidence), so no writer can forget one. Measured on two cores under
load: see ARCHITECTURE, Decisions.

**Which row.** Beside the leaf stand, per table, 4 bytes of digest a row in canonical order and the XOR of the rows' keys:
what does not match names the altered or inserted row, and the key of a removed one. They locate; only the leaf proves.
A digest is no cryptographic hash: who makes a row with the digest of another is found by the leaf, which then names the
batch and the table.

**What it proves.** Whoever has the public key and one statement knows of every row before it whether it is as it was. Not
that a meter told the truth; not what was cut off after the newest statement that somebody outside has kept; nor
rows of before evidence began. The private key is ingest's; in the database there is nothing to sign with.

`verifier` is the definition of the format and the check of a bundle, in one file of the standard library. It is
shipped in every bundle. Its twin for databases is `ingest.verify`.
"""
