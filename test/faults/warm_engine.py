"""
Starts PyTorch engines without waiting for Python's imports, which take longer than everything else in a tiny run.
`warm_engine.py serve <socket>` imports the libraries once, and forks a process for each engine; `warm_engine.py start
<socket>` is the command of an engine: it hands its pipes over, and ends with the forked process.
"""

import importlib
import os
import signal
import socket
import sys


def serve(address: str) -> None:
    # A client that is gone ends the engine, never this process.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for name in ("torch", "peft", "transformers.models.qwen2.modeling_qwen2", "distillery_engine.engine"):
        importlib.import_module(name)
    engine = importlib.import_module("distillery_engine.__main__")
    importlib.import_module("distillery_engine.serve")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        print("ready", flush=True)
        while True:
            client, _ = listener.accept()
            _, pipes, _, _ = socket.recv_fds(client, 1, 3)
            if os.fork() == 0:
                listener.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for number, pipe in enumerate(pipes):
                    os.dup2(pipe, number)
                    os.close(pipe)
                sys.stdout = open(1, "w", closefd=False)
                sys.argv = ["distillery_engine"]
                engine.main()
                os._exit(0)
            for pipe in pipes:
                os.close(pipe)
            client.close()


def start(address: str) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(address)
        socket.send_fds(server, [b"."], [0, 1, 2])
        os.close(0)
        os.close(1)
        server.recv(1)  # the end of the engine


if __name__ == "__main__":
    {"serve": serve, "start": start}[sys.argv[1]](sys.argv[2])
