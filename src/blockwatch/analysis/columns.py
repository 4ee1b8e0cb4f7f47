"""Every column of the frames and of the summary, with type and meaning: the source of ``docs/codebook.md``.

Rules of this file: a column is added at the end of its table and never changes its meaning; missing is
NA, never 0 or an empty text; a test holds the codebook to these rows.
"""

from __future__ import annotations

from typing import NamedTuple

from blockwatch.model import Purpose
from blockwatch.verdict import Grade, State


class Column(NamedTuple):
    """One column."""

    name: str
    kind: str  # "string", "Int64", "boolean", "float", "time" (UTC, microseconds) or "category"
    meaning: str
    categories: tuple[str, ...] = ()  # fixed values in their order; none: as found


STATES = tuple(str(state) for state in State)
STEPS = ("dns", "tcp", "tls", "http")

_OF_RUN = (
    Column("label", "category", "Label the volunteer gave the run."),
    Column("campaign", "category", "Campaign the run belongs to."),
)
VERDICTS = (
    Column("id", "string", "Measurement the verdict is of; for a final one the last of the target and URL."),
    Column("run", "category", "Run id."),
    Column("target", "category", "Target id of the targets file."),
    Column("url", "category", "URL or endpoint measured; a target may have several."),
    Column("probe", "category", "Probe that measured."),
    Column("role", "category", "Whether it is a target or a control.", ("target", "control")),
    Column("asn", "Int64", "AS number of the network measured from; NA: not learned."),
    Column(
        "country", "category", "Country the vantage point's address is registered in, ISO 3166-1 alpha-2."
    ),
    Column("network", "category", "Name of the AS."),
    Column("started", "time", "When the measurement began, by the volunteer's clock."),
    Column("state", "category", "What can be said of the target.", STATES),
    Column("grade", "category", "How sure, of a blocked one; ordered.", tuple(str(grade) for grade in Grade)),
    Column("mechanism", "category", "How it is blocked: layer.action[.qualifier]."),
    Column("failed_step", "category", "Step that failed; NA: none, or not decided.", STEPS),
    Column("attempt", "category", "Made first, or again at the end of the run.", ("first", "retest")),
    Column(
        "final",
        "boolean",
        "The run's verdict on this target and URL, weighing all its measurements; only these are counted.",
    ),
    Column(
        "partial", "boolean", "Some addresses of the site fail here and not for the control; others work."
    ),
    Column("why", "string", "The facts it rests on, each with the id of its rule, separated by semicolons."),
    Column("ruleset", "category", "Version of the rules that judged."),
    *_OF_RUN,
    Column(
        "sealed", "boolean", "Its record is under a good seal of the key that the run names; whose: verify."
    ),
    Column(
        "clock_offset",
        "Int64",
        "Microseconds the volunteer's clock was ahead when the run began: `started` less this is the time; "
        "NA: not learned.",
    ),
    Column(
        "when",
        "time",
        "`started` by the true clock, as far as the run learned how far off its own was, also at its end; "
        "NA: nobody told it, or the clock was set on the way.",
    ),
    Column("key", "category", "Key that the run says seals it, a pseudonym; NA: none. See `sealed`."),
    Column(
        "orders",
        "category",
        "Ids of the orders of the run's list that name the target and were in force then on this network, by "
        "the list; separated by spaces; NA: none.",
    ),
    Column(
        "searched",
        "category",
        "Last day on which, by the run's list, a search for orders on the target found none; NA: none made.",
    ),
    Column(
        "orders_unclear",
        "category",
        "Ids of those of which the list does not say whether they were: a day or the network is not known.",
    ),
)

OBSERVATIONS = (
    Column("id", "string", "Measurement the step belongs to."),
    Column("run", "category", "Run id."),
    Column("target", "category", "Target id of the targets file."),
    Column("url", "string", "URL or endpoint measured; of an HTTP or control step the one requested."),
    Column("probe", "category", "Probe that measured."),
    Column("role", "category", "Whether it is a target or a control.", ("target", "control")),
    Column("attempt", "category", "Made first, or again at the end of the run.", ("first", "retest")),
    Column("asn", "Int64", "AS number of the network measured from; NA: not learned."),
    Column(
        "country", "category", "Country the vantage point's address is registered in, ISO 3166-1 alpha-2."
    ),
    Column("i", "Int64", "Index of the step within its measurement, from 0; verdicts cite it."),
    Column("step", "category", "Kind of step.", (*STEPS, "control")),
    Column("started", "time", "When the step began: the run's start by the volunteer's clock, plus `t`."),
    Column(
        "t", "Int64", "Microseconds from the start of the run to that of the step (a clock that never jumps)."
    ),
    Column("us", "Int64", "Duration in microseconds; 0 when skipped."),
    Column("failure", "category", "OONI failure string; NA: it succeeded or was skipped."),
    Column("skipped", "boolean", "Planned, but an earlier step of its connection had failed."),
    Column("error", "string", "What lay beneath the failure: errno name, TLS alert, resolver code."),
    Column("purpose", "category", "Why the step was made.", tuple(str(purpose) for purpose in Purpose)),
    Column("round", "Int64", "Which repetition of this purpose, from 0."),
    Column("hop", "Int64", "Redirect depth, 0 for the target's own URL."),
    Column("flow", "Int64", "Steps of one measurement with one number used one connection."),
    Column("resolver", "category", "Resolver asked (dns)."),
    Column("name", "string", "Name asked for, A-labels (dns)."),
    Column("qtype", "category", "Type asked for; ANY: both, by the system (dns)."),
    Column("rcode", "Int64", "RCODE of the first reply that fits; NA: none, or the system's (dns)."),
    Column("addresses", "string", "Addresses found, separated by spaces (dns, control)."),
    Column("replies", "Int64", "Replies that came within the window (dns)."),
    Column("address", "string", "Address connected to (tcp, tls, http)."),
    Column("port", "Int64", "Port connected to (tcp, tls, http)."),
    Column("server_name", "string", "Server name sent; NA: none (tls)."),
    Column("version", "category", "Protocol version agreed on (tls, http)."),
    Column("alpn", "category", "Application protocol the server chose (tls)."),
    Column("trust", "category", "Why the chain is not valid for the name; NA: it is (tls)."),
    Column("alert", "Int64", "TLS alert received (tls)."),
    Column("method", "category", "Request method (http)."),
    Column("host", "string", "Host header as sent (http)."),
    Column("status", "Int64", "Status of the response (http, control)."),
    Column("body_length", "Int64", "Bytes of the decoded body that were read (http, control)."),
    Column("truncated", "boolean", "We stopped reading; the server had more (http)."),
    Column("title", "string", "Title of the page, at most 200 characters (http, control)."),
    Column("sent", "Int64", "Bytes sent by this step (tls, http, control)."),
    Column("received", "Int64", "Bytes received by this step (tls, http, control)."),
    Column("first_byte_us", "Int64", "Microseconds from what was sent to the first byte back (tls, http)."),
    Column("helper", "category", "Test helper asked (control)."),
    Column("dns_failure", "category", "The helper's own failure to look the name up (control)."),
    Column("http_failure", "category", "The helper's own failure to get the page (control)."),
    *_OF_RUN,
    Column("key", "category", "Key that the run says seals it, a pseudonym; NA: none."),
    Column("sealed", "boolean", "Its record is under a good seal of that key; whose: verify."),
)

SUMMARY = (
    Column("network", "string", "Name of the AS as last seen; only when grouped by asn."),
    Column("first_seen", "time", "First measurement of the group."),
    Column("last_seen", "time", "Last measurement of the group."),
    Column("days", "Int64", "UTC days with at least one measurement."),
    Column("span_days", "Int64", "UTC days from the first to the last, both included."),
    Column("runs", "Int64", "Runs."),
    Column("campaigns", "Int64", "Different campaigns; three networks may be one person."),
    Column("n", "Int64", "Final verdicts."),
    *(Column(state, "Int64", f"Of these, in state {state}.") for state in STATES),
    Column("signs", "Int64", "Of the blocked, with grade signs."),
    Column("strong", "Int64", "Of the blocked, with grade strong."),
    Column("confirmed", "Int64", "Of the blocked, with grade confirmed."),
    Column("decided", "Int64", "Verdicts that say something of blocking: ok, blocked or refused."),
    Column("blocked_share", "float", "Blocked among decided; NA: none decided."),
    Column("blocked_low", "float", "Lower end of its 95 % interval (Wilson)."),
    Column("blocked_high", "float", "Upper end of its 95 % interval (Wilson)."),
    Column("mechanism", "string", "Mechanism most often seen among the blocked."),
    Column("mechanism_share", "float", "Its share of the blocked."),
    Column("failed_step", "string", "Step that most often failed among the blocked."),
    Column("excluded", "string", "Why the group does not meet the thresholds asked for; NA: it does."),
    Column("ok_before", "time", "Last ok before it was first seen blocked; NA: none."),
    Column("blocked_first", "time", "First measurement that found it blocked; NA: none."),
    Column("blocked_last", "time", "Last measurement that found it blocked; NA: none."),
    Column("ok_after", "time", "First ok after it was last seen blocked; NA: none."),
    Column("ok_between", "Int64", "Of the ok, those between the first and the last blocked one."),
    Column("longest_gap", "Int64", "Most UTC days in a row without a measurement, first to last seen."),
    Column("disputed_days", "Int64", "UTC days with ok as well as blocked verdicts."),
    Column(
        "partial", "Int64", "Verdicts with only some addresses of the site failing, whatever their state."
    ),
    Column(
        "unchecked",
        "Int64",
        "Verdicts whose time is the volunteer's word: nobody told the time, or the clock was set on the way.",
    ),
    Column(
        "sites",
        "Int64",
        "Different sites: addresses that a run lists under one target are one site's. More than 1 of a "
        "target: volunteers call different sites by its id.",
    ),
    Column("keys", "Int64", "Different keys with a good seal over these; one person may have several."),
    Column(
        "orders",
        "string",
        "Ids of the orders that the runs' lists name, in force at one of these measurements; NA: none.",
    ),
    Column(
        "searched",
        "string",
        "Last day of a search for orders that found none, by the runs' lists; NA: none made.",
    ),
    Column(
        "orders_unclear",
        "string",
        "Ids of the orders of which the lists do not say whether they were in force at one of these.",
    ),
)
