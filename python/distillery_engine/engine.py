"""The requests of docs/engine.md."""

from __future__ import annotations

import itertools
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import torch

from . import PROTOCOL, __version__
from .batches import unpack_examples
from .draws import Sampling
from .errors import EngineError
from .grpo import Episode, Update, grpo_step
from .losses import LOSSES
from .machine import DTYPES, default_device, default_dtype, devices, dtype_of, installed, multiplication_speed, room
from .memory import estimate, exceeds, of_each
from .opening import loaded, prepare
from .processes import Processes
from .sampling import SampleOptions, pack_tokens, sample
from .sharding import KINDS, collect
from .student import Student
from .training import Trainer
from .vllm_sampler import VllmSampler
from .weights import Snapshot, load_moments, read_weights, restore, save, saved_weights, snapshot, using
from .wire import pack_rows, unpack, unpack_rows
from .work import Work

Params = dict[str, Any]
OF_NO_STUDENT = ("hello", "speed", "memory", "open", "shutdown")


class Engine:
    """
    The open students and their snapshots, by id. Every process of an engine has one of these, in the same state.
    """

    def __init__(self, processes: Processes, defaults: Mapping[str, Any] | None = None) -> None:
        """`defaults`: for parameters of `open` that a request omits."""
        self.processes = processes
        self.defaults = {name: value for name, value in (defaults or {}).items() if value is not None}
        self.trainers: dict[str, Trainer] = {}
        self.snapshots: dict[str, dict[str, Snapshot]] = {}
        self.samplers: dict[str, VllmSampler] = {}
        self.numbers = itertools.count(1)
        self.methods: dict[str, Callable[[Params, Work], Any]] = {
            "hello": self.hello,
            "speed": self.speed,
            "memory": self.memory,
            "open": self.open,
            "sample": self.sample,
            "logProbs": self.log_probs,
            "loss": self.loss,
            "supervisedStep": self.supervised_step,
            "grpoStep": self.grpo_step,
            "restartOptimizer": self.restart_optimizer,
            "snapshot": self.snapshot,
            "restore": self.restore,
            "discard": self.discard,
            "save": self.save,
            "load": self.load,
            "close": self.close,
            "shutdown": lambda _params, _work: {},
        }

    def handle(self, method: str, params: Params, work: Work) -> Any:
        if method not in self.methods:
            raise EngineError("config", f"This engine has no request {method}", "Use versions that belong together.")
        if method not in OF_NO_STUDENT:
            self.trainer(params)  # refuses an unknown id before anything else
        try:
            results: list[Any] = []
            self.processes.together(method, lambda: results.append(self.methods[method](params, work)), lockstep=True)
            return results[0]
        except Exception:
            # Frees the memory of the failed request: the next one may need less, but in one piece.
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            raise

    def hello(self, _params: Params, _work: Work) -> Any:
        device = self.processes.device(default_device())
        return {
            "protocol": PROTOCOL,
            "engine": "distillery-engine",
            "version": __version__,
            "versions": {"python": platform.python_version(), **installed()},
            "device": device.type,
            "devices": devices(),
            "dtypes": list(DTYPES),
            "dtype": default_dtype(device),
            "families": "any causal LM of transformers",
            "adapters": True,
            "quantizations": ["4bit", "8bit"] if find_spec("bitsandbytes") else [],
            "samplers": ["torch", *(["vllm"] if find_spec("vllm") else [])],
            "losses": list(LOSSES),
            "processes": self.processes.world,
        }

    def speed(self, _params: Params, work: Work) -> Any:
        params, device = self.settled({})
        dtype = dtype_of(params, device)
        return {"flops": multiplication_speed(device, dtype, work), "dtype": str(dtype).removeprefix("torch.")}

    def memory(self, params: Params, _work: Work) -> Any:
        params, device = self.settled(params)
        sharded, world = self.shards(params, device), self.processes.world
        found = self.local("memory", lambda: estimate(params, device))
        return {**(of_each(found, world) if sharded else found), **room(device, world)}

    def settled(self, params: Params) -> tuple[Params, torch.device]:
        params = {**self.defaults, **{name: value for name, value in params.items() if value is not None}}
        return params, self.processes.device(params.get("device") or default_device())

    def open(self, params: Params, _work: Work) -> Any:
        params, device = self.settled(params)
        sharded = self.shards(params, device)
        mesh = self.processes.mesh(device) if sharded else None

        def load() -> Student:
            student = loaded(params, device if mesh is None else torch.device("cpu"))
            if mesh is not None:
                student.shard(device, mesh)
            return student

        student = self.local("open", load, in_turn=sharded)
        prepare(student)
        if params.get("checkpoint"):
            self.local("open", lambda: restore(student, read_weights(student, params["checkpoint"])), sharded)
        trainer = Trainer(student, self.processes)
        identity = f"student-{next(self.numbers)}"
        if params.get("sampler", "torch") == "vllm":
            self.samplers[identity] = self.local("open", lambda: VllmSampler(trainer))
        self.trainers[identity], self.snapshots[identity] = trainer, {}
        description = trainer.student.description
        if self.processes.world > 1:
            description += f", {self.processes.world} processes{' with a part each (FSDP)' if sharded else ''}"
        return {"id": identity, "facts": student.facts, "description": description, "warnings": student.warnings}

    def shards(self, params: Params, device: torch.device) -> bool:
        """Whether the student is spread over the processes; `auto`: if one GPU has too little memory for it."""
        how = params.get("sharding", "auto")
        if how not in KINDS:
            raise EngineError("config", f"There is no sharding {how}", f"Use one of {', '.join(KINDS)}.")
        if self.processes.world == 1 or how == "none":
            return False
        if params.get("quantization"):
            if how == "full":
                raise EngineError(
                    "config", "A quantized base cannot be sharded", "Remove --sharding or --quantization."
                )
            return False
        return how == "full" or any(self.processes.together("open", lambda: exceeds(params, device)))

    def sample(self, params: Params, work: Work) -> Any:
        started = time.monotonic()
        options = SampleOptions(
            sampling=Sampling(**params["sampling"]),
            group_size=params["groupSize"],
            max_new_tokens=params["maxNewTokens"],
            eos_ids=frozenset(params["eosIds"]),
            seed=params["seed"],
            stream=params["stream"],
            max_rows=params["maxRows"],
        )
        prompts, sampler = unpack_rows(params["prompts"], "<i4"), self.samplers.get(params["id"])
        student = self.trainer(params).student
        if sampler is None:
            with student.gathered():
                drafts = sample(student, prompts, options, self.processes, work)
        else:
            drafts = sampler.sample(prompts, options, work)
        return {
            "tokens": pack_tokens(drafts),
            "logProbs": pack_rows([draft.log_probs for draft in drafts], "<f4"),
            "finished": [draft.finished for draft in drafts],
            "seconds": time.monotonic() - started,
        }

    def log_probs(self, params: Params, work: Work) -> Any:
        trainer, examples = self.trainer(params), unpack_examples(params["examples"])
        work.begin(len(examples))
        with using(trainer.student, self.kept(params, "snapshot")):
            found, entropy = trainer.log_probs(examples, params["temperature"], params["microBatchTokens"], work)
        return {"logProbs": pack_rows(found, "<f4"), "entropy": pack_rows(entropy, "<f4")}

    def loss(self, params: Params, work: Work) -> Any:
        examples = unpack_examples(params["examples"])
        return {"loss": self.trainer(params).loss(examples, params["microBatchTokens"], work)}

    def supervised_step(self, params: Params, work: Work) -> Any:
        examples = unpack_examples(params["examples"])
        return self.trainer(params).supervised_step(examples, params["learningRate"], params, params["seed"], work)

    def grpo_step(self, params: Params, work: Work) -> Any:
        trainer, options, given = self.trainer(params), params["options"], params["episodes"]
        rows = zip(
            unpack_examples(given),
            unpack_rows(given["logProbs"], "<f4"),
            unpack(given["advantages"], "<f4").tolist(),
            given["masked"],
            strict=True,
        )
        correction = options.get("samplerCorrection") or self.defaults.get("samplerCorrection", "tis")
        sampler = self.samplers.get(params["id"]) if correction == "tis" else None
        episodes = [
            Episode(e.prompt, e.completion, logs, advantage, masked, sampler.correction(e, logs) if sampler else None)
            for e, logs, advantage, masked in rows
        ]
        reference, ref = self.kept(params, "reference"), None
        if options["beta"] > 0 and reference is not None:
            work.begin(len(episodes))
            with using(trainer.student, reference):
                ref, _ = trainer.log_probs(episodes, options["temperature"], options["microBatchTokens"], work)
        elif options["beta"] > 0:
            raise EngineError("config", "A KL term (beta) needs a reference policy")
        replay = unpack_examples(params["replay"]) if params.get("replay") else []
        update = Update(episodes, replay, ref, params["learningRate"], params["seed"], options)
        result = grpo_step(trainer, update, work)
        if sampler:
            sampler.scores.clear()
        return {
            "measures": result["measures"],
            "entropy": pack_rows(result["entropy"], "<f4"),
            "refLogProbs": None if ref is None else pack_rows(ref, "<f4"),
        }

    def restart_optimizer(self, params: Params, _work: Work) -> Any:
        self.trainer(params).optimizer.restart()
        return {}

    def snapshot(self, params: Params, _work: Work) -> Any:
        student, folder = self.trainer(params).student, params.get("checkpoint")
        take = lambda: snapshot(student, read_weights(student, folder) if folder else None)
        kept = self.local("snapshot", take, in_turn=student.sharded)
        if student.sharded:
            kept = replace(kept, adds_nothing=not self.processes.any(not kept.adds_nothing))
        name = f"snapshot-{next(self.numbers)}"
        self.snapshots[params["id"]][name] = kept
        return {"snapshot": name}

    def restore(self, params: Params, _work: Work) -> Any:
        kept = self.kept(params, "snapshot")
        if kept is None:
            raise EngineError("config", "No snapshot was named")
        restore(self.trainer(params).student, kept.values)
        return {}

    def discard(self, params: Params, _work: Work) -> Any:
        self.snapshots[params["id"]].pop(params["snapshot"], None)
        return {}

    def save(self, params: Params, _work: Work) -> Any:
        trainer, first = self.trainer(params), self.processes.rank == 0
        student = trainer.student

        weights, moments = None, trainer.optimizer.moments() if params["moments"] else None
        if student.sharded:
            weights = collect(saved_weights(student), keep=first)
            moments = moments and collect(moments, keep=first)

        def write() -> None:
            if first:
                save(student, params["folder"], moments, params.get("eosIds") or [], weights)

        self.local("save", write)
        return {}

    def load(self, params: Params, _work: Work) -> Any:
        trainer, folder = self.trainer(params), params["folder"]

        def read() -> None:
            values = read_weights(trainer.student, folder)
            if params["moments"]:
                load_moments(trainer.optimizer, folder, params["step"])
            restore(trainer.student, values)

        self.local("load", read, in_turn=trainer.student.sharded)
        return {}

    def close(self, params: Params, _work: Work) -> Any:
        for table in (self.trainers, self.snapshots, self.samplers):
            table.pop(params["id"], None)
        return {}

    def local(self, method: str, work: Callable[[], Any], in_turn: bool = False) -> Any:
        """
        The result of work that every process does for itself; if it fails in one, it fails in all. In turn: one process
        after the other, because main memory may not have room for several whole students.
        """
        results: list[Any] = []
        put, wait = lambda: results.append(work()), lambda: None
        for turn in range(self.processes.world if in_turn else 1):
            self.processes.together(method, wait if in_turn and turn != self.processes.rank else put)
        return results[0]

    def trainer(self, params: Params) -> Trainer:
        if params.get("id") not in self.trainers:
            raise EngineError("config", f"No student {params.get('id')} is open")
        return self.trainers[params["id"]]

    def kept(self, params: Params, key: str) -> Snapshot | None:
        name = params.get(key)
        if name is None:
            return None
        if name not in self.snapshots[params["id"]]:
            raise EngineError("config", f"There is no {name} of this student")
        return self.snapshots[params["id"]][name]
