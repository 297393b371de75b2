"""Messages on a pipe, and arrays within them (docs/engine.md): `Content-Length: n`, an empty line, n bytes of JSON."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from .errors import EngineError

Message = dict[str, Any]
Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]


def read_message(stream: BinaryIO) -> Message | None:
    """The next message; None at the end of the stream. Raises ValueError if it is malformed."""
    length: int | None = None
    while True:
        line = stream.readline(4096)
        if not line:
            return None
        if line in (b"\r\n", b"\n"):
            if length is None:
                raise ValueError("a message without Content-Length")
            break
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            length = int(value)
    body = stream.read(length)
    if len(body) < length:
        return None
    message = json.loads(body)
    if not isinstance(message, dict):
        raise ValueError("a message is not an object")
    return message


def write_message(stream: BinaryIO, message: Mapping[str, Any]) -> None:
    """Writes one message at once. Numbers that JSON lacks become the strings "NaN", "Infinity" and "-Infinity"."""
    body = json.dumps(sayable(message), allow_nan=False, separators=(",", ":")).encode()
    stream.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    stream.flush()


def sayable(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        if math.isnan(value):
            return "NaN"
        return "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {key: sayable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [sayable(item) for item in value]
    return value


def pack(values: npt.ArrayLike, dtype: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype=dtype).tobytes()).decode("ascii")


def pack_rows(rows: Sequence[npt.ArrayLike], dtype: str) -> Message:
    """Rows of token ids (`<i4`) or of floats (`<f4`)."""
    arrays = [np.asarray(row, dtype=dtype) for row in rows]
    values = np.concatenate(arrays) if arrays else np.empty(0, dtype)
    return {"lengths": pack([len(array) for array in arrays], "<i4"), "values": pack(values, dtype)}


def unpack(text: str, dtype: str) -> npt.NDArray[Any]:
    try:
        return np.frombuffer(base64.b64decode(text, validate=True), dtype=dtype)
    except (ValueError, TypeError) as error:
        raise EngineError("config", f"An array of the request cannot be read: {error}") from error


def unpack_rows(packed: Message, dtype: str) -> list[npt.NDArray[Any]]:
    lengths, values = unpack(packed["lengths"], "<i4"), unpack(packed["values"], dtype)
    if lengths.sum() != len(values) or (lengths < 0).any():
        raise EngineError("config", f"Row lengths add up to {lengths.sum()}, but {len(values)} values came")
    return np.split(values, np.cumsum(lengths)[:-1]) if len(lengths) else []
