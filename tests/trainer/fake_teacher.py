"""`python fake_teacher.py ARGUMENTS` is gradus.trainer.rl with a teacher that samples a tiny Llama by transformers.

The trainer spawns the teacher's process from this very file, so both know the teacher and the verifier.
"""

import sys
import time

import torch

from gradus.engine.teachers.base import Completion, teachers
from gradus.verifiers.base import failed, passed, unparseable, verifier


@teachers.register("tiny")
class TinyTeacher:
    """Samples token by token; the letters of a prompt are its tokens."""

    def __init__(self, config):
        self.model_id = "tiny"
        self.load_weights(config.model)

    def load_weights(self, folder):
        from transformers import AutoModelForCausalLM

        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()

    def answer(self, requests):
        for index in reversed(range(len(requests))):
            yield index, self._complete(requests[index])

    @torch.no_grad()
    def _complete(self, request):
        start = time.perf_counter()
        prompt = [ord(letter) - 33 for letter in request.messages[-1]["content"]]
        generator = torch.Generator().manual_seed(request.seed)
        tokens, logprobs = [], []
        while len(tokens) < request.sampling.max_tokens:
            logits = self.model(torch.tensor([prompt + tokens])).logits[0, -1] / request.sampling.temperature
            chosen = torch.multinomial(logits.softmax(-1), 1, generator=generator).item()
            tokens.append(chosen)
            logprobs.append(logits.log_softmax(-1)[chosen].item())
        return Completion(
            text="".join(chr(token + 33) for token in tokens),
            token_ids=tuple(tokens),
            token_logprobs=tuple(logprobs),
            prompt_token_ids=tuple(prompt),
            finish_reason="length",
            seconds=time.perf_counter() - start,
        )

    def close(self):
        del self.model


@verifier("low-tokens", version="1")
def low_tokens(answer, *, below):
    """Pass when most tokens are low; one of the 20 highest makes an answer unparseable."""
    tokens = [ord(letter) - 33 for letter in answer]
    if max(tokens) >= 280:
        return unparseable("has a very high token")
    low = sum(token < below for token in tokens) / len(tokens)
    return passed("low") if low > 0.6 else failed(f"{low:.0%} low", score=low)


@verifier("always", version="1")
def always(answer):
    """Pass: a problem that teaches nothing."""
    return passed("anything goes")


if __name__ == "__main__":
    from gradus.trainer import rl

    sys.exit(rl.main(sys.argv[1:]))
