# Needs make and a python3 (3.11 or newer) with venv; for the lab (demo, most tests, bench) Linux.
# Everything goes into .venv; nothing is installed elsewhere.

PY := .venv/bin/python
STAMP := .venv/.installed

.PHONY: tools fuzz demo test check bench bench-helper bench-judge bench-verify bench-seal accuracy setup clean

demo: setup  ## measure a simulated censored internet and compare with its truth
	.venv/bin/blockwatch demo

test: setup  ## all tests; no packet leaves this machine
	$(PY) -m pytest

check: setup  ## format, lint, types, the laws of the house, and what the docs say of the command
	.venv/bin/ruff format --check src probes tests bench tools
	.venv/bin/ruff check src probes tests bench tools
	.venv/bin/mypy
	$(PY) -m pytest -q tests/test_laws.py tests/test_docs.py

tools: setup  ## other people's web archive tools, for tests that hold ours against them
	@test -x .venv/tools/bin/wayback || { .venv/bin/python -m venv .venv/tools && \
	 .venv/tools/bin/pip install --quiet --disable-pip-version-check -r requirements-tools.lock; }

fuzz: setup  ## damaged input for everything that reads what strangers send; SECONDS=600 for each reader
	@test -d .venv/atheris || .venv/bin/pip install --quiet --disable-pip-version-check --no-deps \
	 --target .venv/atheris -r requirements-fuzz.lock || echo "without atheris: slower, and blind"
	$(PY) -m tools.fuzz $$(test -d .venv/atheris && echo --guided .venv/atheris) \
	 --seconds $(or $(SECONDS),60) --seed $(or $(SEED),1) $(READERS)

bench: setup  ## speed, CPU, memory and bytes in the lab
	$(PY) bench/bench.py

bench-judge: setup  ## the judge on one core: measurements a second, memory, the search for fingerprints
	$(PY) bench/judge.py

bench-helper: setup  ## the test helper on one core: 200 requests a second for a minute
	$(PY) bench/helper.py

bench-verify: setup  ## verify on one core: records a second and memory, of a million short ones and of some with pages
	$(PY) bench/verify.py

bench-seal: setup  ## what sealing adds to the cost of writing a run of 1,000 sites
	$(PY) bench/seal.py

accuracy: setup  ## how right the verdicts are: writes docs/accuracy.md (45 minutes; stop it at any time, it goes on where it was)
	$(PY) -m tools.accuracy

setup: $(STAMP)  ## create .venv with pinned versions

$(STAMP): requirements.lock pyproject.toml
	@python=$$(sh .ci/find-python $(PYTHON)) || exit 1; \
	 echo "using $$python"; \
	 "$$python" -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(PY) -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $(STAMP)

clean:  ## remove what can be made again (never results)
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
