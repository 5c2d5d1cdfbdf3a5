# make demo   set up .venv and downscale the CAMS sample that ships with the package
# make test   all checks: style, types, tests, and the wheel in an environment of its own
# make docs   the documentation as a site, in build/site
# make bench  the benchmarks (minutes; wants a quiet machine)

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
READY_DEV := .venv/.ready-dev
INSTALL := $(BIN)/pip install --quiet --constraint constraints.txt --editable

.PHONY: demo test lint types pytest docs viewer wheel bench clean

demo: $(READY)
	mkdir -p output
	$(BIN)/deepcams downscale --sample output/sample.nc --overwrite
	$(BIN)/deepcams plot map output/sample.nc output/sample.png --overwrite
	@echo "Look at output/sample.png; the hourly maps are in output/sample.nc"

test: lint types pytest docs wheel

lint: $(READY_DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY_DEV)
	$(BIN)/mypy

pytest: $(READY_DEV)
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

wheel: $(READY_DEV)
	rm -rf dist .venv-wheel
	$(BIN)/python -m build --outdir dist .
	$(PYTHON) -m venv .venv-wheel
	.venv-wheel/bin/pip install --quiet --constraint constraints.txt dist/*.whl
	mkdir dist/trial
	cd dist/trial && ../../.venv-wheel/bin/deepcams downscale --sample trial.nc --region europe --quiet
	cd dist/trial && ../../.venv-wheel/bin/deepcams view trial.nc --export site --quiet && test -s site/main.js
	.venv-wheel/bin/python -c "import xarray; assert xarray.open_dataset('dist/trial/trial.nc').pm2p5.shape == (10, 169, 281)"
	rm -rf .venv-wheel dist/trial

bench: $(READY_DEV)
	$(BIN)/python -m pytest benchmarks --benchmark-enable --benchmark-only
	$(BIN)/python benchmarks/network.py
	$(BIN)/python benchmarks/stages.py
	$(BIN)/python benchmarks/compare.py

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(INSTALL) ".[plot,stations]"
	touch $@

$(READY_DEV): $(READY)
	$(INSTALL) ".[dev,docs,grib,plot,stations]"
	touch $@

docs: $(READY_DEV)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "Look at build/site/index.html"

viewer:  # the page of deepcams view, from viewer/ into the package; needs node 20 and its registry
	cd viewer && npm ci --ignore-scripts --no-audit --no-fund && npm run check && npm run build

clean:
	rm -rf .venv .venv-wheel build dist output
