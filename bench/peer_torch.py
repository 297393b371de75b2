"""
The benchmark's model in PyTorch eager, as a peer of bench/engine.ts:
python3 peer_torch.py <student folder> <threads> <float32 or bfloat16>.

Reads the student's weights (config.json, model.safetensors, float32), so that both compute the same numbers. Answers
each line of standard input with a line of JSON: {"train": [[token]]} with one AdamW step, {"generate": [[token]],
"new": n} with n sampled tokens a row. Attention and optimizer are Hugging Face transformers' defaults:
scaled_dot_product_attention, fused AdamW. With bfloat16, a train step runs under autocast (weights, gradients and
moments stay in float32) and generation with the weights rounded to bfloat16.
"""
import json
import os
import sys
import time

import torch
import torch.nn.functional as F

folder, threads, rounded = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "bfloat16"
torch.set_num_threads(threads)
torch.manual_seed(1)

with open(os.path.join(folder, "config.json")) as file:
    config = json.load(file)
D, L = config["hidden_size"], config["num_hidden_layers"]
H, KV = config["num_attention_heads"], config["num_key_value_heads"]
HD, EPS, THETA = D // H, config["rms_norm_eps"], config["rope_theta"]


def read_weights(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = bytearray(file.read())
    header.pop("__metadata__", None)
    weights = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        values = torch.frombuffer(data, dtype=torch.float32, count=(end - begin) // 4, offset=begin)
        weights[name] = values.reshape(entry["shape"]).clone().requires_grad_()
    return weights


W = read_weights(os.path.join(folder, "model.safetensors"))
matrices = [w for w in W.values() if w.ndim > 1]
vectors = [w for w in W.values() if w.ndim == 1]
groups = [{"params": matrices, "weight_decay": 0.01}, {"params": vectors, "weight_decay": 0.0}]
optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.95), eps=1e-8, fused=True)


def rms_norm(x, weight):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + EPS) * weight


def rotate(x, cos, sin):
    half = HD // 2
    return x * cos + torch.cat([-x[..., half:], x[..., :half]], -1) * sin


def forward(weights, ids, cache=None, past=0, last=False):
    """Logits [rows, tokens, vocab] (with `last`: of the last token only); `cache` maps layers to the keys and values of `past` tokens."""
    rows, tokens = ids.shape
    x = weights["model.embed_tokens.weight"][ids]
    angles = torch.arange(past, past + tokens)[:, None] * THETA ** (-2 * (torch.arange(HD) % (HD // 2)) / HD)[None]
    low = torch.bfloat16 if rounded else torch.float32  # of queries and keys, also under autocast
    cos, sin = angles.cos().to(low), angles.sin().to(low)
    for layer in range(L):
        get = lambda name: weights[f"model.layers.{layer}.{name}"]
        project = lambda name, heads: F.linear(h, get(f"self_attn.{name}_proj.weight"), get(f"self_attn.{name}_proj.bias")) \
            .view(rows, tokens, heads, HD).transpose(1, 2)
        h = rms_norm(x, get("input_layernorm.weight"))
        q, k, v = rotate(project("q", H), cos, sin), rotate(project("k", KV), cos, sin), project("v", KV)
        if cache is not None:
            if layer in cache:
                k, v = torch.cat([cache[layer][0], k], 2), torch.cat([cache[layer][1], v], 2)
            cache[layer] = (k, v)
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=tokens > 1, enable_gqa=True)
        x = x + F.linear(attended.transpose(1, 2).reshape(rows, tokens, D), get("self_attn.o_proj.weight"))
        h = rms_norm(x, get("post_attention_layernorm.weight"))
        mixed = F.silu(F.linear(h, get("mlp.gate_proj.weight"))) * F.linear(h, get("mlp.up_proj.weight"))
        x = x + F.linear(mixed, get("mlp.down_proj.weight"))
    if last:
        x = x[:, -1:]
    return F.linear(rms_norm(x, weights["model.norm.weight"]), weights["model.embed_tokens.weight"])


def train(sequences):
    ids = torch.tensor(sequences)
    with torch.autocast("cpu", torch.bfloat16, enabled=rounded):
        logits = forward(W, ids[:, :-1])
        loss = F.cross_entropy(logits.reshape(-1, logits.shape[-1]).float(), ids[:, 1:].reshape(-1))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@torch.no_grad()
def generate(prompts, new):
    ids = torch.tensor(prompts)
    weights = {name: w.to(torch.bfloat16) for name, w in W.items()} if rounded else W
    cache, drawn = {}, []
    logits = forward(weights, ids, cache, 0, last=True)
    for i in range(new):
        if i > 0:
            logits = forward(weights, drawn[-1], cache, ids.shape[1] + i - 1, last=True)
        drawn.append(torch.multinomial(logits[:, -1].float().softmax(-1), 1))
    return torch.cat(drawn, 1).tolist()


print(json.dumps({"version": torch.__version__, "threads": torch.get_num_threads()}), flush=True)
for line in sys.stdin:
    job = json.loads(line)
    started = time.perf_counter()
    if "train" in job:
        answer = {"loss": train(job["train"])}
    else:
        answer = {"tokens": sum(len(row) for row in generate(job["generate"], job["new"]))}
    print(json.dumps({"ms": 1000 * (time.perf_counter() - started), **answer}), flush=True)
