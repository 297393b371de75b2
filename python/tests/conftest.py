"""Tiny random students of several families, and an engine to send requests to."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import pytest
import torch
import transformers

from distillery_engine.engine import Engine
from distillery_engine.processes import Processes
from distillery_engine.wire import pack, pack_rows, unpack_rows
from distillery_engine.work import Work

torch.set_num_threads(1)

COMMON = dict(
    vocab_size=61,
    hidden_size=32,
    intermediate_size=40,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=64,
    bos_token_id=None,
    eos_token_id=0,
    pad_token_id=None,
    head_dim=8,
)
FAMILIES = {
    "llama": (transformers.LlamaConfig, dict(tie_word_embeddings=True)),
    "qwen2": (transformers.Qwen2Config, dict(tie_word_embeddings=True)),
    "qwen3": (transformers.Qwen3Config, dict(tie_word_embeddings=False)),
    "gemma3": (transformers.Gemma3TextConfig, dict(sliding_window=8, query_pre_attn_scalar=8)),
    "phi3": (transformers.Phi3Config, {}),
    "olmo2": (transformers.Olmo2Config, {}),
    "smollm3": (transformers.SmolLM3Config, {}),
}
# Whose logits are more than an output layer, and which cannot be sampled over a cache.
UNSUPPORTED = {
    "bert": (transformers.BertConfig, dict(is_decoder=True)),
    "rwkv": (transformers.RwkvConfig, dict(context_length=64)),
    "mamba": (transformers.MambaConfig, {}),
}


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory):
    """The folder of a tiny student of a family; its weights are larger than those of an initialisation."""
    made = {}

    def make(family: str) -> str:
        if family not in made:
            config, more = {**FAMILIES, **UNSUPPORTED}[family]
            model = transformers.AutoModelForCausalLM.from_config(config(**COMMON, **more))
            generator = torch.Generator().manual_seed(len(family))
            with torch.no_grad():
                for name, parameter in model.named_parameters():
                    noise = torch.randn(parameter.shape, generator=generator)
                    parameter.copy_(noise * 0.15 + (1.0 if "norm" in name and family != "gemma3" else 0.0))
            made[family] = str(tmp_path_factory.mktemp(family))
            model.save_pretrained(made[family])
        return made[family]

    return make


class Client:
    """Sends requests to an engine in this process, in the form in which they arrive on the pipe."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.work = Work(lambda: False, lambda _: None)

    def __call__(self, method: str, **params):
        return self.engine.handle(method, params, self.work)

    def open(self, folder: str, **more) -> str:
        return self("open", student=folder, adapter=more.pop("adapter", None), seed=1, **more)["id"]

    def log_probs(self, student: str, rows, temperature=0.7, most=64, **more):
        packed = examples(rows)
        answer = self("logProbs", id=student, examples=packed, temperature=temperature, microBatchTokens=most, **more)
        return unpack_rows(answer["logProbs"], "<f4"), unpack_rows(answer["entropy"], "<f4")

    def sample(self, student: str, prompts, **more):
        options = dict(groupSize=3, maxNewTokens=12, eosIds=[0], seed=5, stream=["s", 1], maxRows=64)
        sampling = dict(temperature=0.8, topK=0, topP=1, minP=0)
        sampling.update({key: more.pop(key) for key in list(more) if key in sampling})
        answer = self("sample", id=student, prompts=pack_rows(prompts, "<i4"), sampling=sampling, **{**options, **more})
        return unpack_rows(answer["tokens"], "<i4"), unpack_rows(answer["logProbs"], "<f4"), answer["finished"]

    def supervised(self, student: str, rows, **more):
        settings = {**SETTINGS, "learningRate": 1e-2, "seed": 3, **more}
        return self("supervisedStep", id=student, examples=examples(rows), **settings)

    def grpo(self, student: str, episodes, replay=None, reference=None, **options):
        rate = options.pop("learningRate", 1e-2)
        return self(
            "grpoStep",
            id=student,
            episodes=episodes,
            replay=replay and examples(replay),
            reference=reference,
            learningRate=rate,
            seed=3,
            options={**GRPO, **options},
        )

    def weights(self, student: str) -> dict[str, torch.Tensor]:
        trained = self.engine.trainers[student].student.trained
        return {name: parameter.detach().clone() for name, parameter in trained.items()}


SETTINGS = dict(
    weightDecay=0.1,
    maxGradNorm=1.0,
    adam=dict(beta1=0.9, beta2=0.99, epsilon=1e-8),
    dropout=0.0,
    microBatchTokens=64,
    checkpointing=False,
)
GRPO = dict(
    **SETTINGS,
    loss="dapo",
    clipLow=0.02,
    clipHigh=0.03,
    sapoTemperature=dict(positive=1.0, negative=1.05),
    beta=0.0,
    kl="k3",
    temperature=0.7,
    maxNewTokens=16,
    iterations=1,
    minibatches=1,
    policyWeight=1.0,
    replayWeight=0.0,
)
LORA = dict(rank=4, alpha=8, dropout=0.0, targets=["q", "k", "v", "o", "gate", "up", "down"])


def examples(rows):
    return {"prompts": pack_rows([p for p, _ in rows], "<i4"), "completions": pack_rows([c for _, c in rows], "<i4")}


def random_rows(count=7, seed=0, vocabulary=61):
    """Prompts and completions of different lengths; one completion is a single token."""
    random = np.random.default_rng(seed)
    lengths = [(int(random.integers(1, 9)), int(random.integers(2, 14))) for _ in range(count - 1)]
    draw = lambda n: random.integers(1, vocabulary, n).astype(np.int32)
    return [(draw(p), draw(c)) for p, c in [*lengths, (3, 1)]]


def random_episodes(rows, log_probs, seed=0, masked=(2,), flat=(4,)):
    """Episodes whose log-probs at sampling differ a little from the student's own, so that some ratios are clipped."""
    random = np.random.default_rng(seed)
    advantages = random.normal(size=len(rows))
    advantages[list(flat)] = 0
    old = [values + 0.05 * random.normal(size=len(values)) for values in log_probs]
    return {
        **examples(rows),
        "logProbs": pack_rows(old, "<f4"),
        "advantages": pack(advantages, "<f4"),
        "masked": [i in masked for i in range(len(rows))],
    }


@pytest.fixture
def client():
    return Client(Engine(Processes()))
