"""Seatkeeper: bookkeeping for seats."""
