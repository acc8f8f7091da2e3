.PHONY: run test lint bench web openapi setup setup-dev lock

run: setup web        ## the whole POS on an embedded PostgreSQL
	.venv/bin/posapp demo
test: setup-dev web   ## every test
	.venv/bin/pytest
lint: setup-dev       ## every rule of the house
	tools/lint.sh
bench: setup-dev      ## what is measured, beside what it is compared with
	.venv/bin/python -m benchmarks
web: setup            ## the front end, when its sources are newer than its build
	.venv/bin/python tools/build_web.py
setup:
	@tools/setup.sh
setup-dev:
	@tools/setup.sh dev
openapi: setup        ## the API's document and the front end's types, after a change of the API
	.venv/bin/posapp openapi > posapp/web/openapi.json
	.venv/bin/python tools/build_web.py --types
lock:                 ## new pins from pyproject.toml
	tools/lock.sh
