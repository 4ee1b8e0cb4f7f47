"""Verdicts and measurements made up for the tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from blockwatch.model import Measurement, Observation
from blockwatch.run import RunOpen, Vantage
from blockwatch.verdict import Grade, Reason, State, Verdict


def micros(text: str) -> int:
    """Microseconds since the epoch of an ISO time in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000_000)


def opened(run: str = "00" * 8, asn: int | None = 9198, **more: Any) -> RunOpen:
    """A run's first line."""
    vantage = Vantage(asn=asn, country="KZ" if asn else None, network="JSC Kazakhtelecom" if asn else None)
    return RunOpen(
        run=run, started=micros("2026-11-22T10:00:00"), software="blockwatch 0", vantage=vantage, **more
    )


def measurement(
    run: RunOpen, seq: int, target: str = "site", *, steps: tuple[Observation, ...] = (), **more: Any
) -> Measurement:
    """A measurement with the steps given."""
    fields: dict[str, Any] = {"started": run.started + seq * 1_000_000, "url": f"https://{target}.example/"}
    return Measurement(
        id=f"{run.run}-{seq:06}",
        seq=seq,
        target=target,
        probe="web",
        probe_version="1",
        us=5,
        observations=steps,
        **(fields | more),
    )


def verdict(made: Measurement, state: str = "ok", *, asn: int | None = 9198, **more: Any) -> Verdict:
    """A verdict on a measurement; blocked ones are strong unless said otherwise."""
    fields: dict[str, Any] = {"final": True, "ruleset": "1"}
    if state == "blocked":
        fields |= {"grade": Grade.STRONG, "mechanism": "tls.timeout.sni", "failed_step": "tls"}
        fields["why"] = (
            Reason(rule="T1", text="The handshake times out"),
            Reason(rule="T2", text="Control fine"),
        )
    return Verdict(
        id=made.id,
        target=made.target,
        url=made.url,
        probe=made.probe,
        asn=asn,
        started=made.started,
        state=State(state),
        **(fields | more),
    )
