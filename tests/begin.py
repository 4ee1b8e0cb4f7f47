"""``python -m tests.begin PID MODULE WORDS...``: run a module, which ends, lab and all, with process PID.

It is asked to end (SIGTERM), so that it can end its lab and remove its files.
"""

import runpy
import signal
import sys

from blockwatch.lab.kernel import die_with_parent

if __name__ == "__main__":
    parent, module, *words = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    die_with_parent(int(parent), signal.SIGTERM)
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
