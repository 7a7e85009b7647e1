"""From decoded columns to the rows of one transaction.

Pure: no broker, no clock, no database. State lives in arrays owned by
`SiteState`; what is to be stored leaves as a `Batch`. If a batch cannot be
committed, the state is rebuilt from the store, never repaired.
"""
