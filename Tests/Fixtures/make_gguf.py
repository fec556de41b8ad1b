"""Writes some of variants/ once more as model.gguf, in llama.cpp's names and layouts.

    venv/bin/python make_gguf.py

After make_fixtures.py. Matrices stay in bf16 (MXFP4 where the checkpoint has it), vectors are fp32.
"""
import json
import math
import os

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Type
from safetensors.torch import load_file

HERE = os.path.dirname(os.path.abspath(__file__))

COMMON = {
    "input_layernorm.weight": "attn_norm.weight",
    "post_attention_layernorm.weight": "ffn_norm.weight",
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm", "self_attn.sinks": "attn_sinks.weight",
    "self_attn.q_a_proj": "attn_q_a", "self_attn.q_a_layernorm": "attn_q_a_norm",
    "self_attn.q_b_proj": "attn_q_b", "self_attn.kv_a_proj_with_mqa": "attn_kv_a_mqa",
    "self_attn.kv_a_layernorm": "attn_kv_a_norm", "self_attn.kv_b_proj": "attn_kv_b",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
    "mlp.gate.weight": "ffn_gate_inp.weight", "block_sparse_moe.gate": "ffn_gate_inp",
    "mlp.router": "ffn_gate_inp",
    "mlp.gate.e_score_correction_bias": "exp_probs_b.bias",
    "mlp.shared_experts.gate_proj": "ffn_gate_shexp",
    "mlp.shared_experts.up_proj": "ffn_up_shexp",
    "mlp.shared_experts.down_proj": "ffn_down_shexp",
}
TOP = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight",
       "lm_head.weight": "output.weight"}
POST_NORM = {"post_attention_layernorm.weight": "post_attention_norm.weight"}


class Writer:
    def __init__(self, name, architecture, **names):
        self.folder = os.path.join(HERE, "variants", name)
        with open(os.path.join(self.folder, "config.json")) as file:
            self.config = json.load(file)
        self.tensors = {k: v.clone() for k, v in load_file(
            os.path.join(self.folder, "model.safetensors")).items()}
        self.prefix = architecture
        self.names = {**COMMON, **names.get("names", {})}
        self.writer = gguf.GGUFWriter(os.path.join(self.folder, "model.gguf"), architecture)
        self.sizes()

    def sizes(self):
        c = self.config
        self.put("block_count", c["num_hidden_layers"])
        self.put("context_length", c["max_position_embeddings"])
        self.put("embedding_length", c["hidden_size"])
        self.put("feed_forward_length", c["intermediate_size"])
        self.put("attention.head_count", c["num_attention_heads"])
        self.put("attention.head_count_kv", c["num_key_value_heads"])
        self.put("attention.layer_norm_rms_epsilon", float(c["rms_norm_eps"]))
        rope = c.get("rope_parameters") or {**(c["rope_scaling"] or {}), "rope_theta": c["rope_theta"]}
        self.rope = rope
        self.put("rope.freq_base", float(rope["rope_theta"]))
        if c.get("head_dim") and "kv_lora_rank" not in c:
            self.put("attention.key_length", c["head_dim"])
            self.put("attention.value_length", c["head_dim"])

    def put(self, key, value):
        key = f"{self.prefix}.{key}"
        if isinstance(value, bool):
            self.writer.add_bool(key, value)
        elif isinstance(value, float):
            self.writer.add_float32(key, value)
        elif isinstance(value, str):
            self.writer.add_string(key, value)
        else:
            self.writer.add_uint32(key, value)

    def yarn(self):
        self.put("rope.scaling.type", "yarn")
        self.put("rope.scaling.factor", float(self.rope["factor"]))
        self.put("rope.scaling.original_context_length",
                 self.rope["original_max_position_embeddings"])
        for key in ["beta_fast", "beta_slow"]:
            if key in self.rope:
                self.put("rope.scaling.yarn_" + key, float(self.rope[key]))

    def tensor(self, name, value):
        array = value.float().numpy()
        if array.ndim < 2 or "ffn_gate_inp" in name or name.endswith(".bias"):
            self.writer.add_tensor(name, array)
        else:
            data = gguf.quants.quantize(array, Type.BF16)
            self.writer.add_tensor(name, data, raw_dtype=Type.BF16)

    def permute(self, name, heads):
        value = self.tensors[name]
        self.tensors[name] = value.reshape(heads, 2, value.shape[0] // heads // 2, -1) \
            .swapaxes(1, 2).reshape(value.shape)

    def stack(self, count, roles=("gate_proj", "up_proj", "down_proj")):
        """Experts into one tensor per matrix."""
        for layer in range(self.config["num_hidden_layers"]):
            for role in roles:
                names = [f"model.layers.{layer}.mlp.experts.{e}.{role}.weight" for e in range(count)]
                if names[0] not in self.tensors:
                    continue
                whole = torch.stack([self.tensors.pop(n) for n in names])
                self.tensor(f"blk.{layer}.ffn_{role.split('_')[0]}_exps.weight", whole)

    def finish(self):
        for name, value in self.tensors.items():
            if name in TOP:
                self.tensor(TOP[name], value)
                continue
            _, _, layer, rest = name.split(".", 3)
            for old, new in self.names.items():
                if rest.startswith(old):
                    self.tensor(f"blk.{layer}.{new}{rest[len(old):]}", value)
                    break
            else:
                raise ValueError(name)
        self.writer.write_header_to_file()
        self.writer.write_kv_data_to_file()
        self.writer.write_tensors_to_file()
        self.writer.close()
        print(self.folder, os.path.getsize(os.path.join(self.folder, "model.gguf")))


def llama(name):
    w = Writer(name, "llama")
    for layer in range(2):
        w.permute(f"model.layers.{layer}.self_attn.q_proj.weight", 4)
        w.permute(f"model.layers.{layer}.self_attn.k_proj.weight", 2)
    return w


def llama3():
    w = llama("llama-llama3")
    rope, size = w.rope, w.config["head_dim"]
    low = rope["original_max_position_embeddings"] / rope["low_freq_factor"]
    high = rope["original_max_position_embeddings"] / rope["high_freq_factor"]
    factors = []
    for i in range(0, size, 2):
        wave = 2 * math.pi * rope["rope_theta"] ** (i / size)
        if wave < high:
            factors.append(1.0)
        elif wave > low:
            factors.append(rope["factor"])
        else:
            smooth = (rope["original_max_position_embeddings"] / wave - rope["low_freq_factor"]) \
                / (rope["high_freq_factor"] - rope["low_freq_factor"])
            factors.append(1 / ((1 - smooth) / rope["factor"] + smooth))
    w.tensor("rope_freqs.weight", torch.tensor(factors))
    w.finish()


def llama_yarn():
    w = llama("llama-yarn")
    w.yarn()
    w.finish()


def mixtral():
    """Mixtral's first files had one tensor per expert."""
    w = Writer("mixtral-window-fused", "llama", names={"mlp.gate.weight": "ffn_gate_inp.weight"})
    w.put("expert_count", 5)
    w.put("expert_used_count", 3)
    w.put("attention.sliding_window", w.config["sliding_window"])
    for layer in range(2):
        w.permute(f"model.layers.{layer}.self_attn.q_proj.weight", 6)
        w.permute(f"model.layers.{layer}.self_attn.k_proj.weight", 2)
        both = w.tensors.pop(f"model.layers.{layer}.mlp.experts.gate_up_proj")
        down = w.tensors.pop(f"model.layers.{layer}.mlp.experts.down_proj")
        inner = w.config["intermediate_size"]
        for e in range(5):
            w.tensor(f"blk.{layer}.ffn_gate.{e}.weight", both[e, :inner])
            w.tensor(f"blk.{layer}.ffn_up.{e}.weight", both[e, inner:])
            w.tensor(f"blk.{layer}.ffn_down.{e}.weight", down[e])
    w.finish()


def olmoe():
    w = Writer("olmoe-norm-clip", "olmoe")
    w.put("expert_count", 6)
    w.put("expert_used_count", 3)
    w.put("expert_weights_norm", True)
    w.put("attention.clamp_kqv", w.config["clip_qkv"])
    w.tensors = {k: v.float().half().float() for k, v in w.tensors.items()}
    w.tensor = lambda name, value: w.writer.add_tensor(name, value.float().numpy())
    w.stack(6)
    w.finish()


def deepseek(name, splits, gating):
    w = Writer(name, "deepseek2")
    c = w.config
    w.yarn()
    w.put("rope.scaling.yarn_log_multiplier", 0.1 * w.rope["mscale_all_dim"])
    w.put("rope.dimension_count", c["qk_rope_head_dim"])
    whole = c["qk_nope_head_dim"] + c["qk_rope_head_dim"]
    if splits:
        w.put("attention.key_length", c["kv_lora_rank"] + c["qk_rope_head_dim"])
        w.put("attention.value_length", c["kv_lora_rank"])
        w.put("attention.key_length_mla", whole)
        w.put("attention.value_length_mla", c["v_head_dim"])
    else:
        w.put("attention.key_length", whole)
        w.put("attention.value_length", c["v_head_dim"])
    w.put("attention.kv_lora_rank", c["kv_lora_rank"])
    w.put("attention.q_lora_rank", c["q_lora_rank"])
    w.put("leading_dense_block_count", c["first_k_dense_replace"])
    w.put("expert_count", c["n_routed_experts"])
    w.put("expert_used_count", c["num_experts_per_tok"])
    w.put("expert_feed_forward_length", c["moe_intermediate_size"])
    w.put("expert_shared_count", c["n_shared_experts"])
    w.put("expert_weights_scale", float(c["routed_scaling_factor"]))
    w.put("expert_weights_norm", bool(gating == 2))
    w.put("expert_group_count", c["n_group"])
    w.put("expert_group_used_count", c["topk_group"])
    w.put("expert_gating_func", gating)
    w.stack(8)
    for layer in range(c["num_hidden_layers"] if splits else 0):
        both = w.tensors.pop(f"model.layers.{layer}.self_attn.kv_b_proj.weight")
        both = both.view(c["num_attention_heads"], -1, c["kv_lora_rank"])
        keys, values = both.split([c["qk_nope_head_dim"], c["v_head_dim"]], dim=1)
        w.tensor(f"blk.{layer}.attn_k_b.weight", keys.transpose(1, 2).contiguous())
        w.tensor(f"blk.{layer}.attn_v_b.weight", values.contiguous())
    w.finish()


def glm():
    """With the layer for predicting further tokens that published files have at their end."""
    w = Writer("glm4moe-norm", "glm4moe", names=POST_NORM)
    c = w.config
    c["num_hidden_layers"] += 1
    w.writer.kv_data[0].pop("glm4moe.block_count")
    w.put("block_count", c["num_hidden_layers"])
    w.put("nextn_predict_layers", 1)
    w.put("rope.dimension_count", c["head_dim"] // 2)
    w.put("leading_dense_block_count", 1)
    w.put("expert_count", 8)
    w.put("expert_used_count", c["num_experts_per_tok"])
    w.put("expert_feed_forward_length", c["moe_intermediate_size"])
    w.put("expert_shared_count", 1)
    w.put("expert_weights_scale", float(c["routed_scaling_factor"]))
    w.put("expert_weights_norm", True)
    w.put("expert_gating_func", 2)
    w.tensor("blk.3.nextn.eh_proj.weight", torch.zeros(32, 64))
    w.stack(8)
    w.finish()


def gpt_oss():
    w = Writer("gptoss-mxfp4", "gpt-oss", names=POST_NORM)
    w.yarn()
    w.put("attention.sliding_window", w.config["sliding_window"])
    w.put("expert_count", 4)
    w.put("expert_used_count", 2)
    w.put("expert_feed_forward_length", w.config["intermediate_size"])
    for layer in range(w.config["num_hidden_layers"]):
        prefix = f"model.layers.{layer}.mlp.experts."
        def matrix(name, rows):
            blocks = w.tensors[prefix + name + "_blocks"][:, rows].numpy()
            scales = w.tensors[prefix + name + "_scales"][:, rows].numpy()
            low, high = blocks & 15, blocks >> 4
            plain = np.stack([low, high], axis=-1).reshape(*blocks.shape[:-1], 32)
            packed = plain[..., :16] | plain[..., 16:] << 4
            data = np.concatenate([scales[..., None], packed], axis=-1)
            return np.ascontiguousarray(data.reshape(*data.shape[:2], -1))
        for name, source, rows in [("gate", "gate_up_proj", slice(0, None, 2)),
                                   ("up", "gate_up_proj", slice(1, None, 2)),
                                   ("down", "down_proj", slice(None))]:
            w.writer.add_tensor(f"blk.{layer}.ffn_{name}_exps.weight", matrix(source, rows),
                                raw_dtype=Type.MXFP4)
            w.tensor(f"blk.{layer}.ffn_{name}_exps.bias",
                     w.tensors[prefix + source + "_bias"][:, rows].contiguous())
    w.tensors = {k: v for k, v in w.tensors.items() if "experts" not in k}
    w.finish()


if __name__ == "__main__":
    llama3()
    llama_yarn()
    mixtral()
    olmoe()
    deepseek("deepseek2-groups-yarn", splits=False, gating=1)
    deepseek("deepseek3-groups-yarn", splits=True, gating=2)
    glm()
    gpt_oss()
