"""A badge from records, in the form that shields.io reads from an address."""

from __future__ import annotations

import json

from gradverify.records import Records, grouped
from gradverify.verdict import Verdict

GREEN, RED, GREY = "brightgreen", "red", "lightgrey"


def badge(found: Records) -> str:
    """JSON of shields' endpoint schema: how many derivatives are right, or how many
    findings fail.

    Claims of notes count as well. Nothing judged is grey.
    https://shields.io/badges/endpoint-badge
    """
    right = sum(item.counts.get(Verdict.AGREES.name, 0) for item in found.items)
    right += sum(claim.verdict == "right" for claim in found.claims)
    wrong = len(grouped([d for d in found.discrepancies if d.failed]))
    wrong += sum(claim.verdict == "wrong" for claim in found.claims)
    message, colour = f"{right:,} right", GREEN
    if wrong:
        message, colour = f"{wrong:,} wrong", RED
    elif not right:
        message, colour = "nothing judged", GREY
    said = {
        "schemaVersion": 1,
        "label": "gradients",
        "message": message,
        "color": colour,
    }
    return json.dumps(said) + "\n"
