"""Benchmarks: each hot path over HTTP, beside pgbench doing the same on the same server."""
