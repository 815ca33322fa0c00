"""Under GitHub Actions, the job summary goes to its file, and annotations go to the
log.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from gradverify.outside.writing import append
from gradverify.records import Records
from gradverify.report.job_summary import SUMMARY, job_summary, workflow_commands


def in_github_actions(found: Records, environ: Mapping[str, str]) -> Iterator[str]:
    """Write the job summary, and return the lines for the log.

    Each step of a job has a summary file of its own. The size limit counts what this
    step has in its file already.
    """
    yield from workflow_commands(found)
    name = environ.get("GITHUB_STEP_SUMMARY", "")
    if not name:
        return
    path = Path(name)
    try:
        there = path.stat().st_size if path.exists() else 0
        text = job_summary(found, SUMMARY - there)
        append(path, text.encode("utf-8", "replace"))
    except OSError as error:
        yield f"gradverify: GITHUB_STEP_SUMMARY: {name} cannot be written ({error})"
