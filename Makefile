# `make` lists the targets.
.DEFAULT_GOAL := help
PYTHON ?= python3.11
WORKSPACE ?= workspace
DEMO ?=
FUZZ_EXAMPLES ?= 10000
FUZZ_SECONDS ?= 60
REST_EXAMPLES ?= 150
REST_SEED ?=
bin := .venv/bin

.PHONY: help setup demo test test-slow test-gpu fuzz rest-fuzz client check format peers bench bench-gpu lock

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

setup:  ## create .venv from the lock file
	@PYTHON=$(PYTHON) requirements/install.sh

demo: setup  ## the whole main job on the model that comes with Gradus; again: resume
	@$(bin)/gradus demo --workspace $(WORKSPACE) $(DEMO)

# What is compiled is kept, whatever the environment says: each worker, and each command that a test starts, needs it.
test test-slow: export PYTHONDONTWRITEBYTECODE :=

test: setup  ## the fast tests, on all cores: no GPU, no network, under five minutes
	$(bin)/python -m pytest -n auto --dist worksteal

test-slow: setup  ## tests that take minutes or need the model
	$(bin)/python -m pytest -m slow

test-gpu:  ## tests on a CUDA device, kernels included, in the environment that is active
	python3 -m pytest tests/kernels tests/trainer/test_gpu.py tests/trainer/test_parallel_gpu.py -m "not slow"

fuzz: setup  ## random answers and messages to the verifiers, for longer than `make test` has
	GRADUS_FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(bin)/python -m pytest tests/fuzz
	@if $(bin)/python -c "import atheris" 2>/dev/null; then \
	    for target in parser verdict protocol; do \
	        $(bin)/python tests/fuzz/atheris_targets.py $$target -max_total_time=$(FUZZ_SECONDS) \
	            -artifact_prefix=.hypothesis/ || exit 1; \
	    done; \
	else echo "atheris is missing, so nothing was guided by coverage; \`make peers\` installs it"; fi

rest-fuzz: setup peers  ## schemathesis against every operation of the REST interface, over 5,000 cases
	GRADUS_REST_EXAMPLES=$(REST_EXAMPLES) GRADUS_REST_SEED=$(REST_SEED) $(bin)/python -m pytest -m slow -s tests/fuzz/test_rest_fuzz.py

client: setup  ## write the Python client anew from the OpenAPI document
	$(bin)/python -m gradus.api.client_source
	$(bin)/ruff format -q api/client_reading.py api/client_changing.py

check: setup  ## ruff and mypy
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy

format: setup  ## let ruff mend what it can
	$(bin)/ruff check --fix .
	$(bin)/ruff format .

peers: setup  ## install what the benchmarks and `make fuzz` compare with
	$(bin)/python -m pip install -qq --no-deps -r requirements/peers.txt

bench: peers  ## run the benchmarks; each prints JSON lines, or what it needs
	for file in benchmarks/bench_*.py; do $(bin)/python $$file || exit 1; done

train := python3 benchmarks/bench_train.py
train2 := torchrun --standalone --nproc-per-node 2 benchmarks/bench_train.py
four := --batches 4 --warmup 2 --steps 4
long := --context 65536 --warmup 1 --steps 3

bench-gpu:  ## supervised training's figures, on one GPU or more, in the environment that is active (needs liger-kernel, torchao)
	python3 benchmarks/bench_attention.py
	python3 benchmarks/bench_poly_norm.py
	$(train) --peer
	$(train) $(four) --peer
	$(train) $(four) --peer-alone --peer-attention flash_attention_4
	$(train) $(four) --documents packed --peer --peer-attention flash_attention_4
	$(train) $(four) --model smollm2-135m --peer
	$(train) --model smollm2-135m --rows 4 --peer
	for setting in --float8 --cpu-offload; do $(train) $(four) $$setting || exit 1; done
	for clip in 0 100 1; do $(train) $(four) --optimizer muon --qk-clip $$clip || exit 1; done
	$(train) $(long) --activation-checkpointing selective
	$(train) $(long) --activation-checkpointing selective --documents packed --peer --peer-attention flash_attention_4
	$(train) $(long) --activation-checkpointing selective --optimizer muon --qk-clip 100
	for attention in sdpa flash_attention_4; do \
	    $(train) $(long) --activation-checkpointing full --peer-alone --peer-attention $$attention || exit 1; done
	for model in llama-3b llama-3.6b; do \
	    $(train) $(long) --model $$model --activation-checkpointing full || exit 1; done
	if [ $$(nvidia-smi -L | wc -l) -ge 2 ]; then $(train2) $(four) && $(train2) $(long) --context-parallel 2 && \
	    $(train2) $(long) --context 131072 --context-parallel 2 --activation-checkpointing selective; fi

lock:  ## make the lock files anew (needs uv)
	uv pip compile requirements/cpu.in --python-version 3.11 --python-platform x86_64-manylinux_2_28 \
	    --no-header --no-annotate -o requirements/cpu.lock
	uv pip compile requirements/cuda.in --python-version 3.12 --python-platform x86_64-manylinux_2_35 \
	    --no-config --no-emit-package llm --no-emit-package llama-cpp-python \
	    --no-header --no-annotate -o requirements/cuda.lock
