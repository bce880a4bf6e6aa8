"""Shows what a comparison of saved state and log has found."""

import json
import sys

from contracts import exits
from contracts.settings import Settings
from headwater.tables import table
from streams.verify.verify import verify


def show(settings: Settings, version: str, as_json: bool) -> int:
    """Compare, print and return the exit code."""
    report = verify(settings, version)
    if as_json:
        found = {
            "version": report.version,
            "begun_at": report.begun_at,
            "equal": report.equal,
            "findings": [finding._asdict() for finding in report.findings],
        }
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    else:
        sys.stdout.write(f"version {report.version}, learned anew from {report.begun_at}\n")
        table(("shard", "part", "found", "why"), [tuple(f[:4]) for f in report.findings])
    return exits.OK.code if report.equal else exits.UNVERIFIED.code
