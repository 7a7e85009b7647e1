"""Instants as SQL tells them, for whoever loads no kernel."""

MICROSECONDS = "(extract(epoch FROM {}) * 1000000)::bigint"
"""µs since the epoch of a timestamptz."""
