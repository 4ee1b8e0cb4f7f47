"""What the evidence means: rules as rows, and the questions that an anomaly is worth.

Pure: no network, no clock, no disk; the same evidence is judged alike on any machine, in any year.
"""

from blockwatch.judge.case import Bodies, Case, Peers, digest
from blockwatch.judge.fingerprints import OURS, Fingerprint, Pack, together
from blockwatch.judge.followups import next_steps, wants_retest
from blockwatch.judge.packs import read_pack
from blockwatch.judge.rules import LATEST, RULES, Rule
from blockwatch.judge.verdicts import judge, judge_run

__all__ = [
    "LATEST",
    "OURS",
    "RULES",
    "Bodies",
    "Case",
    "Fingerprint",
    "Pack",
    "Peers",
    "Rule",
    "digest",
    "judge",
    "judge_run",
    "next_steps",
    "read_pack",
    "together",
    "wants_retest",
]
