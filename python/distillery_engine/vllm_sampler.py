"""
Sampling by vLLM in this process, beside the student: it gets the weights before each sampling, and frees its memory
afterwards. Its log-probabilities differ slightly from the trainer's, so the trainer scores the samples, and GRPO
weights tokens by the ratio of the two (truncated importance sampling, Yao et al. 2025, "Your Efficient RL Framework
Secretly Brings You Off-Policy RL Training").
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .batches import Example
from .errors import EngineError
from .machine import room
from .random import Stream
from .sampling import Draft, SampleOptions, check_prompts, group_of, pack_tokens
from .student import Student
from .training import Trainer
from .wire import Floats, Ints
from .work import Work

# The share of a GPU's memory that vLLM may take while it samples.
GPU_SHARE = 0.45
# The share of the free main memory for its keys and values on the CPU; vLLM's default is 92 % of all main memory.
CPU_SHARE = 0.3
# A token's weight is at most this.
CAP = 2.0
# Tokens per pass when the trainer scores samples.
SCORED_TOKENS = 8192


class VllmSampler:
    def __init__(self, trainer: Trainer) -> None:
        student, world = trainer.student, trainer.processes.world
        if find_spec("vllm") is None:
            raise EngineError(
                "config", "The sampler vllm needs vLLM, which is not installed", "distillery engine install --vllm."
            )
        if world > 1:
            raise EngineError("config", "vLLM samples in one process only", 'Use "torch" as sampler, or one process.')
        if getattr(student.model, "is_quantized", False):
            raise EngineError("config", "vLLM does not support a quantized base", 'Use "torch" as sampler.')
        # vLLM's engine core runs in this process, so that it can get the weights without a transfer.
        os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
        os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
        from vllm import LLM

        self.trainer, self.student = trainer, student
        # vLLM's log-probs of its samples since the last update.
        self.scores: dict[tuple[bytes, bytes], Floats] = {}
        self.sleeps = student.device.type == "cuda"
        more: dict[str, Any] = {"gpu_memory_utilization": GPU_SHARE} if self.sleeps else {"enforce_eager": True}
        if not self.sleeps and (free := room(student.device, world)["free"]):
            more["kv_cache_memory_bytes"] = int(CPU_SHARE * free)
        self.llm: Any = LLM(
            model=student.base,
            skip_tokenizer_init=True,
            dtype=str(student.dtype).removeprefix("torch."),
            max_model_len=student.positions,
            enable_sleep_mode=self.sleeps,
            logprobs_mode="processed_logprobs",
            seed=0,
            **more,
        )
        if self.sleeps:
            self.llm.sleep(level=2)

    def sample(self, prompts: Sequence[Ints], options: SampleOptions, work: Work) -> list[Draft]:
        """Like sampling.sample, with the trainer's log-probs."""
        check_prompts(self.student, prompts)
        drafts = [d for i, p in enumerate(prompts) for d in group_of(i, len(p), self.student, options)]
        work.begin(len(drafts))
        if self.sleeps:
            self.llm.wake_up(tags=["weights"])
        self.llm.collective_rpc("reload_weights", kwargs={"weights_iterator": weights_of(self.student)})
        self.llm.reset_prefix_cache()
        if self.sleeps:
            self.llm.wake_up(tags=["kv_cache"])
        try:
            self.run(prompts, drafts, options, work)
        finally:
            if self.sleeps:
                self.llm.sleep(level=2)
        rows = [Example(prompts[draft.prompt], np.asarray(draft.tokens, dtype=np.int32)) for draft in drafts]
        scores, _ = self.trainer.log_probs(rows, options.sampling.temperature or 1.0, SCORED_TOKENS, work)
        for row, draft, scored in zip(rows, drafts, scores, strict=True):
            if options.sampling.temperature > 0:
                self.scores[key(row)] = np.asarray(draft.log_probs, dtype=np.float32)
            draft.log_probs = scored.tolist()
        return drafts

    def correction(self, row: Example, log_probs: Floats) -> Floats | None:
        """min(trainer's probability / sampler's, CAP) of each token; None for tokens that were not sampled here."""
        drawn = self.scores.get(key(row))
        return None if drawn is None else np.minimum(np.exp(log_probs - drawn), CAP).astype(np.float32)

    def run(self, prompts: Sequence[Ints], drafts: list[Draft], options: SampleOptions, work: Work) -> None:
        from vllm import SamplingParams

        engine, random, how = self.llm.llm_engine, Stream(options.seed, options.stream), options.sampling
        # One request for each completion, with its own seed; the prefix cache computes a group's prompt once.
        for i, draft in enumerate(drafts):
            params = SamplingParams(
                temperature=how.temperature,
                top_p=how.topP or 1e-9,
                top_k=how.topK,
                min_p=how.minP,
                max_tokens=draft.budget,
                stop_token_ids=sorted(options.eos_ids),
                ignore_eos=True,
                seed=int(random.bits(draft.prompt, draft.completion)[0]) >> 1,
                logprobs=0,
                detokenize=False,
            )
            engine.add_request(str(i), {"prompt_token_ids": prompts[draft.prompt].tolist()}, params)
        try:
            while engine.has_unfinished_requests():
                work.check()
                for output in engine.step():
                    note(drafts[int(output.request_id)], output.outputs[0], options)
                work.advance(lambda: sum(d.ended for d in drafts), lambda: {"drafts": pack_tokens(drafts)})
        except BaseException:
            engine.abort_request([str(i) for i in range(len(drafts))])
            raise


def key(row: Example) -> tuple[bytes, bytes]:
    return row.prompt.tobytes(), row.completion.tobytes()


def note(draft: Draft, output: Any, options: SampleOptions) -> None:
    draft.tokens = list(output.token_ids)
    draft.log_probs = [scores[token].logprob for token, scores in zip(draft.tokens, output.logprobs, strict=True)]
    draft.finished = bool(draft.tokens) and draft.tokens[-1] in options.eos_ids


@torch.no_grad()
def weights_of(student: Student) -> Iterator[tuple[str, Tensor]]:
    """The weights under a checkpoint's names, with the adapter merged, one at a time."""
    layers = {name: m for name, m in student.model.named_modules() if hasattr(m, "get_delta_weight")}
    for name, parameter in student.model.named_parameters():
        if ".lora_" in name:
            continue
        layer, value = layers.get(name.removesuffix(".base_layer.weight")), parameter.detach()
        if layer is not None and name.endswith(".base_layer.weight"):
            value = value + layer.get_delta_weight("default").to(value)
        yield name.replace(".base_layer.", "."), value
