# All that a newcomer types. Each target sets up what it needs by itself; `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# Another Spark or Python on the user's machine must not leak into ours.
unexport SPARK_HOME PYTHONPATH PYTHONHOME PYTHONSTARTUP VIRTUAL_ENV

PATIENTS ?= 2000
SYNTHEA_PATIENTS ?= 200
VENV := .venv
VENV35 := .venv-spark35
SYNTHEA := .cache/synthea
VALIDATOR := .cache/validator
BIN := $(VENV)/bin
READY := $(VENV)/.installed
READY35 := $(VENV35)/.installed

# Prints a Python that Spark and the locks take and that can make a virtual environment; `make PYTHON=/path/to/python3` overrides the search.
# Each is tried, not only looked up: version managers leave commands on PATH that refuse to start.
PYTHONS = $(or $(PYTHON),python3.13 python3.12 python3.11 python3)
define find_python
for python in $(PYTHONS); do \
  "$$python" -c 'import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1 && break; python=; \
done; \
if [ -z "$$python" ]; then \
  if command -v brew >/dev/null; then how='brew install python@3.13'; \
  elif command -v apt-get >/dev/null; then \
    how='sudo apt-get install -y python3-venv (or python3.11-venv, where python3 is older than 3.11)'; \
  elif command -v dnf >/dev/null; then how='sudo dnf install -y python3.12'; \
  else how='https://www.python.org/downloads/'; fi; \
  echo "No Python 3.11 to 3.13 with its venv module was found. Install one: $$how" >&2; exit 1; \
fi
endef

# $(call find_java,SPARK VERSION): fails with one line that says what to install, before anything large is downloaded.
define find_java
$(find_python); "$$python" -m masking.java $(1) >/dev/null
endef

# $(call set_up,VENV,LOCK): pip brings what the lock names, checked against its hashes; the project itself stays editable.
define set_up
$(find_python); \
"$(1)/bin/python" -c '' 2>/dev/null || "$$python" -m venv --clear "$(1)" || exit 1; \
echo "Installing $(2) into $(1) (0.7 GB; a minute or two) ..."; \
"$(1)/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$(2)" && \
"$(1)/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . && \
echo "Compiling the document engine (a minute or two) ..." && "$(1)/bin/python" -c 'from masking.native import compile_once; compile_once()' && \
touch "$(1)/.installed"
endef

$(READY): locks/spark41.txt pyproject.toml
	@$(call set_up,$(VENV),locks/spark41.txt)

$(READY35): locks/spark35.txt pyproject.toml
	@$(call set_up,$(VENV35),locks/spark35.txt)

.PHONY: help install java java35 demo test test-spark35 test-kills test-delta test-delta35 lint types bench validate synthea examples wheel lock clean distclean

help: ## print this
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

install: $(READY) ## a .venv with everything in it, .venv/bin/fhir-mask too

java:
	@$(call find_java,4.1)

java35:
	@$(call find_java,3.5)

demo: java $(READY) ## make a sample export, mask it on local Spark, show it (PATIENTS=2000)
	@$(BIN)/fhir-mask demo --patients $(PATIENTS)

test: java $(READY) ## all tests, on Spark 4.1 (ARGS="-k dates" for some)
	$(BIN)/python -m pytest $(ARGS)

test-spark35: java35 $(READY35) ## the tests that start Spark, on Spark 3.5, in an environment of its own
	$(VENV35)/bin/python -m pytest -m spark $(ARGS)

test-kills: java $(READY) ## kill -9 a run's driver and its workers at every moment, then rerun (half an hour; `make test` tries a few)
	KILLS=all $(BIN)/python -m pytest tests/test_killed.py tests/test_inplace_killed.py tests/test_incremental_killed.py $(ARGS)

test-delta: java $(READY) ## runs merged into Delta tables, with Delta's jars, which Maven brings
	FHIR_DELTA=1 $(BIN)/python -m pytest tests/test_delta.py tests/test_formats_agree.py $(ARGS)

test-delta35: java35 $(READY35) ## the same on Spark 3.5, with the Delta that fits it
	FHIR_DELTA=1 $(VENV35)/bin/python -m pytest tests/test_delta.py tests/test_formats_agree.py $(ARGS)

lint: types ## ruff's checks and formatting, and the types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY) ## mypy, strict
	$(BIN)/mypy

bench: java $(READY) ## measure, as ratios to a floor measured in the same run
	$(BIN)/python -m benchmarks $(ARGS)

validate: java $(READY) ## HAPI's validator on resources before and after: what masking made invalid (needs Maven; ARGS=PATH)
	@command -v mvn >/dev/null || { echo "HAPI's validator comes by Maven. Install it: https://maven.apache.org/install.html" >&2; exit 1; }
	@[ -f $(VALIDATOR)/lib/.complete ] || { \
	  mvn -q -f benchmarks/validator/pom.xml dependency:copy-dependencies -DoutputDirectory="$(CURDIR)/$(VALIDATOR)/lib" && \
	  touch $(VALIDATOR)/lib/.complete; }
	$(BIN)/python -m benchmarks.validator $(ARGS)

synthea: java $(READY) ## a Synthea export of 200 patients in .cache/synthea (needs Maven; 3 minutes, 0.7 GB)
	@command -v mvn >/dev/null || { echo "Synthea comes by Maven. Install it: https://maven.apache.org/install.html" >&2; exit 1; }
	mvn -q -f benchmarks/synthea/pom.xml dependency:copy-dependencies -DoutputDirectory="$(CURDIR)/$(SYNTHEA)/lib"
	rm -rf $(SYNTHEA)/export
	"$$($(BIN)/python -m masking.java)/bin/java" -cp "$(SYNTHEA)/lib/*" App \
	  -p $(SYNTHEA_PATIENTS) -s 7 -cs 7 -r 20260101 -e 20260101 \
	  --exporter.fhir.bulk_data=true --exporter.baseDirectory=$(SYNTHEA)/export > $(SYNTHEA)/log.txt
	@ls $(SYNTHEA)/export/fhir

examples: ## HL7's own 5,298 examples of R4 in .cache/examples, which tests and `make validate` take then (needs npm; 0.2 GB)
	@command -v npm >/dev/null || { echo "HL7's examples come by npm. Install it: https://nodejs.org/en/download" >&2; exit 1; }
	npm install --silent --no-save --no-audit --no-fund --prefix .cache/examples hl7.fhir.r4.examples@4.0.1

wheel: $(READY) ## dist/fhir_masking-*.whl, for Glue and EMR
	$(BIN)/python -m hatchling build -t wheel

lock: $(READY) ## resolve locks/*.txt anew from pyproject.toml and locks/*.in
	@for line in spark41 spark35; do \
	  echo "$$line"; $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --extra aws --extra sample --extra report --extra notebook --group dev \
	    --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock" \
	    pyproject.toml locks/$$line.in --output-file locks/$$line.txt || exit 1; \
	done

clean: ## remove what tests, builds and demos leave
	rm -rf build dist demo spark-warehouse metastore_db derby.log artifacts .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.venv*' -prune -exec rm -rf {} +

distclean: clean ## and the environments and downloads
	rm -rf $(VENV) $(VENV35) .cache
