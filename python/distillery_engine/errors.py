"""Failures as they are sent to the client: a code, what is wrong, and the remedy."""

from __future__ import annotations

import errno
from typing import Literal

Code = Literal["memory", "diverged", "config", "checkpoint", "backend", "disk", "missing"]


class EngineError(Exception):
    """A failure that the user can fix. All of its fields are arguments, so that it can be sent between processes."""

    def __init__(self, code: Code, message: str, remedy: str | None = None, file: str | None = None) -> None:
        super().__init__(code, message, remedy, file)
        self.code = code
        self.message = message
        self.remedy = remedy
        self.file = file

    def __str__(self) -> str:
        return self.message


class Cancelled(Exception):
    """The client cancelled its request."""


def diverged(what: str) -> EngineError:
    """A loss or gradient is no longer a number; the weights are as they were before the step."""
    message = f"Training diverged: {what} is not a finite number."
    return EngineError("diverged", message, "Lower learningRate or maxGradNorm, or raise warmup.")


# Settings that reduce memory, by the request that failed.
LESS_MEMORY = {
    "open": 'Use a smaller student, a lower dtype ("bfloat16"), a quantized base with an adapter, or another device.',
    "sample": "Lower prompts, group or maxNewTokens, so that fewer tokens are generated side by side.",
    "supervisedStep": 'Lower microBatchTokens, or set "checkpointing": true.',
    "grpoStep": 'Lower microBatchTokens, or set "checkpointing": true; else lower group or maxNewTokens.',
    "snapshot": "Train an adapter (student.lora), whose snapshots are small.",
}
SCORING = "Lower microBatchTokens."


def as_engine_error(error: Exception, method: str) -> Exception:
    """The error for the client about an exception raised by `method`."""
    if isinstance(error, EngineError | Cancelled):
        return error
    text = f"{type(error).__name__}: {error}"
    if is_out_of_memory(error):
        return EngineError("memory", f"There is not enough memory: {error}", LESS_MEMORY.get(method, SCORING))
    if is_disk_full(error):
        filename = getattr(error, "filename", None)
        file = filename if isinstance(filename, str) else None
        return EngineError("disk", "The disk is full.", "Free some space, then resume.", file)
    if type(error).__name__ == "SafetensorError":
        return EngineError("checkpoint", f"A file of weights is damaged: {error}", "Use another checkpoint.")
    if isinstance(error, ImportError):
        return EngineError(
            "backend",
            f"The engine's environment lacks a library: {first_line(error)}",
            "Set the engine up again (distillery engine repair), or install the library beside it.",
        )
    if is_gpu_fault(error):
        return EngineError(
            "backend", f"The GPU failed: {error}", "Start the engine again; the run resumes from its newest checkpoint."
        )
    return EngineError("backend", text, "This is a defect of the engine; its log has the place.")


def first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:300]


def is_disk_full(error: Exception) -> bool:
    """safetensors reports it only in the text of its error: "I/O error: No space left on device (os error 28)"."""
    full = (errno.ENOSPC, errno.EDQUOT)
    if isinstance(error, OSError) and error.errno in full:
        return True
    return type(error).__name__ == "SafetensorError" and any(f"os error {number})" in str(error) for number in full)


def is_environment_fault(error: Exception) -> bool:
    """Not the student's: another machine or environment may be able to open it."""
    return isinstance(error, ImportError) or is_out_of_memory(error) or is_gpu_fault(error)


def is_gpu_fault(error: Exception) -> bool:
    return "CUDA error" in str(error) or type(error).__name__ == "AcceleratorError"


def is_out_of_memory(error: Exception) -> bool:
    """torch has an exception class only for the GPU; the CPU's allocator reports it only in the text of its error."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    words = ("out of memory", "can't allocate memory", "not enough memory", "bad allocation", "std::bad_alloc")
    return isinstance(error, RuntimeError) and any(word in str(error) for word in words)
