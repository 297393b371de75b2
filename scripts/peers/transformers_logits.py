"""Logits of a Hugging Face folder by transformers, in float32.

Usage: python transformers_logits.py FOLDER OUT TEXT ... Writes the logits of each text, one text after the other, as
raw float32 to OUT, and prints the token ids of each as a JSON list of lists. Needs torch and transformers
(scripts/fixtures/requirements.txt).
"""

import json
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder, out, *texts = sys.argv[1:]
torch.set_num_threads(1)
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
ids = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
with torch.no_grad(), open(out, "wb") as file:
    for sequence in ids:
        file.write(model(torch.tensor([sequence])).logits[0].numpy().astype("<f4").tobytes())
print(json.dumps(ids))
