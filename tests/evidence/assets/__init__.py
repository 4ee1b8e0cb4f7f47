"""Evidence, good and damaged, made in code: each asset is broken in the one way that its name says.

``python -m tests.evidence.assets.write FOLDER`` writes them all, to look at or to try another checker on.
"""
