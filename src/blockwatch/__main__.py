"""``python -m blockwatch``: the same as the command ``blockwatch``."""

from blockwatch.cli import main

main()
