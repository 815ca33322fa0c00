"""RECORD: what a run writes down, one JSON object a line, each with its `type`."""

from gradverify.records.lines import decode as decode
from gradverify.records.lines import encode as encode
from gradverify.records.lines import gathered as gathered
from gradverify.records.lines import in_order as in_order
from gradverify.records.lines import read as read
from gradverify.records.rows import SCHEMA as SCHEMA
from gradverify.records.rows import Changes as Changes
from gradverify.records.rows import Claim as Claim
from gradverify.records.rows import Counts as Counts
from gradverify.records.rows import Diagnosis as Diagnosis
from gradverify.records.rows import Discrepancy as Discrepancy
from gradverify.records.rows import Evidence as Evidence
from gradverify.records.rows import History as History
from gradverify.records.rows import Item as Item
from gradverify.records.rows import Known as Known
from gradverify.records.rows import Note as Note
from gradverify.records.rows import Record as Record
from gradverify.records.rows import Records as Records
from gradverify.records.rows import Run as Run
from gradverify.records.rows import Selftest as Selftest
from gradverify.records.rows import number_text as number_text
from gradverify.records.sums import counts_by_differentiator as counts_by_differentiator
from gradverify.records.sums import joined as joined
from gradverify.records.sums import total as total
