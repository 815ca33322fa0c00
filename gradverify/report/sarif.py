"""Findings and wrong claims as SARIF 2.1.0, the form that code scanning reads.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from gradverify.records import Claim, Discrepancy, Records, grouped, title_of
from gradverify.report.claim_text import sentence as claim_sentence
from gradverify.report.signs import is_listed, kind_of
from gradverify.report.wording import (
    all_of,
    commands,
    cut,
    error,
    invocation,
    point,
    rank,
    sentence,
)

MOST = 5000  # results that GitHub keeps of one run
TEXT = 300  # characters of a formula or a number
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
HOME = "https://github.com/gradverify/gradverify"

# id of a rule, the verdict of a claim, its text, and the level and kind of its results
CLAIMS = (
    ("wrong-derivative", "wrong", "A derivative worked out by hand is wrong",
     "error", "fail"),
    ("unsure-derivative", "unsure",
     "A derivative worked out by hand fails as it was read; the reading is not sure",
     "none", "review"),
)  # fmt: skip

Entry = dict[str, object]


def sarif(found: Records, version: str) -> str:
    """The document: JSON with the findings of a run, the worst first, then claims.

    What fails is an error. What is known, accepted or there before is a note, and what
    loses digits a warning. Conventions at kinks are nothing to mend, and are left out.

    version: that of gradverify.
    """
    told = [d for d in found.discrepancies if level(d)]
    groups = grouped(sorted(told, key=lambda d: (not d.failed, rank(d.verdict))))
    verdicts = dict.fromkeys(members[0].verdict for members in groups)
    rules = [_rule(_id(v), sentence(v).capitalize()) for v in verdicts]
    results = [_finding(members, found) for members in groups]
    claims = list(_claims(found.claims))
    rules += [_rule(id_, text) for id_, _, text, *_ in CLAIMS if found.claims]
    return _document(rules, results + claims, version)


def claims_sarif(claims: Sequence[Claim], version: str) -> str:
    """The document of claims alone; wrong ones are errors, unsure ones for review."""
    rules = [_rule(id_, text) for id_, _, text, *_ in CLAIMS]
    return _document(rules, list(_claims(claims)), version)


def level(found: Discrepancy) -> str:
    """The level of a finding in SARIF; empty for what is no finding."""
    if found.failed:
        return "error"
    kind = kind_of(found)
    if kind == "lost" and is_listed(found):
        return "warning"
    return "note" if kind in ("bad", "known", "lost") else ""


def place(found: Discrepancy) -> tuple[str, int]:
    """The file and the line of a finding; those of its item where it has no other."""
    file, _, line = found.place.rpartition(":")
    if file and line.isdecimal() and int(line[:9]) > 0:
        return file, int(line[:9])
    return found.item.partition("::")[0] or "pyproject.toml", 1


def _document(rules: list[Entry], results: list[Entry], version: str) -> str:
    driver = {
        "name": "gradverify",
        "version": version,
        "informationUri": HOME,
        "rules": rules,
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": results[:MOST],
    }
    whole = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _rule(name: str, text: str) -> Entry:
    return {"id": name, "shortDescription": {"text": text}}


def _id(verdict: str) -> str:
    """The id of a rule: `wrong`, `not-finite`."""
    return verdict.lower().replace("_", "-")


def _finding(members: Sequence[Discrepancy], found: Records) -> Entry:
    d = members[0]
    file, line = place(d)
    names = all_of(members)
    why = f"\n{d.diagnosis.sentence}" if d.diagnosis else ""
    exact = f", exact {cut(d.exact, TEXT)}" if d.exact else ""
    at = f" for {d.where}" if d.where else ""
    text = (
        f"{names}: {sentence(d.verdict)}: {cut(d.formula, TEXT)} at "
        f"{cut(point(d), TEXT)}; got {cut(d.got, TEXT) or '-'}{at}{exact}{why}"
    )
    if error(d):
        text += f"\n{error(d)}"
    text += "".join(f"\n{c}" for c in commands(d, invocation(found.run))[:1])
    title = f"{title_of(d)} {d.known or ''}".strip()
    digest = hashlib.sha256(title.encode("utf-8", "replace")).hexdigest()
    return {
        "ruleId": _id(d.verdict),
        "level": level(d),
        "message": {"text": text},
        "locations": [_location(file, line)],
        "partialFingerprints": {"finding/v1": digest[:32]},
    }


def _claims(claims: Sequence[Claim]) -> Iterator[Entry]:
    for id_, verdict, _, level_, kind in CLAIMS:
        for claim in claims:
            if claim.verdict != verdict:
                continue
            line = claim.line if claim.cell is None else None
            yield {
                "ruleId": id_,
                "level": level_,
                "kind": kind,
                "message": {"text": claim_sentence(claim)},
                "locations": [_location(claim.file, line)],
            }


def _location(file: str, line: int | None) -> Entry:
    """A place in a file; in a notebook lines count within cells, and are left out."""
    uri = quote(os.fsencode(file))
    place: Entry = {"artifactLocation": {"uri": uri}}
    if line is not None:
        place["region"] = {"startLine": line}
    return {"physicalLocation": place}
