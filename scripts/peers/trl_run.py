"""A tiny GRPO and a tiny SFT run of TRL with Distillery's callback, and the GRPO run without it: python trl_run.py <student> <folder>.

Prints the trainers' logs as JSON. In <folder>: `with` (output and completions of TRL), `without`, and `runs` of the callback.
"""

import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "integrations"))

import torch
from datasets import Dataset
from distillery import DistilleryCallback
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import GRPOConfig, GRPOTrainer, SFTConfig, SFTTrainer

student, folder = Path(sys.argv[1]), Path(sys.argv[2])
problems = [("Six boxes hold 4 pens each. Ann takes 5 pens. How many are left?", "19"), ("Tom has 12 apples and buys 7 more. How many apples does he have?", "19")]
rows = [{"prompt": f"Question: {question}\nSolution:", "solution": answer} for question, answer in problems]


def accuracy_reward(completions, solution, **kwargs):
    numbers = [re.findall(r"-?\d+", text) for text in completions]
    return [float(bool(found) and found[-1] == gold) for found, gold in zip(numbers, solution)]


def brevity_reward(completions, **kwargs):
    return [None if i == 1 else 1 / (1 + len(text) / 100) for i, text in enumerate(completions)]


class States(TrainerCallback):
    """Records the state in run.json and the lines of metrics.jsonl during training."""

    seen = []

    def on_step_end(self, args, state, control, **kwargs):
        [run] = (folder / "runs").glob("*-with")
        metrics = run / "metrics.jsonl"
        self.seen.append([json.loads((run / "run.json").read_text())["state"], len(metrics.read_text().splitlines()) if metrics.exists() else 0])


def tokenizer():
    made = AutoTokenizer.from_pretrained(student)
    made.pad_token = made.pad_token or made.eos_token
    return made


common = {"per_device_train_batch_size": 4, "use_cpu": True, "seed": 1, "learning_rate": 2e-5, "disable_tqdm": True, "logging_steps": 1, "report_to": "none", "save_strategy": "no"}


def grpo(name, callbacks):
    config = GRPOConfig(
        output_dir=str(folder / name), max_steps=3, num_generations=4, gradient_accumulation_steps=2, max_completion_length=40,
        beta=0.04, log_completions=bool(callbacks), num_completions_to_print=0, reward_weights=[1.0, 0.5], **common,
    )
    trainer = GRPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(student, dtype=torch.float32), processing_class=tokenizer(), args=config,
        reward_funcs=[accuracy_reward, brevity_reward], train_dataset=Dataset.from_list(rows), callbacks=callbacks,
    )
    trainer.train()
    return trainer.state.log_history


def sft():
    config = SFTConfig(output_dir=str(folder / "sft"), max_steps=2, eval_strategy="steps", eval_steps=1, **common)
    texts = Dataset.from_list([{"prompt": row["prompt"], "completion": f" {row['solution']}"} for row in rows] * 2)
    trainer = SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(student, dtype=torch.float32), processing_class=tokenizer(), args=config, train_dataset=texts,
        eval_dataset=texts, callbacks=[DistilleryCallback(folder / "runs")],
    )
    trainer.train()
    return trainer.state.log_history


with_callback = grpo("with", [DistilleryCallback(folder / "runs"), States()])
print(json.dumps({"with": with_callback, "without": grpo("without", []), "sft": sft(), "seen": States.seen}))
