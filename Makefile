# The work is done by tools/make.py, which needs nothing but a Python. See README.md.
# make test ARGS="tests/norms -k batch" runs some of the tests.

PYTHON ?= $(firstword $(foreach p,python3 python3.11 python,$(shell command -v $(p) 2>/dev/null)))
TARGETS := book pdf take test serve lecture lint format env models lock compiled bench clean distclean

.PHONY: help $(TARGETS)

help:
	@echo "make book       install, execute every chapter, build the site"
	@echo "make pdf        the whole book as one PDF"
	@echo "make take       the PDF, and the site and its figures as zip files, all linked from the first page"
	@echo "make test       install, build if stale, run all tests"
	@echo "make serve      read the site over HTTP on this machine"
	@echo "make lecture    open the chapters in JupyterLab"
	@echo "make lint       check style and vendored files"
	@echo "make format     format code, strip notebook outputs"
	@echo "make env        install only"
	@echo "make models     install the four libraries whose models the tests try"
	@echo "make lock       write requirements.lock from what is installed"
	@echo "make compiled   compile the nets that train in the page (many minutes)"
	@echo "make bench      measure speed, as ratios in one run (a quarter of an hour)"
	@echo "make clean      remove the built site and caches (distclean: the environment too)"

$(TARGETS):
ifeq ($(PYTHON),)
	@echo "No Python found: install Python 3.11 or newer, then run the same command again." >&2
	@exit 1
else
	@$(PYTHON) tools/make.py $@ $(ARGS)
endif
