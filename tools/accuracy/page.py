"""``docs/accuracy.md`` out of what was counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from blockwatch.lab.trial import CLEAN, Row
from tools.accuracy.counts import Counts, Share, count, is_lookalike, matrix
from tools.accuracy.recorded import Known, Real
from tools.accuracy.trials import NO_HELPER, NOISES, SEEDS, Trial

Found = Sequence[tuple[Trial, list[Row]]]

HEAD = """\
# How right the verdicts are

Made by `make accuracy`; not edited by hand. State of the program: `{state}` (program, lab).

Every trial is one `blockwatch run` of the real program in the lab, with default settings and one test
helper unless said otherwise, held against what the lab was built to do. **right**: the verdict is one that
the truth allows (state, mechanism, grade). **sensitivity**: share of blocked targets called blocked.
**specificity**: share of targets that nobody blocks and that are not called blocked. **mechanism**: of
blocked targets found, the share whose mechanism is exactly the lab's. **undecided**: share of targets that
can be decided and are called inconclusive. In brackets the 95 % interval of Wilson. The lab's table was made
by the authors of the rules: it shows that the rules do what they say, under noise; it is no sample of
the world's networks.
"""


def page(state: str, found: Found, known: Sequence[Known], real: Sequence[Real]) -> str:
    """The whole page."""
    worlds = [(trial, rows) for trial, rows in found if trial.world != CLEAN]
    parts = [
        HEAD.format(state=state),
        "## Scenarios under noise\n",
        _noise_table(worlds),
        "## Confusion matrix\n",
        "All noises and seeds together; rows: truth, columns: verdict. A star: a lookalike (see there).\n",
        _matrix_table([row for _, rows in worlds for row in rows]),
        "## Lookalikes\n",
        _lookalikes([row for _, rows in worlds for row in rows]),
        "## What was wrong\n",
        _wrong(worlds),
        "## Clean sites\n",
        _clean_table([(trial, rows) for trial, rows in found if trial.world == CLEAN]),
    ]
    if known or real:
        parts += ["## Recorded OONI measurements\n", _known_table(known), _real_table(real)]
    return "\n".join(parts)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(str(cell) for cell in line) + " |\n" for line in lines)


def _rows_under(found: Found, name: str) -> list[Row]:
    return [row for trial, rows in found if trial.noise.name == name for row in rows]


def _figures(counts: Counts) -> tuple[object, ...]:
    accused = f"{counts.accused_hard} / {counts.accused_signs}"
    return (counts.right, counts.sensitivity, counts.specificity, counts.mechanism, counts.undecided, accused)


def _noise_table(found: Found) -> str:
    head = (
        "noise",
        "right",
        "sensitivity",
        "specificity",
        "mechanism",
        "undecided",
        "accused: strong or confirmed / signs",
    )
    rows = [(noise.name, *_figures(count(_rows_under(found, noise.name)))) for noise in NOISES]
    everything = count(row for _, rows in found for row in rows)
    seeds = ", ".join(map(str, SEEDS))
    words = f"Seeds {seeds}; every world of the lab, whatever condition it adds of its own.\n\n"
    return words + _table(head, [*rows, ("**all**", *_figures(everything))])


def _matrix_table(rows: list[Row]) -> str:
    cells = matrix(rows)
    states = ["ok", "down", "refused", "inconclusive"]
    names = {name for pair in cells for name in pair}
    last = [*states, *(f"{state}*" for state in states), "nothing"]
    order = [*sorted(names - set(last)), *(name for name in last if name in names)]
    columns = [name for name in order if any(cells[truth, name] for truth in order)]
    lines = [
        (f"**{truth}**", *(cells[truth, name] or "" for name in columns))
        for truth in order
        if any(cells[truth, name] for name in columns)
    ]
    return _table(("truth \\ verdict", *columns), lines)


def _lookalikes(rows: list[Row]) -> str:
    lookalikes = [row for row in rows if is_lookalike(row)]
    hard = sum(row.grade in ("strong", "confirmed") for row in lookalikes)
    words = (
        "Targets that one network cannot tell from blocked ones, even with a control: a server that bans\n"
        "this address or this country, a stale entry of a resolver, a name that is new, a router that\n"
        "answers for names of its own; a few of them are blocked, but in part. Their truth allows\n"
        "`blocked` beside another state. They are counted in *right*, and left out of *sensitivity*,\n"
        "*specificity* and *accused* above. So this is how often a reader finds such a site called\n"
        "`blocked signs`, and why `signs` alone is no "
        f"evidence of a block: {_called(lookalikes)}; strong or confirmed: {hard}.\n\n"
    )
    names = sorted({row.scenario for row in lookalikes})
    alike = [(name, [row for row in lookalikes if row.scenario == name]) for name in names]
    lines = [(f"`{name}`", each[0].truth, _called(each)) for name, each in alike]
    return words + _table(("scenario", "truth", "called blocked (signs)"), lines)


def _called(rows: list[Row]) -> Share:
    return Share(sum(row.state == "blocked" for row in rows), len(rows))


def _wrong(found: Found) -> str:
    wrong: dict[tuple[str, str, str], list[str]] = {}
    for trial, rows in found:
        for row in rows:
            if not row.right:
                said = " ".join(filter(None, (row.state or "nothing", row.grade, row.mechanism)))
                key = (row.scenario, row.truth, said)
                wrong.setdefault(key, []).append(f"{trial.noise.name} (seed {trial.seed})")
    if not wrong:
        return "Nothing.\n"
    lines = [(f"`{s}`", truth, said, "; ".join(where)) for (s, truth, said), where in sorted(wrong.items())]
    return _table(("scenario", "truth", "verdict", "where"), lines)


def _clean_table(found: Found) -> str:
    rows: list[tuple[object, ...]] = []
    for noise in (*NOISES, *NO_HELPER):
        counts = count(_rows_under(found, noise.name))
        right = "" if noise in NO_HELPER else counts.right
        rows.append(
            (
                noise.name,
                counts.specificity.n,
                counts.accused_hard,
                counts.accused_signs,
                right,
                counts.undecided,
            )
        )
    everything = count(row for _, rows_ in found for row in rows_)
    n, hard, signs = everything.specificity.n, everything.accused_hard, everything.accused_signs
    rows.append(("**all**", n, hard, signs, "", ""))
    hard_bound, signs_bound = Share(hard, n).interval[1], Share(signs, n).interval[1]
    words = (
        "Copies of every clean situation that the lab knows (pages that change, redirects over several\n"
        "hosts, cookies, many addresses, other alphabets, …) in one run. Nobody blocks anything: every\n"
        "`blocked` is a false accusation. Upper bound (95 %) of their share:\n"
        f"{hard_bound:.3%} strong or confirmed, {signs_bound:.3%} signs.\n\n"
        "No such copy is a site whose own firewall drops the connections of a whole country. Where the\n"
        "control connects, that is `blocked signs` (`tcp.timeout`, `tcp.refused`): from one network it can\n"
        "not be told from a block of the address, and the verdict says so (docs/method.md).\n\n"
    )
    return words + _table(("noise", "measured", "strong or confirmed", "signs", "right", "undecided"), rows)


def _known_table(known: Sequence[Known]) -> str:
    ours = Share(sum(one.right for one in known), len(known))
    said = [one for one in known if one.theirs_right is not None]
    theirs = Share(sum(bool(one.theirs_right) for one in said), len(said))
    mark = {True: "right", False: "wrong", None: "cannot be said"}
    rows = [
        (one.name, one.truth, one.ours, mark[one.right], one.theirs, mark[one.theirs_right]) for one in known
    ]
    words = (
        "Simulated by OONI (ooni/probe-cli, generated measurements of its test suite), each judged alone.\n"
        f"blockwatch: {ours}; OONI's own verdict: {theirs}.\n\n"
    )
    return words + _table(("measurement", "truth", "blockwatch", "", "OONI", ""), rows)


def _real_table(real: Sequence[Real]) -> str:
    words = "\nOf real networks; nobody knows the truth, so both verdicts stand side by side.\n\n"
    rows = [(f"line {one.line}", one.theirs, one.ours) for one in real]
    return words + _table(("measurement", "OONI", "blockwatch"), rows)
