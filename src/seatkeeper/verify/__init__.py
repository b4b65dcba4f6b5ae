"""Verify: every invariant, derived again from raw rows; `checks/*.sql` must return no row."""

from seatkeeper.verify.checks import CHECKS, Check
from seatkeeper.verify.report import Finding, Report
from seatkeeper.verify.run import look, verify

__all__ = ["CHECKS", "Check", "Finding", "Report", "look", "verify"]
