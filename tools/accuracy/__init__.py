"""How right the verdicts are: every scenario under every noise, and recorded OONI measurements.

``make accuracy`` writes ``docs/accuracy.md``. ``trials`` lists and runs what is measured, ``counts``
counts, ``recorded`` judges recorded measurements, ``page`` writes.
"""
