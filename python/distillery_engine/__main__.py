"""
`python -m distillery_engine`: requests on standard input, answers on standard output; the log goes to standard error.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    # Nothing but messages may go to standard output: whatever else prints, also from C, gets the log instead.
    outward = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_PROGRESS_BARS"):
        os.environ[name] = "1"
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

    from transformers.utils import logging

    from .engine import Engine
    from .processes import Processes
    from .serve import Server, follow

    logging.disable_progress_bar()
    processes = Processes()
    engine = Engine(processes)
    if processes.rank == 0:
        Server(sys.stdin.buffer, outward, engine, processes).run()
    else:
        follow(engine, processes)
    processes.close()
    sys.stderr.flush()
    # Threads of libraries, and the one that waits for standard input, do not hold the process back.
    os._exit(0)


if __name__ == "__main__":
    main()
