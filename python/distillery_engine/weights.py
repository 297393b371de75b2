"""
Snapshots of the trained weights (the reference policy, the rewriter, the best of a stage), and checkpoint folders.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from .errors import EngineError
from .opening import ADAPTER, load
from .optimizer import Optimizer
from .sharding import local_part, local_part_of
from .student import Student, replaced

MOMENTS = "optimizer.safetensors"
# Files of the tokenizer and of generation, which are copied with a student.
COMPANIONS = (
    "tokenizer.json",
    "tokenizer_config.json",
    "generation_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
)


@dataclass(frozen=True)
class Snapshot:
    """
    Trained weights by name, in main memory; of a sharded student, this process's part. `adds_nothing`: all B matrices
    of the adapter are 0, so computing can do without it.
    """

    values: Mapping[str, Tensor]
    adds_nothing: bool


def snapshot(student: Student, values: Mapping[str, Tensor] | None = None) -> Snapshot:
    """A snapshot of the current weights, or of `values` from a checkpoint."""
    if values is None:
        values = {name: local_part(p.detach()).to("cpu", copy=True) for name, p in student.trained.items()}
    b = [value for name, value in values.items() if ".lora_B." in name]
    return Snapshot(values, student.peft is not None and not any(bool(value.any()) for value in b))


def restore(student: Student, values: Mapping[str, Tensor]) -> None:
    with torch.no_grad():
        for name, parameter in student.trained.items():
            local_part(parameter).copy_(values[name])


@contextlib.contextmanager
def using(student: Student, kept: Snapshot | None) -> Iterator[None]:
    """In its context the student computes with the weights of a snapshot (None: with its own)."""
    if kept is None:
        yield
        return
    if kept.adds_nothing:
        assert student.peft is not None
        with student.peft.disable_adapter():
            yield
        return
    if student.sharded:  # FSDP does not allow replacing a parameter's memory
        own = snapshot(student).values
        try:
            restore(student, kept.values)
            yield
        finally:
            restore(student, own)
        return
    with replaced((p, kept.values[name].to(p.device)) for name, p in student.trained.items()):
        yield


def read_weights(student: Student, folder: str) -> dict[str, Tensor]:
    """
    The trained weights in a checkpoint, as in a snapshot. Raises EngineError if the student there has another shape.
    """
    path = Path(folder)
    adapter = (path / ADAPTER).exists()
    if not path.exists():
        raise EngineError("checkpoint", "The checkpoint is not there", "Resume from another checkpoint.", folder)
    if adapter != (student.peft is not None):
        holds, trains = ("an adapter", "all weights") if adapter else ("whole weights", "an adapter")
        raise EngineError("checkpoint", f"The checkpoint has {holds}, but {trains} are trained", SAME_STUDENT, folder)
    if adapter:
        with reading(path / ADAPTER):
            values = load_file(path / ADAPTER)
    else:
        cpu = torch.device("cpu")
        other = Student(load(folder, cpu, torch.float32), None, folder, folder, cpu, torch.float32)
        values = {name: parameter.detach() for name, parameter in other.trained.items()}
    for name in sorted({*values, *student.trained}):
        found, wanted = (shape_of(one.get(name)) for one in (values, student.trained))
        if found != wanted:
            message = f"The checkpoint has another shape than the student: {name} is {found}, not {wanted}"
            raise EngineError("checkpoint", message, SAME_STUDENT, folder)
    return {name: local_part_of(student.trained[name], value) for name, value in values.items()}


@contextlib.contextmanager
def reading(file: Path) -> Iterator[None]:
    """Names the file in the errors of safetensors."""
    try:
        yield
    except SafetensorError as error:
        raise EngineError(
            "checkpoint", f"The file is damaged: {error}", "Use another checkpoint.", str(file)
        ) from error


SAME_STUDENT = "Use a checkpoint that was trained from the same student."


def shape_of(tensor: Tensor | None) -> str:
    return "absent" if tensor is None else str(list(tensor.shape))


def saved_weights(student: Student) -> dict[str, Tensor]:
    """The weights that are saved, by their names in the files; of a student with an adapter, only the adapter."""
    return dict(student.trained if student.peft is not None else student.model.state_dict(keep_vars=True))


Tensors = Mapping[str, Tensor]


def save(student: Student, folder: str, moments: Tensors | None, eos_ids: list[int], weights: Tensors | None) -> None:
    """
    Writes the student (of one with an adapter, only the adapter) with its tokenizer, and the moments if given.
    `weights` are the collected ones of a sharded student; else None.
    """
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    for name in COMPANIONS:
        places = [Path(place) / name for place in (student.folder, student.base)]
        source = next((file for file in places if file.exists()), None)
        if source is not None and source != path / name:
            (path / name).write_bytes(source.read_bytes())
    if moments is not None:
        save_floats(moments, path / MOMENTS)
    if student.peft is None:
        student.model.save_pretrained(folder, state_dict=weights, max_shard_size="50GB")
        say_ends(path, eos_ids)
    else:
        save_adapter(student, path, weights or student.trained)


def say_ends(path: Path, eos_ids: list[int]) -> None:
    """Writes the end tokens into the configs. Other programs read generation_config.json only, if there is one."""
    generation, config = path / "generation_config.json", path / "config.json"
    decisive = json.loads((generation if generation.exists() else config).read_text())
    said = decisive.get("eos_token_id")
    if set(eos_ids) <= set(said if isinstance(said, list) else [said]):
        return
    for file in (generation, config):
        if file.exists():
            file.write_text(json.dumps({**json.loads(file.read_text()), "eos_token_id": eos_ids}, indent=2) + "\n")


def save_adapter(student: Student, path: Path, weights: Tensors) -> None:
    assert student.peft is not None
    config = student.peft.peft_config["default"]
    trains, config.inference_mode = config.inference_mode, True
    config.save_pretrained(str(path))
    config.inference_mode = trains
    save_floats(weights, path / ADAPTER, fingerprint(student.folder))


def save_floats(tensors: Mapping[str, Tensor], file: Path, metadata: Mapping[str, str] | None = None) -> None:
    values = {name: tensor.detach().float().cpu().contiguous() for name, tensor in tensors.items()}
    save_file(values, file, metadata={"format": "pt", **(metadata or {})})


def fingerprint(folder: str) -> dict[str, str]:
    """
    The fingerprint of the base that the embedded engine writes into an adapter's file: kept when training continues.
    """
    file = Path(folder) / ADAPTER
    if not file.exists():
        return {}
    with safe_open(file, "pt") as opened:
        found = (opened.metadata() or {}).get("base_fingerprint")
    return {"base_fingerprint": found} if found else {}


def load_moments(optimizer: Optimizer, folder: str, step: int) -> None:
    file = Path(folder) / MOMENTS
    if not file.exists():
        raise EngineError("checkpoint", f"{MOMENTS} is missing", "Resume from another checkpoint.", folder)
    with reading(file), safe_open(file, "pt") as opened:
        names = set(opened.keys())
        lacking = [name for name in optimizer.trained if not {f"{name}.first", f"{name}.second"} <= names]
        if lacking:
            message = f"{MOMENTS} has no moments of {json.dumps(lacking[0])}"
            raise EngineError("checkpoint", message, SAME_STUDENT, folder)
        try:
            optimizer.set_moments(opened.get_tensor, step)
        except RuntimeError as error:
            raise EngineError("checkpoint", f"{MOMENTS} has other shapes: {error}", SAME_STUDENT, folder) from error
