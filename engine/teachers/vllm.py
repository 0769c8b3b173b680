"""A local model through vLLM's offline engine, in this process, on a CPU or CUDA.

Answers stream out as they finish (continuous batching). `options` of the teacher's config are vLLM's
own engine arguments (tensor_parallel_size, dtype, gpu_memory_utilization, …) and win over ours.
"""

from __future__ import annotations

import os
import time
from itertools import count
from pathlib import Path
from typing import Any

from gradus.engine.models import model_id, resolve_model
from gradus.engine.teachers.base import Completion, Refusal, Request, Teacher, TeacherConfig, teachers
from gradus.engine.teachers.thoughts import split_thought
from gradus.errors import MachineError

AT_ONCE = 2048
"""Requests in the engine at once: enough to fill any batch, little enough to hold."""
GPU_OPTIONS: dict[str, Any] = {"dtype": "bfloat16"}
CPU_OPTIONS: dict[str, Any] = {
    "dtype": "float32",  # bfloat16 without AVX-512 hangs for minutes
    "enforce_eager": True,  # no compiler needed
    # vLLM 0.32.0 rewinds a seeded request's generator after a partial prefill; a CPU generator cannot.
    "enable_chunked_prefill": False,
    "block_size": 32,  # of 128, few prompts fill one block, and only whole blocks are shared
    "max_num_batched_tokens": 1024,  # what one step computes is there to be shared by the next
}


@teachers.register("vllm")
class VLLMTeacher(Teacher):
    """One vLLM engine. Opening takes 15 s on a CPU, about 100 s on a GPU."""

    def __init__(self, config: TeacherConfig) -> None:
        import torch

        folder = resolve_model(config.model)
        self.model_id = self.identify(config)
        self._max_context = config.max_context
        self._cuda = torch.cuda.is_available()
        self._llm = open_engine(str(folder), config, cuda=self._cuda)
        self._engine, self._tokenizer = self._llm.llm_engine, self._llm.get_tokenizer()
        self._numbers = count()
        self._flying: dict[str, tuple[int, float]] = {}
        self._refused: list[tuple[int, Completion | Refusal]] = []

    @staticmethod
    def identify(config: TeacherConfig) -> str:
        return model_id(resolve_model(config.model))

    @property
    def room(self) -> int:
        return AT_ONCE - len(self._flying)

    def submit(self, name: int, request: Request) -> None:
        prompt = self.render(request)
        if len(prompt) >= self._max_context:
            self._refused.append(
                (name, Refusal(f"the prompt alone fills the context of {self._max_context}", final=True))
            )
            return
        own = str(next(self._numbers))
        self._engine.add_request(own, {"prompt_token_ids": prompt}, self._sampling(request, len(prompt)))
        self._flying[own] = name, time.perf_counter()

    def collect(self, timeout_s: float) -> list[tuple[int, Completion | Refusal]]:
        late = time.perf_counter() + timeout_s
        found, self._refused = self._refused, []
        while self._flying and not found and time.perf_counter() < late:
            for output in self._engine.step():
                # vLLM adds a suffix of its own to the names of requests.
                own = output.request_id.partition("-")[0]
                if output.finished and own in self._flying:
                    name, start = self._flying.pop(own)
                    found.append((name, _completion(output, time.perf_counter() - start)))
        return found

    def cancel(self) -> None:
        self._engine.abort_request(list(self._flying))
        self._flying.clear()
        self._refused.clear()

    def render(self, request: Request) -> list[int]:
        """Return the prompt's token ids, in the model's own chat template."""
        text = self._tokenizer.apply_chat_template(list(request.messages), tokenize=False, add_generation_prompt=True)
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def load_weights(self, folder: str) -> None:
        self._llm.collective_rpc("reload_weights", kwargs={"weights_path": folder})
        if not self._cuda:
            self._llm.apply_model(_repack_tied_head)
        self._llm.reset_prefix_cache()
        self.model_id = model_id(Path(folder))

    def close(self) -> None:
        self._engine.engine_core.shutdown()
        del self._llm, self._engine

    def _sampling(self, request: Request, prompt_tokens: int) -> Any:
        from vllm import SamplingParams

        ask = request.sampling
        return SamplingParams(
            temperature=ask.temperature,
            top_p=ask.top_p,
            max_tokens=max(1, min(ask.max_tokens, self._max_context - prompt_tokens)),
            stop=list(ask.stop) or None,
            seed=request.seed,
            logprobs=0 if ask.logprobs else None,
        )


def open_engine(folder: str, config: TeacherConfig, *, cuda: bool) -> Any:
    """Open vLLM on a folder, with the options that were measured to work here unless config has others."""
    if not cuda:
        _prepare_cpu()
    try:
        from vllm import LLM
    except ImportError as error:
        raise MachineError(f"vLLM does not import here ({error}); see `gradus doctor`") from None
    ours = {
        "max_model_len": config.max_context,
        "max_num_seqs": 256,
        "logprobs_mode": "processed_logprobs",  # of the distribution that is sampled from, temperature and all
        "use_tqdm_on_load": False,
    }
    return LLM(folder, **(ours | (GPU_OPTIONS if cuda else CPU_OPTIONS) | config.options))


def _prepare_cpu() -> None:
    """Settings measured on quiet cores: all of them for one engine, in this process."""
    import torch

    cores = sorted(os.sched_getaffinity(0))
    os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", ",".join(map(str, cores)))
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
    os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    torch.compiler.set_stance("force_eager")  # compiling the ranks of log-probabilities costs 4 s and needs gcc


def _repack_tied_head(model: Any) -> None:
    """Pack the output head anew: vLLM 0.32.0 reloads a tied embedding, but not the head's packed copy of it."""
    from vllm.model_executor.layers.utils import dispatch_cpu_unquantized_gemm

    if model.config.tie_word_embeddings:
        dispatch_cpu_unquantized_gemm(model.lm_head, remove_weight=False)


def _completion(output: Any, seconds: float) -> Completion:
    answer = output.outputs[0]
    reasoning, text = split_thought(answer.text)
    logprobs = answer.logprobs or []
    return Completion(
        text=text,
        reasoning=reasoning,
        token_ids=tuple(answer.token_ids),
        token_logprobs=tuple(entry[token].logprob for token, entry in zip(answer.token_ids, logprobs, strict=False)),
        prompt_token_ids=tuple(output.prompt_token_ids),
        finish_reason=answer.finish_reason or "",
        seconds=seconds,
    )
