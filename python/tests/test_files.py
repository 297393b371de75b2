"""Checkpoints: a run resumed from one has the same curve as an uninterrupted run, bit for bit."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from conftest import FAMILIES, LORA, random_episodes, random_rows
from peft import AutoPeftModelForCausalLM
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from distillery_engine.errors import EngineError

DROPPED = {**LORA, "dropout": 0.1}


def curve(client, student, steps, rows):
    return [client.supervised(student, rows, seed=seed, dropout=0.1)["loss"] for seed in steps]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("adapter", [None, DROPPED])
def test_a_resumed_run_is_the_uninterrupted_one(client, folder_of, tmp_path, family, adapter):
    rows, folder = random_rows(), folder_of(family)
    student = client.open(folder, adapter=adapter)
    curve(client, student, range(3), rows)
    client("save", id=student, folder=str(tmp_path), moments=True, eosIds=[0])
    straight = curve(client, student, range(3, 6), rows)
    for other in (client.open(folder, adapter=adapter), student):
        client("load", id=other, folder=str(tmp_path), moments=True, step=3)
        assert curve(client, other, range(3, 6), rows) == straight
    opened = client.open(folder, adapter=adapter, checkpoint=str(tmp_path))
    assert curve(client, opened, range(3, 6), rows)[0] == straight[0]  # but without its moments
    weights = client.weights(student)
    assert all(torch.equal(weights[name], value) for name, value in client.weights(other).items())


@pytest.mark.parametrize("adapter", [None, LORA])
def test_others_read_what_is_saved(client, folder_of, tmp_path, adapter):
    rows = random_rows()
    student = client.open(folder_of("qwen3"), adapter=adapter)
    curve(client, student, range(2), rows)
    client("save", id=student, folder=str(tmp_path), moments=True, eosIds=[0])
    log_probs, _ = client.log_probs(student, rows)
    reader = AutoPeftModelForCausalLM if adapter else AutoModelForCausalLM
    model = reader.from_pretrained(str(tmp_path), dtype=torch.float32)
    prompt, completion = (torch.tensor(part).long() for part in rows[0])
    with torch.no_grad():
        logits = model(torch.cat([prompt, completion])[None]).logits[0, len(prompt) - 1 : -1] / 0.7
    scores = logits.log_softmax(-1).gather(1, completion[:, None])[:, 0]
    torch.testing.assert_close(torch.tensor(log_probs[0]), scores, atol=2e-5, rtol=1e-5)
    reopened = client.open(str(tmp_path), adapter=adapter)
    assert client.log_probs(reopened, rows)[0][0].tolist() == log_probs[0].tolist()


def test_names_are_those_of_the_embedded_engine(client, folder_of, tmp_path):
    whole, adapted = client.open(folder_of("llama")), client.open(folder_of("llama"), adapter=LORA)
    client("save", id=whole, folder=str(tmp_path / "whole"), moments=True, eosIds=[0])
    client("save", id=adapted, folder=str(tmp_path / "adapter"), moments=True, eosIds=[0])
    layer = "model.layers.1.self_attn.q_proj"
    moments = load_file(tmp_path / "whole" / "optimizer.safetensors")
    assert moments[f"{layer}.weight.first"].shape == moments[f"{layer}.weight.second"].shape == (32, 32)
    assert all(not value.any() and value.dtype == torch.float32 for value in moments.values())
    weights = load_file(tmp_path / "adapter" / "adapter_model.safetensors")
    assert weights[f"base_model.model.{layer}.lora_A.weight"].shape == (4, 32)
    assert f"base_model.model.{layer}.lora_B.weight.second" in load_file(tmp_path / "adapter" / "optimizer.safetensors")
    config = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    assert config["r"] == 4
    assert config["inference_mode"] is True
    assert config["base_model_name_or_path"] == folder_of("llama")
    assert not list((tmp_path / "adapter").glob("model*"))  # the base's weights are not copied


def test_the_files_say_what_ends_a_text(client, folder_of, tmp_path):
    student = client.open(folder_of("llama"))
    for ids, said in (([0], 0), ([7, 0], [7, 0])):
        client("save", id=student, folder=str(tmp_path), moments=False, eosIds=ids)
        for name in ("config.json", "generation_config.json"):
            assert json.loads((tmp_path / name).read_text())["eos_token_id"] == said


def test_an_adapter_goes_on(client, folder_of, tmp_path):
    student, rows = client.open(folder_of("llama"), adapter=LORA), random_rows()
    curve(client, student, range(2), rows)
    client("save", id=student, folder=str(tmp_path), moments=False, eosIds=[0])
    answer = client("open", student=str(tmp_path), adapter={**DROPPED, "rank": 8}, seed=2)
    assert "rank 4" in answer["warnings"][0]
    assert client.log_probs(answer["id"], rows)[0][0].tolist() == client.log_probs(student, rows)[0][0].tolist()
    seeds = [client.supervised(answer["id"], rows, seed=seed, learningRate=0)["loss"] for seed in (1, 2)]
    assert seeds[0] != seeds[1]
    modules = client.engine.trainers[answer["id"]].student.model.named_modules()
    assert {m.p for name, m in modules if name.endswith("lora_dropout.default")} == {0.1}


def test_an_adapter_is_merged_where_all_weights_are_trained(client, folder_of, tmp_path):
    rows = random_rows()
    student = client.open(folder_of("phi3"), adapter=LORA)
    curve(client, student, range(2), rows)
    client("save", id=student, folder=str(tmp_path), moments=False, eosIds=[0])
    merged = client.open(str(tmp_path))
    assert client("loss", id=merged, examples=packed(rows), microBatchTokens=99)["loss"] == pytest.approx(
        client("loss", id=student, examples=packed(rows), microBatchTokens=99)["loss"], abs=1e-5
    )
    assert "model.embed_tokens.weight" in client.weights(merged)


def packed(rows):
    from conftest import examples

    return examples(rows)


@pytest.mark.parametrize("adapter", [None, LORA])
def test_snapshots_are_kept_and_come_back(client, folder_of, tmp_path, adapter):
    rows = random_rows()
    student = client.open(folder_of("llama"), adapter=adapter)
    fresh, before = client.weights(student), client.log_probs(student, rows)[0]
    client("save", id=student, folder=str(tmp_path), moments=False, eosIds=[0])
    kept = client("snapshot", id=student)["snapshot"]
    client.supervised(student, rows)
    read = client("snapshot", id=student, checkpoint=str(tmp_path))["snapshot"]
    moved = client.log_probs(student, rows)[0]
    for name in (kept, read):
        under = client.log_probs(student, rows, snapshot=name)[0]
        assert all((a == b).all() for a, b in zip(under, before, strict=True))
    assert all((a == b).all() for a, b in zip(client.log_probs(student, rows)[0], moved, strict=True))
    client("restore", id=student, snapshot=kept)
    assert all(torch.equal(fresh[name], value) for name, value in client.weights(student).items())
    client("discard", id=student, snapshot=kept)
    with pytest.raises(EngineError, match="snapshot"):
        client("restore", id=student, snapshot=kept)


def test_kl_against_the_reference_is_zero_at_first(client, folder_of):
    rows = random_rows()
    student = client.open(folder_of("llama"), adapter=LORA)
    reference = client("snapshot", id=student)["snapshot"]
    episodes = random_episodes(rows, client.log_probs(student, rows)[0])
    assert client.grpo(student, episodes, reference=reference, beta=0.1)["measures"]["kl"] == 0
    assert client.grpo(student, episodes, reference=reference, beta=0.1)["measures"]["kl"] > 0
    with pytest.raises(EngineError, match="reference"):
        client.grpo(student, episodes, beta=0.1)


def test_checkpoints_of_others_are_refused(client, folder_of, tmp_path):
    student = client.open(folder_of("llama"))
    before = client.weights(student)
    other = client.open(folder_of("llama"), adapter=LORA)
    wide = client.open(folder_of("llama"), adapter={**LORA, "rank": 2})
    for name, one in (("adapter", other), ("wide", wide)):
        client("save", id=one, folder=str(tmp_path / name), moments=True, eosIds=[0])
    refused(client, student, folder_of("qwen3"), "another shape")
    refused(client, student, tmp_path / "adapter", "has an adapter")
    refused(client, other, tmp_path / "wide", r"is \[2, 40\], not \[4, 40\]")
    refused(client, student, tmp_path / "nowhere", "not there")
    client("save", id=student, folder=str(tmp_path / "bare"), moments=False, eosIds=[0])
    refused(client, student, tmp_path / "bare", "optimizer.safetensors is missing")
    save_file({"x": torch.zeros(1)}, tmp_path / "bare" / "optimizer.safetensors")
    refused(client, student, tmp_path / "bare", "no moments of")
    for folder, file in (("whole", "optimizer.safetensors"), ("adapter", "adapter_model.safetensors")):
        one = student if folder == "whole" else other
        client("save", id=one, folder=str(tmp_path / folder), moments=True, eosIds=[0])
        (tmp_path / folder / file).write_bytes((tmp_path / folder / file).read_bytes()[:-8])
        assert refused(client, one, tmp_path / folder, "damaged").file == str(tmp_path / folder / file)
    assert all(torch.equal(before[name], value) for name, value in client.weights(student).items())


def refused(client, student, folder, message):
    with pytest.raises(EngineError, match=message) as raised:
        client("load", id=student, folder=str(folder), moments=True, step=1)
    assert raised.value.code == "checkpoint"
    assert raised.value.remedy
    return raised.value


def test_weights_are_never_completed_run_or_guessed(client, folder_of, tmp_path, monkeypatch):
    ran = tmp_path / "ran"

    def refused(message, change):
        folder = tmp_path / message.replace(" ", "-")
        shutil.copytree(folder_of("llama"), folder)
        change(folder)
        with pytest.raises(EngineError, match=message) as raised:
            client.open(str(folder))
        assert (raised.value.code, raised.value.file) == ("checkpoint", str(folder))

    def setting(**changes):
        def change(folder):
            config = json.loads((folder / "config.json").read_text())
            (folder / "config.json").write_text(json.dumps({**config, **changes}))

        return change

    def not_a_number(folder):
        values = load_file(folder / "model.safetensors")
        values["model.norm.weight"][3] = torch.nan
        save_file(values, folder / "model.safetensors", metadata={"format": "pt"})

    def pickled(folder):
        (folder / "model.safetensors").unlink()
        torch.save({"x": Runs(str(ran))}, folder / "pytorch_model.bin")

    def pickled_adapter(folder):
        (folder / "model.safetensors").unlink()
        about = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 4, "target_modules": ["q_proj"]}
        about["base_model_name_or_path"] = folder_of("llama")
        (folder / "adapter_config.json").write_text(json.dumps(about))
        torch.save({"x": Runs(str(ran))}, folder / "adapter_model.bin")

    def with_code(folder):
        code = {"AutoConfig": "own.Config", "AutoModelForCausalLM": "own.Model"}
        (folder / "config.json").write_text(json.dumps({"model_type": "own", "auto_map": code}))
        (folder / "own.py").write_text(f"open({str(ran)!r}, 'w')\n")

    monkeypatch.setattr("builtins.input", lambda _: pytest.fail("it asks on standard input"))
    refused("The weights lack model.layers.2", setting(num_hidden_layers=3))
    refused("leaves no place for: model.layers.1", setting(num_hidden_layers=1))
    refused("Tensor model.norm.weight holds values that are not numbers", not_a_number)
    refused("cannot open the student.*safetensors", pickled)
    refused("cannot open the student.*code", with_code)
    refused("has no adapter_model.safetensors", pickled_adapter)
    assert not ran.exists()


class Runs:
    """A pickle that creates a file when it is read."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return open, (self.file, "w")


def test_what_cannot_be_opened_says_why(client, folder_of, tmp_path):
    def fails(code, message, folder=None, **more):
        with pytest.raises(EngineError, match=message) as raised:
            client.open(str(folder or folder_of("llama")), **more)
        assert raised.value.code == code

    fails("missing", "not there", tmp_path / "nowhere")
    (tmp_path / "student.gguf").write_bytes(b"GGUF")
    fails("backend", "GGUF", tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "unheard-of"}')
    fails("checkpoint", "cannot open", tmp_path)
    fails("config", "no dtype", dtype="int3")
    fails("config", "bitsandbytes", adapter=LORA, quantization="4bit")
    fails("config", "cannot be trained themselves", quantization="8bit")
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in Path(folder_of("llama")).iterdir():
        (broken / file.name).write_bytes(file.read_bytes())
    (broken / "model.safetensors").write_bytes(b"\x00" * 100)
    fails("checkpoint", "cannot open", broken)
    for family, why in (("bert", "more than an output layer"), ("rwkv", "other logits"), ("mamba", "over a cache")):
        fails("backend", f"family {family} are not supported: .*{why}", folder_of(family))
