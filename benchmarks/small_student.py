"""A small Llama that learns written arithmetic from packed documents, and says how sure it is of a solution.

B: rows · T: positions
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM
from written_arithmetic import ALPHABET, END, Example

from gradus.curricula.packing import pack
from gradus.trainer.batch import Batch, Document, collate

CONTEXT = 128
WINDOW = 16
"""Sequences: how far packing may move a document."""


class Student:
    """A small Llama that reads packed documents."""

    def __init__(self, hidden: int, layers: int, *, rows: int, seed: int, device: torch.device) -> None:
        torch.manual_seed(seed)
        config = LlamaConfig(
            vocab_size=len(ALPHABET),
            hidden_size=hidden,
            intermediate_size=3 * hidden,
            num_hidden_layers=layers,
            num_attention_heads=hidden // 32,
            max_position_embeddings=CONTEXT,
            attn_implementation="sdpa",
        )
        self.model = LlamaForCausalLM(config).to(device)
        self.rows, self.device = rows, device

    def logits(self, batch: Batch) -> Tensor:
        same = batch.document_BT[:, :, None] == batch.document_BT[:, None, :]
        mask = (same & torch.ones_like(same[0]).tril())[:, None]
        # What is measured is measured in float32.
        fast = self.device.type == "cuda" and torch.is_grad_enabled()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=fast):
            out = self.model(batch.tokens_BT, attention_mask=mask, position_ids=batch.positions_BT, use_cache=False)
        return out.logits.float()

    def train(
        self, documents: Sequence[Document], *, lr: float, every: int = 0, look: Callable[[int], bool] | None = None
    ) -> None:
        """Take one pass in the given order; look every so many tokens, and stop when that is true."""
        rows = packed(documents)
        steps = [rows[i : i + self.rows] for i in range(0, len(rows), self.rows)]
        optimizer = torch.optim.AdamW(self.model.parameters(), lr=lr, betas=(0.9, 0.95), weight_decay=0.01)
        # As our trainer's: a straight line down to a tenth, after a short rise.
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda i: min((i + 1) / 20, 1 - 0.9 * i / max(len(steps), 1))
        )
        seen = 0
        for step in steps:
            batch = collate(step, CONTEXT).to(self.device)
            loss = torch.nn.functional.cross_entropy(self.logits(batch).flatten(0, 1), batch.labels_BT.flatten())
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            before, seen = seen, seen + sum(len(document.token_ids) for row in step for document in row)
            if look and before // every < seen // every and look(seen):
                return

    @torch.no_grad()
    def read(self, examples: Sequence[Example]) -> tuple[np.ndarray, np.ndarray, float]:
        """Return by problem the probability of its solution and whether greedy decoding writes it, and the mean NLL."""
        documents = [example.document for example in examples]
        lengths = np.array([len(document.token_ids) for document in documents])
        packing = pack(lengths, CONTEXT)
        logprob, right = np.zeros(len(examples)), np.ones(len(examples), bool)
        per_batch = 8 * self.rows
        sequences = list(packing)
        for start in range(0, len(sequences), per_batch):
            some = sequences[start : start + per_batch]
            batch = collate([[documents[i] for i in sequence] for sequence in some], CONTEXT).to(self.device)
            owner = np.concatenate(some)
            logits = self.logits(batch)
            learnt = batch.labels_BT >= 0
            labels = batch.labels_BT.clamp(min=0)
            of_label = logits.log_softmax(-1).gather(-1, labels[..., None])[..., 0]
            document = batch.document_BT[learnt].cpu().numpy()
            np.add.at(logprob, owner[document], of_label[learnt].double().cpu().numpy())
            wrong = (logits.argmax(-1) != labels)[learnt].cpu().numpy()
            right[owner[document[wrong]]] = False
        num_labels = sum(len(example.solution) + 1 for example in examples)
        return np.exp(logprob), right, float(-logprob.sum() / num_labels)


def packed(documents: Sequence[Document]) -> list[list[Document]]:
    """Return sequences of the documents, in their order up to a window."""
    packing = pack(np.array([len(document.token_ids) for document in documents]), CONTEXT, window=WINDOW)
    return [[documents[i] for i in sequence] for sequence in packing]


@torch.no_grad()
def decode(student: Student, ask: str) -> str:
    """Write greedily, token by token."""
    ids = [ALPHABET.index(c) for c in ask]
    while len(ids) < CONTEXT:
        tokens = torch.tensor([ids], device=student.device)
        batch = Batch(
            tokens, tokens, torch.arange(len(ids), device=student.device)[None], torch.zeros_like(tokens), [[0]]
        )
        ids.append(int(student.logits(batch)[0, -1].argmax()))
        if ALPHABET[ids[-1]] == END:
            break
    return "".join(ALPHABET[i] for i in ids[len(ask) :])


def check(student: Student, examples: Sequence[Example]) -> float:
    """Return on which share of problems one forward pass and decoding agree on what passes."""
    _, right, _ = student.read(examples)
    decoded = [decode(student, example.ask) == example.solution + END for example in examples]
    return float(np.mean(np.array(decoded) == right))
