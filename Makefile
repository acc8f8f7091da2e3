.PHONY: run test test-deep lint hooks mutants bench docs screenshots web openapi setup setup-dev lock sbom audit test-compose test-production
WORKERS = 2
# Hundreds of processes import the same sources, which are compiled once for all of them.
unexport PYTHONDONTWRITEBYTECODE
PRODUCTION = nobody_special or no_secret or no_compiler or runbooks_commands or json_by or tunnel or says_nothing or around_nginx or three_backends or backend_that_is_killed

run: setup web        ## the whole POS on an embedded PostgreSQL
	.venv/bin/posapp demo
test: setup-dev web   ## every test but the deep ones
	.venv/bin/pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder -m "not deep and not screenshots"
test-deep: setup-dev web ## those that go further, and take longer; laws on many more inputs
	.venv/bin/pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder --hypothesis-profile=deep -m "(deep or hypothesis) and not compose and not compose_long"
test-compose: setup-dev web ## the production on a real Docker engine: twenty minutes on a new machine
	.venv/bin/pytest -m compose -s tests/compose
test-production: setup-dev web ## the parts of that which take a minute or two once its images are built
	.venv/bin/pytest -s tests/compose/test_faults.py -k "$(PRODUCTION)"
hooks: setup-dev      ## quick rules before each commit
	.venv/bin/pre-commit install
lint: setup-dev       ## every rule of the house
	tools/lint.sh
mutants: setup-dev   ## breaks each rule on purpose, and names the breaks that no test notices
	.venv/bin/python tools/mutants.py
bench: setup-dev      ## what is measured, beside what it is compared with
	.venv/bin/python -m benchmarks
docs: setup-dev       ## healthkit's documentation as a site, into var/site
	.venv/bin/python -m sphinx -W --keep-going -q healthkit/docs var/site
screenshots: setup-dev web ## every screen at every size, in both themes and languages, into var/screenshots
	.venv/bin/pytest tests/browser/test_screenshots.py -m screenshots -q
web: setup            ## the front end, when its sources are newer than its build
	.venv/bin/python tools/build_web.py
setup:
	@tools/setup.sh
setup-dev:
	@tools/setup.sh dev
openapi: setup        ## the API's document and the front end's types, after a change of the API
	.venv/bin/posapp openapi > posapp/web/openapi.json
	.venv/bin/python tools/build_web.py --types
sbom: setup-dev       ## what the product is made of, as CycloneDX; IMAGES="…" for those too
	.venv/bin/python -m tools.sbom $(IMAGES)
audit: setup-dev      ## known faults of what it is made of, by PyPI's and npm's lists
	tools/audit.sh
lock:                 ## new pins from pyproject.toml
	tools/lock.sh
