# make demo   set up .venv and downscale the CAMS sample that ships with the package
# make test   all checks: style, types, tests, and the wheel in an environment of its own
# make bench  the benchmarks (minutes; wants a quiet machine)

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
READY_DEV := .venv/.ready-dev
INSTALL := $(BIN)/pip install --quiet --constraint constraints.txt --editable

.PHONY: demo test lint types pytest wheel bench clean

demo: $(READY)
	mkdir -p output
	$(BIN)/deepcams downscale --sample output/sample.nc --overwrite
	$(BIN)/deepcams plot map output/sample.nc output/sample.png --overwrite
	@echo "Look at output/sample.png; the hourly maps are in output/sample.nc"

test: lint types pytest wheel

lint: $(READY_DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY_DEV)
	$(BIN)/mypy

pytest: $(READY_DEV)
	$(BIN)/python -m pytest

wheel: $(READY_DEV)
	rm -rf dist .venv-wheel
	$(BIN)/python -m build --outdir dist .
	$(PYTHON) -m venv .venv-wheel
	.venv-wheel/bin/pip install --quiet --constraint constraints.txt dist/*.whl
	mkdir dist/trial
	cd dist/trial && ../../.venv-wheel/bin/deepcams downscale --sample trial.nc --region europe --quiet
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
	$(INSTALL) ".[dev,grib,plot,stations]"
	touch $@

clean:
	rm -rf .venv .venv-wheel dist output
