"""GRPO updates by TRL's GRPOTrainer, as a peer of bench/trl.ts: python3 peer_trl.py <student folder> <job as JSON>.

The job: {"threads", "prompts": [[token]], "group", "new", "adapter": rank or 0, "dtype": "float32" or "bfloat16"}. Each
line of standard input asks for one update; the answer is a line of JSON with the CPU seconds and the elapsed seconds of
generation and of everything else. TRL at its best settings here: no gradient checkpointing, one forward and backward
pass for the whole batch.
"""
import json
import os
import sys
import tempfile
import time

answers, sys.stdout = sys.stdout, sys.stderr  # libraries print, too
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import torch
import transformers
import trl
from datasets import Dataset
from peft import LoraConfig
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

folder, job = sys.argv[1], json.loads(sys.argv[2])
torch.set_num_threads(job["threads"])
torch.manual_seed(1)
transformers.logging.set_verbosity_error()

model = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, job["dtype"]))
model.generation_config.eos_token_id = None
vocabulary = model.config.vocab_size
# The end token is outside of the vocabulary, so no completion ends early.
words = {f"t{i}": i for i in range(vocabulary)} | {"<eos>": vocabulary}
words_of = Tokenizer(models.WordLevel(words, unk_token="t0"))
words_of.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=words_of, eos_token="<eos>", pad_token="t0", padding_side="left")
prompts = [{"prompt": " ".join(f"t{token}" for token in prompt)} for prompt in job["prompts"]]
spent = {"generate": 0.0}


def reward(completion_ids, **_):
    """The values do not matter: every second completion is the better one."""
    return [float(i % 2) for i in range(len(completion_ids))]


class Timed(GRPOTrainer):
    def _generate_single_turn(self, *args, **kwargs):
        began = time.process_time()
        result = super()._generate_single_turn(*args, **kwargs)
        spent["generate"] += time.process_time() - began
        return result


class Turns(TrainerCallback):
    """Waits for a line before each update, and answers after it."""

    def __init__(self):
        self.began = self.started = 0.0

    def wait(self, control):
        if not sys.stdin.readline():
            control.should_training_stop = True
        spent["generate"] = 0.0
        self.began, self.started = time.process_time(), time.perf_counter()

    def answer(self, what):
        print(json.dumps(what), file=answers, flush=True)

    def on_train_begin(self, args, state, control, **_):
        self.answer({"version": f"TRL {trl.__version__}, transformers {transformers.__version__}, torch {torch.__version__}"})
        self.wait(control)

    def on_step_end(self, args, state, control, **_):
        total = time.process_time() - self.began
        wall = time.perf_counter() - self.started
        self.answer({"generate": spent["generate"], "train": total - spent["generate"], "wall": wall})
        self.wait(control)


rank = job["adapter"]
adapter = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM") if rank else None
settings = GRPOConfig(
    output_dir=tempfile.mkdtemp(),
    use_cpu=True,
    bf16=job["dtype"] == "bfloat16",
    per_device_train_batch_size=len(prompts) * job["group"],
    num_generations=job["group"],
    max_completion_length=job["new"],
    temperature=1.0,
    top_p=1.0,
    top_k=0,
    beta=0.0,
    loss_type="dapo",
    scale_rewards="none",
    epsilon=0.2,
    epsilon_high=0.28,
    learning_rate=1e-4,
    lr_scheduler_type="constant",
    warmup_steps=0,
    max_steps=1000,
    report_to="none",
    save_strategy="no",
    logging_strategy="no",
    disable_tqdm=True,
    shuffle_dataset=False,
    weight_decay=0.01,
    max_grad_norm=1.0,
    dataloader_pin_memory=False,
    gradient_checkpointing=False,
    seed=1,
)
dataset = Dataset.from_list([prompts[i % len(prompts)] for i in range(1000 * len(prompts))])
Timed(
    model=model,
    reward_funcs=reward,
    args=settings,
    train_dataset=dataset,
    processing_class=tokenizer,
    peft_config=adapter,
    callbacks=[Turns()],
).train()
