"""How engines are written: the source text of what a table's rows call."""

from gradverify.differentiators.spelling.script import ScriptContents, by_engine, script
from gradverify.differentiators.spelling.source_rows import OPERATORS, Spelling, calls

__all__ = ["OPERATORS", "ScriptContents", "Spelling", "by_engine", "calls", "script"]
