"""Writes the training runs of TRL's and transformers' trainers as run folders, which Distillery shows while they train.

    from distillery import DistilleryCallback

    trainer = GRPOTrainer(..., callbacks=[DistilleryCallback(".distillery/runs")])
    trainer.train()

A single file without further dependencies: copy it next to your script. The format is documented in schemas/*.schema.json and
docs/other-trainers.md: metrics.jsonl with every log of the trainer, and, of trainers that sample (GRPO, RLOO),
rollouts/training/<step>.jsonl with every completion: tokens, log-probs and entropy as the loss computed them, each reward function, the advantage, the verdict.

The callback computes nothing that the trainer does not compute, draws no random numbers, and changes no result. An error in it is reported
once, as a warning, and training continues. Only the main process writes.
"""

import atexit
import hashlib
import json
import math
import os
import re
import socket
import subprocess
import sys
import time
import uuid
import warnings
from datetime import datetime, timezone
from pathlib import Path

from transformers import Trainer, TrainerCallback

__all__ = ["DistilleryCallback"]

FORMAT, STAGE = 1, "training"
# Our names, and those of transformers' and TRL's trainers; as in src/imports/trainer-log.ts.
NAMES = {
    "loss": "loss", "gradNorm": "grad_norm", "lr": "learning_rate", "reward": "reward", "rewardStd": "reward_std", "kl": "kl",
    "entropy": "entropy", "clipLow": "clip_ratio/low_mean", "clipHigh": "clip_ratio/high_mean",
    "lengthMean": "completions/mean_length", "truncated": "completions/clipped_ratio", "flatGroups": "frac_reward_zero_std",
}  # fmt: skip
GOLD = ("gold", "ground_truth", "solution", "answer", "target", "reference", "label")
IDS = ("problem_id", "question_id", "prompt_id")
SAYS_RIGHT = re.compile(r"accura|correct|math_?verify|exact_?match", re.IGNORECASE)


class DistilleryCallback(TrainerCallback):
    """Writes a run below `runs`.

    Args:
        runs: the folder of runs; Distillery looks into `.distillery/runs` of a workspace's folders.
        name: the run's name; by default the last part of `output_dir`.
        correct: the reward function that is above 0 for a right completion; by default the first with such a name (`accuracy_reward`,
            `correctness`, ...). Without one, completions have no verdict.
        gold: the dataset's column with the reference answer; by default the first of `solution`, `answer`, `ground_truth`, ... that exists.
    """

    def __init__(self, runs=".distillery/runs", name=None, correct=None, gold=None):
        self.runs, self.name, self.correct, self.gold = Path(runs), name, correct, gold
        self.run = None
        self.trainer = None
        self.pending = []
        self.measured = {}
        self.counted = {}
        self.best = -math.inf
        self.warned = False

    def on_train_begin(self, args, state, control, **kwargs):
        self._guarded(self._begin, args, state)

    def on_step_end(self, args, state, control, **kwargs):
        self._guarded(self._write_rollouts, state.global_step)

    def on_log(self, args, state, control, logs=None, **kwargs):
        self._guarded(self._log, state.global_step, logs or {})

    def on_train_end(self, args, state, control, **kwargs):
        self._guarded(self.close)

    def close(self, state="finished", reason=None):
        """Ends the run; `on_train_end` does. After an exception in training: `close("stopped")`."""
        self._unhook()
        atexit.unregister(self.close)
        if self.run:
            self.run.close(state, reason)
        self.run = None

    def _guarded(self, act, *args):
        try:
            act(*args)
        except Exception as error:  # noqa: BLE001
            if not self.warned:
                warnings.warn(f"Distillery's record of this run has a gap: {type(error).__name__}: {error}", stacklevel=3)
            self.warned = True

    def _begin(self, args, state):
        self.close("stopped")
        self.pending, self.measured, self.counted, self.best, self.warned = [], {}, {}, -math.inf, False
        self.trainer = _trainer()
        self.samples = hasattr(self.trainer, "_generate_and_score_completions")
        if state.is_world_process_zero:
            name = self.name or Path(args.output_dir).resolve().name or "run"
            versions = {library: getattr(sys.modules.get(library), "__version__", None) for library in ("transformers", "trl", "torch")}
            config = {
                "imported": {
                    "from": type(self.trainer).__name__ if self.trainer else "transformers",
                    "format": "distillery.py", "updates": state.max_steps,
                },
                "trainer": _plain(args.to_dict()),
                "environment": {"python": sys.version.split()[0], **{k: v for k, v in versions.items() if v}},
            }  # fmt: skip
            self.run = _Run(self.runs, name, config)
            atexit.register(self.close, "stopped", "the process ended before the training did")
        if self.samples:
            self._hook()

    # Samples

    def _hook(self):
        """Wraps the functions that score completions and compute their log-probs, since no callback reports them."""
        trainer = self.trainer
        score, measure = trainer._generate_and_score_completions, getattr(trainer, "_get_per_token_logps_and_entropies", None)

        def scored(inputs, *args, **kwargs):
            output = score(inputs, *args, **kwargs)
            if trainer.model.training:
                self._guarded(self._sampled, inputs, output)
            return output

        def measured(model, input_ids, attention_mask, logits_to_keep, *args, **kwargs):
            found = measure(model, input_ids, attention_mask, logits_to_keep, *args, **kwargs)
            self._guarded(self._measured, input_ids, attention_mask, logits_to_keep, found)
            return found

        trainer._generate_and_score_completions = scored
        if measure:
            trainer._get_per_token_logps_and_entropies = measured

    def _unhook(self):
        for name in ("_generate_and_score_completions", "_get_per_token_logps_and_entropies"):
            if self.trainer is not None:
                vars(self.trainer).pop(name, None)
        self.trainer = None

    def _sampled(self, inputs, output):
        """One batch of completions, in the order of sampling. The trainer's log has the texts and rewards of all processes."""
        from accelerate.utils import gather_object

        trainer = self.trainer
        lists = {}
        for key in ("prompt_ids", "prompt_mask", "completion_ids", "completion_mask"):
            lists[key] = output[key].tolist()
        for key in ("old_per_token_logps", "ref_per_token_logps"):
            if output.get(key) is not None:
                lists[key] = output[key].tolist()
        ends = set(getattr(trainer, "eos_token_ids", None) or [trainer.processing_class.eos_token_id])
        rows = []
        for i, example in enumerate(inputs):
            masked = lambda key, of: [x for x, m in zip(lists[key][i], lists[of][i]) if m]  # noqa: E731
            asked, said = masked("prompt_ids", "prompt_mask"), masked("completion_ids", "completion_mask")
            row = {"asked": asked, "said": said or _stripped(lists["completion_ids"][i], trainer), "finished": bool(said) and said[-1] in ends}
            for ours, theirs in (("logProbs", "old_per_token_logps"), ("refLogProbs", "ref_per_token_logps")):
                if theirs in lists:
                    row[ours] = masked(theirs, "completion_mask")
            gold = self.gold or next((key for key in GOLD if key in example), None)
            own = next((key for key in IDS if key in example), None)
            row["gold"] = _gold(example.get(gold)) if gold else None
            row["id"] = None if own is None else str(example[own])
            rows.append(row)
        rows = gather_object(rows)
        if self.run is None:
            return
        logged = trainer._logs
        last = lambda values: list(values)[-len(rows):]  # noqa: E731
        rewards = {name: last(values) for name, values in logged["rewards"].items()}
        weights = getattr(trainer, "reward_weights", None)
        weights = dict(zip(trainer.reward_func_names, weights.tolist())) if weights is not None else {}
        verdict = self.correct or next((name for name in rewards if SAYS_RIGHT.search(name)), None)
        advantages = last(logged["advantages"])
        for i, (row, prompt) in enumerate(zip(rows, last(logged["prompt"]))):
            row["prompt"] = prompt
            row["parts"] = {name: _number(values[i]) for name, values in rewards.items()}
            applied = [weights.get(name, 1) * value for name, value in row["parts"].items() if value is not None]
            row["reward"] = sum(applied) if applied else None
            row["advantage"] = _number(advantages[i])
            said = row["parts"].get(verdict) if verdict else None
            row["correct"] = None if said is None else said > 0
        self.pending.append(rows)

    def _measured(self, input_ids, attention_mask, logits_to_keep, found):
        import torch

        if not torch.is_grad_enabled() or not self.pending:  # for the reference or the old policy
            return
        log_probs, entropies = found[0], found[1]
        mask = attention_mask[:, -logits_to_keep:].bool()
        for i in range(input_ids.size(0)):
            key = tuple(input_ids[i][attention_mask[i].bool()].tolist())
            values = [log_probs[i][mask[i]].detach().float().tolist()]
            values.append(entropies[i][mask[i]].detach().float().tolist() if entropies is not None else None)
            self.measured.setdefault(key, values)

    def _write_rollouts(self, step):
        if not self.samples:
            return
        measured = self.measured
        if getattr(self.trainer.args, "world_size", 1) > 1:
            from accelerate.utils import gather_object

            measured = dict(gather_object(list(self.measured.items())))
        self.measured = {}
        batches, self.pending = self.pending, []
        if self.run is None or not batches:
            return
        decode = self.trainer.processing_class.decode
        groups, records = {}, []
        for row in (row for rows in batches for row in rows):
            prompt = _text(row["prompt"])
            problem = row["id"] or hashlib.sha256(prompt.encode()).hexdigest()[:12]
            group = groups.setdefault(problem, [len(groups), 0])
            texts = _pieces(row["said"], decode)
            if row["finished"]:
                texts[-1] = decode(row["said"][-1:])
            log_probs, entropy = measured.get(tuple(row["asked"] + row["said"]), (None, None))
            log_probs = row.get("logProbs") or log_probs
            text = "".join(texts[:-1] if row["finished"] else texts)
            record = {
                "problemId": problem, "group": group[0], "sample": group[1], "prompt": decode(row["asked"]),
                "question": _question(row["prompt"]), **({} if row["gold"] is None else {"gold": row["gold"]}),
                "tokens": row["said"], "tokenTexts": texts,
                **_rounded("logProbs", log_probs, 9), **_rounded("refLogProbs", row.get("refLogProbs"), 9), **_rounded("entropy", entropy, 4),
                "reward": row["reward"], "parts": row["parts"], "advantage": row["advantage"],
                "finished": row["finished"], "answer": _answer(text), "correct": row["correct"],
            }  # fmt: skip
            group[1] += 1
            records.append(record)
        self.run.rollouts(step, records)
        self.counted = {"step": step, **_counts(records)}

    # Logs

    def _log(self, step, logs):
        if self.run is None:
            return
        metrics = {ours: _number(logs[theirs]) for ours, theirs in NAMES.items() if theirs in logs and _number(logs[theirs]) is not None}
        parts = {key[len("rewards/"):-len("/mean")]: _number(value) for key, value in logs.items() if key.startswith("rewards/") and key.endswith("/mean")}
        parts = {name: value for name, value in parts.items() if value is not None}
        if metrics:
            counted = self.counted if self.counted.pop("step", None) == step else {}
            self.counted = {}
            self.run.metrics(step, {**metrics, **({"parts": parts} if parts else {}), **counted})
        loss = _number(logs.get("eval_loss"))
        right = next((_number(v) for k, v in logs.items() if re.match(r"eval_rewards/[^/]*accura[^/]*/mean$", k)), None)
        if loss is not None or right is not None:
            value = right if right is not None else -loss
            found = {**({} if right is None else {"accuracy": right}), **({} if loss is None else {"loss": loss})}
            self.run.validation(step, {**found, "best": value > self.best})
            self.best = max(self.best, value)


class _Run:
    """
    A run folder, as src/runs/records.ts defines it: whole lines only, one count (`seq`) for all files, one writer.
    """

    def __init__(self, runs, name, config):
        self.seq = 0
        slug = re.sub(r"^[-.]+|[-.]+$", "", re.sub(r"[^a-z0-9._]+", "-", name.lower()))[:60] or "run"
        stamp = datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S")
        runs.mkdir(parents=True, exist_ok=True)
        for attempt in range(1, 10_000):
            self.folder = runs / f"{stamp}-{slug}{'' if attempt == 1 else f'-{attempt}'}"
            try:
                self.folder.mkdir()
                break
            except FileExistsError:
                continue
        me = {"pid": os.getpid(), "startTime": _start_time()}
        (self.folder / "lock").mkdir()
        self.lock = self.folder / "lock" / "1.json"
        self.lock.write_text(json.dumps({**me, "host": socket.gethostname(), "token": str(uuid.uuid4())}), encoding="utf-8")
        self._replace("config.json", config)
        now = _now()
        self.record = {
            "format": FORMAT, "id": self.folder.name, "name": name, "state": "running", "stage": STAGE, "step": 0,
            "created": now, "updated": now, "host": {**me, "name": socket.gethostname()}, "checkpoints": [],
        }  # fmt: skip
        self._replace("run.json", self.record)

    def metrics(self, step, values):
        self._append("metrics.jsonl", [{"time": _now(), "stage": STAGE, "step": step, **values}])
        self.lock.touch()  # shows other machines that this process is running
        self._update(step=step)

    def validation(self, step, values):
        self._append("validation.jsonl", [{"time": _now(), "stage": STAGE, "step": step, **values}])

    def rollouts(self, step, records):
        self._append(f"rollouts/{STAGE}/{step}.jsonl", [{"stage": STAGE, "step": step, **record} for record in records])

    def close(self, state, reason):
        self._update(state=state, **({"reason": reason} if reason else {}))
        self.lock.rename(self.lock.with_suffix(".released"))

    def _update(self, **changes):
        self.record = {**self.record, **changes, "updated": _now()}
        self._replace("run.json", self.record)

    def _append(self, name, records):
        lines = []
        for record in records:
            self.seq += 1
            lines.append(json.dumps(_finite({"seq": self.seq, **record}), ensure_ascii=False, allow_nan=False) + "\n")
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with open(file, "a", encoding="utf-8", newline="\n") as handle:
            handle.write("".join(lines))

    def _replace(self, name, value):
        draft = self.folder / f"{name}.draft"
        draft.write_text(json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
        os.replace(draft, self.folder / name)


def _trainer():
    """The calling trainer: transformers passes everything to callbacks except the trainer itself."""
    frame = sys._getframe(1)
    while frame is not None:
        if isinstance(frame.f_locals.get("self"), Trainer):
            return frame.f_locals["self"]
        frame = frame.f_back
    return None


def _start_time():
    """The start time of this process in the format of src/processes.ts, to distinguish it from a later process with the same pid."""
    if sys.platform == "linux":
        fields = Path("/proc/self/stat").read_text().rpartition(") ")[2].split(" ")
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {fields[19]}"
    if sys.platform == "win32":
        return ""
    command = ["ps", "-o", "lstart=", "-p", str(os.getpid())]
    return subprocess.run(command, env={**os.environ, "LC_ALL": "C", "TZ": "UTC"}, capture_output=True, text=True).stdout.strip()


def _now():
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now := time.time())) + f".{int(now * 1000) % 1000:03d}Z"


def _number(value):
    """A number; None for other values and for NaN, which trainers use for values that do not apply."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return None if math.isnan(value) else value


def _finite(value):
    """JSON has no infinities: they are written as strings."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    return [_finite(one) for one in value] if isinstance(value, (list, tuple)) else value


def _plain(value):
    """The settings that JSON can hold, without secrets."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items() if not re.search(r"token$|key$|secret|password", str(key))}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _rounded(key, values, digits):
    return {} if values is None else {key: [float(f"{value:.{digits}g}") for value in values]}


def _stripped(ids, trainer):
    """A truncated completion whose mask was cleared, without the padding at its end."""
    pad, end = getattr(trainer.processing_class, "pad_token_id", None), len(ids)
    while end > 0 and ids[end - 1] == pad:
        end -= 1
    return ids[:end]


def _pieces(ids, decode):
    """
    The text that each token adds when it is decoded after its neighbour; a character made of several tokens belongs to
    the last one.
    """
    texts, start, said = [], 0, ""
    for i in range(len(ids)):
        text = decode(ids[start : i + 1])
        if text.endswith("\ufffd") and i + 1 < len(ids):
            texts.append("")
            continue
        texts.append(text[len(said) :])
        start, said = i, decode(ids[i : i + 1])
    return texts


def _content(message):
    content = message.get("content")
    if isinstance(content, list):
        return "".join(part if isinstance(part, str) else part.get("text") or f"[{part.get('type', 'content')}]" for part in content)
    return content or ""


def _text(prompt):
    """A prompt as src/imports/conversation.ts writes it, so that a problem has one id wherever its rollouts were logged."""
    if isinstance(prompt, str):
        return prompt
    if len(prompt) == 1:
        return _content(prompt[0])
    return "\n\n".join(f"{message.get('role')}: {_content(message)}" for message in prompt)


def _question(prompt):
    if not isinstance(prompt, str):
        return next((_content(message) for message in reversed(prompt) if message.get("role") == "user"), _text(prompt))
    marked = re.search(r"(?:^|\n)\s*(?:Question|Problem|Q):\s*([\s\S]*?)\s*(?:\n\s*(?:Solution|Answer|A):\s*)?$", prompt)
    return marked[1] if marked and marked[1] else prompt.strip()


def _gold(value):
    if isinstance(value, (list, tuple)) and len(value) == 1:
        value = value[0]
    if not isinstance(value, (str, int, float)) or isinstance(value, bool) or str(value).strip() == "":
        return None
    text = str(value).strip()
    return (_answer(text) or text) if len(text) > 60 or "####" in text or "\\boxed" in text else text


def _answer(text):
    """The answer after the most common markers; Distillery's own extraction supports more of them (docs/answers.md)."""
    spoken = text.rpartition("</think>")[2]
    for mark in (r"\\boxed\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}", r"<answer>\s*([\s\S]*?)\s*</answer>", r"####\s*(.+)", r"(?:^|\n)\**(?:Final )?[Aa]nswer\**:\**\s*(.+)"):
        found = re.findall(mark, spoken)
        if found:
            return found[-1].strip().rstrip(".") or None
    return None


def _counts(records):
    """Metrics that TRL does not log: the shares of right completions, and of groups that are all right or all wrong."""
    if any(record["correct"] is None for record in records):
        return {}
    groups, lengths = {}, {True: [], False: []}
    for record in records:
        groups.setdefault(record["group"], []).append(record["correct"])
        lengths[record["correct"]].append(len(record["tokens"]) - record["finished"])
    mean = lambda values: sum(values) / len(values)  # noqa: E731
    return {
        "accuracy": mean([record["correct"] for record in records]),
        **({"lengthCorrect": mean(lengths[True])} if lengths[True] else {}),
        **({"lengthWrong": mean(lengths[False])} if lengths[False] else {}),
        "allCorrect": mean([all(group) for group in groups.values()]),
        "allWrong": mean([not any(group) for group in groups.values()]),
    }
