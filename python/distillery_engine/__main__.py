"""
`python -m distillery_engine`: requests on standard input, answers on standard output; the log goes to standard error.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys


def arguments() -> dict[str, str | None]:
    """The options of the command: defaults for what a request omits."""
    parser = argparse.ArgumentParser(prog="distillery_engine", description="The PyTorch engine of Distillery.")
    parser.add_argument("--device", help="cpu, cuda or cuda:1; default: the GPU if there is one")
    parser.add_argument("--dtype", choices=["float32", "bfloat16", "float16"], help="bfloat16 on a GPU, float32 else")
    parser.add_argument("--quantization", choices=["4bit", "8bit"], help="of the frozen weights below an adapter")
    parser.add_argument("--sharding", choices=["auto", "none", "full"], help="full: each process holds a part")
    parser.add_argument("--sampler", choices=["torch", "vllm"])
    parser.add_argument("--sampler-correction", choices=["off", "tis"], dest="samplerCorrection", help="with vllm: tis")
    return vars(parser.parse_args())


def main() -> None:
    # Only messages may go to standard output: what anything else prints, also from C, goes to the log.
    outward = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_PROGRESS_BARS"):
        os.environ[name] = "1"
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

    # A scheduler sends SIGTERM to every process of a job. The host then saves a checkpoint and needs this process for
    # it, which exits when its input ends.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    defaults = arguments()

    from transformers.utils import logging

    from .engine import Engine
    from .processes import Processes
    from .serve import Server, follow

    logging.disable_progress_bar()
    processes = Processes()
    engine = Engine(processes, defaults)
    if processes.rank == 0:
        Server(sys.stdin.buffer, outward, engine, processes).run()
    else:
        follow(engine, processes)
    processes.close()
    sys.stderr.flush()
    # Without waiting for threads of libraries, and for the one that reads standard input.
    os._exit(0)


if __name__ == "__main__":
    main()
