"""What the evidence means: rules as rows, and the questions that an anomaly is worth.

Pure: no network, no clock, no disk; the same evidence is judged alike on any machine, in any year.
"""

from blockwatch.judge.beside import NOBODY, Beside
from blockwatch.judge.case import Bodies, Case, Peers, digest
from blockwatch.judge.control_runs import control_runs
from blockwatch.judge.explain import Explanation, explain_run
from blockwatch.judge.fingerprints import OURS, Fingerprint, Pack, together
from blockwatch.judge.followups import next_steps, wants_retest
from blockwatch.judge.packs import read_pack
from blockwatch.judge.residue import lingering
from blockwatch.judge.rules import LATEST, RULES, RULESETS, Rule
from blockwatch.judge.verdicts import judge, judge_run

__all__ = [
    "LATEST",
    "NOBODY",
    "OURS",
    "RULES",
    "RULESETS",
    "Beside",
    "Bodies",
    "Case",
    "Explanation",
    "Fingerprint",
    "Pack",
    "Peers",
    "Rule",
    "control_runs",
    "digest",
    "explain_run",
    "judge",
    "judge_run",
    "lingering",
    "next_steps",
    "read_pack",
    "together",
    "wants_retest",
]
