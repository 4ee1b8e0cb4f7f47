"""OONI's measurements read into our nouns, and our measurements written as OONI's.

The format is that of OONI's specification (ooni/spec, data formats df-000 to df-008 and ts-017 web
connectivity) as the probe writes it. What maps to what, and what is lost each way: docs/ooni.md.
"""

from blockwatch.ooni.head import Head, Unreadable, digest, head_of, run_open_of
from blockwatch.ooni.lines import Damage, Record, records
from blockwatch.ooni.read import Bodies, Read, read_measurement
from blockwatch.ooni.write import NotWeb, to_ooni

__all__ = [
    "Bodies",
    "Damage",
    "Head",
    "NotWeb",
    "Read",
    "Record",
    "Unreadable",
    "digest",
    "head_of",
    "read_measurement",
    "records",
    "run_open_of",
    "to_ooni",
]
