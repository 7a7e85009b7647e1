"""From stored fact to people: HTTP API, live page, keys, metrics.

The service reads what ingest wrote and never decides what a fact is. It writes
three tables only: `inbox`, which ingest consumes as one more source,
`declaration`, which ingest turns into readings, and `api_key`. It loads no kernel and no numba; what a figure means is
`ingest.methods.figures`, shared with the live pipeline.
"""
