"""The engine protocol's own cost, for bench/pipe.ts: `sample` and `grpoStep` requests are read, unpacked, packed and
answered, without computing anything.

python3 peer_pipe.py <completions> <tokens of each>
"""
import os
import sys

import numpy as np

from distillery_engine.batches import unpack_examples
from distillery_engine.engine import Engine
from distillery_engine.processes import Processes
from distillery_engine.sampling import Draft, pack_tokens
from distillery_engine.serve import Server
from distillery_engine.wire import pack_rows, unpack, unpack_rows

count, length = map(int, sys.argv[1:])
outward = os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)  # libraries print, too
random = np.random.default_rng(1)
drafts = [Draft(0, i, length, random.integers(0, 150_000, length).tolist(), random.random(length).tolist()) for i in range(count)]
engine = Engine(processes := Processes())
engine.trainers["student"] = None


def opened(_params, _work):
    facts = {"vocabSize": 150_000, "maxPositions": 32_768, "parameters": 1, "trainable": 1}
    return {"id": "student", "facts": facts, "description": "", "warnings": []}


def sampled(params, _work):
    unpack_rows(params["prompts"], "<i4")
    log_probs = pack_rows([draft.log_probs for draft in drafts], "<f4")
    return {"tokens": pack_tokens(drafts), "logProbs": log_probs, "finished": [False] * count, "seconds": 0.0}


def updated(params, _work):
    given = params["episodes"]
    unpack_examples(given)
    entropy = unpack_rows(given["logProbs"], "<f4")
    unpack(given["advantages"], "<f4")
    return {"measures": {"loss": 0.0, "gradNorm": 0.0, "tokens": 0}, "entropy": pack_rows(entropy, "<f4"), "refLogProbs": None}


engine.methods |= {"open": opened, "sample": sampled, "grpoStep": updated}
Server(sys.stdin.buffer, outward, engine, processes).run()
