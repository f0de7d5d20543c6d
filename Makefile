# `make` alone says what there is. Variables: STAGE, APP, ARCH, PROFILE, KEEP_HISTORY, and AWS's own from the environment.

.DEFAULT_GOAL := help
.PHONY: help dev test check bench simulate build deploy destroy localstack template

infra := cargo run --quiet --package dacapo-infra --

export STAGE ?= dev
export APP ARCH PROFILE KEEP_HISTORY ALARMS ALARM_EMAIL KMS_KEY METRICS DASHBOARD EVENT_URL_SECRET TOKEN_URL FUNCTIONS RESOURCES PARAMETERS OUT YES PROTECTED

help:
	@echo 'Dacapo: background tasks and event handlers as plain async functions.'
	@echo
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F '|' '{ printf "%-18s %s\n", $$1, $$2 }'
	@echo
	@echo 'A stage is chosen by STAGE (dev by default), an endpoint by AWS_ENDPOINT_URL, an account by AWS_PROFILE.'

dev: ## runs the app on this machine, without AWS
	cargo run --package dacapo-cli --no-default-features -- dev

test: ## runs all tests; needs Rust and Python 3.13, and sets up the rest
	@.ci/test

check: ## format, lints, documentation, licences, and whether the template is current
	@.ci/check

bench: ## prints speed, size, and the AWS calls of one run; ROUNDS=5 for more, JSON=FILE for a file too, SECTION for one
	DACAPO_BENCH_JSON=$(abspath $(JSON)) DACAPO_BENCH_ROUNDS=$(or $(ROUNDS),3) cargo bench --package dacapo-tests -- $(SECTION)

simulate: ## the whole system under faults and a virtual clock: histories of 25 kinds; SEEDS=4000 of each for 100,000
	RUST_BACKTRACE=0 DACAPO_SEEDS=$(or $(SEEDS),200) cargo test --profile simulation --package dacapo-tests --no-default-features --test simulation -- --nocapture --test-threads=1 --skip planted

template: ## writes infra/manifest.json and infra/template.json from what the functions say
	UPDATE=1 cargo test --quiet --package dacapo-infra --test drift

build: ## makes the functions' zips for arm64 and x86_64; ARCH for one of them
	@$(infra) build

deploy: ## builds, shows what would change, then creates or updates the stack {app}-{STAGE}; YES=yes asks nothing
	@$(infra) build deploy
	@$(infra) deploy

destroy: ## removes the stack; asks whether its history is kept, as KEEP_HISTORY=yes or no says
	@$(infra) destroy

localstack: ## runs an AWS of your own at http://127.0.0.1:4566, without Docker; its schedules fire; PORT for another
	@cargo run --quiet --package dacapo-tests --bin dacapo-localstack -- $(PORT)
