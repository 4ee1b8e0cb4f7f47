"""The command line: joins the three columns, and turns every error into words and an exit code.

Rules of this package:

* one module a command, imported only when that command is called; nothing here imports anything
  heavy, so that cron and ``--help`` start at once;
* answers for machines go to standard output, words for people to standard error, unless the words
  are the answer;
* a person never sees a traceback; ``BLOCKWATCH_DEBUG=1`` shows it.
"""

from __future__ import annotations

from blockwatch.cli.main import main

__all__ = ["main"]
