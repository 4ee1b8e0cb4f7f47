"""A picture of a captured page, drawn by a browser from the captured bytes alone.

Rules of this folder:

* bytes in, a PNG file's bytes out; it reads no run, writes no file and reaches no network;
* the browser is taken for lost to the page from the beginning: what keeps the page in is the cell
  (:mod:`blockwatch.picture.cell`), and where the kernel gives none, nothing is drawn;
* what comes back from the browser is hostile, too: bounded, and taken apart before it is passed on.
"""
