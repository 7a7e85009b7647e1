"""The store: schema, migrations, and the one writer of facts.

PostgreSQL through psycopg 3; TimescaleDB where the server has it. SQL stands in
the function that runs it. Nothing here decides what a fact is (`ingest.pipeline`).
"""
