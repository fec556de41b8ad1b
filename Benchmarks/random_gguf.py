#!/usr/bin/env python3
"""Write a GGUF file with random weights in a real model's shape, for speed measurements.

Speed does not depend on the values, so any GGUF runtime can be timed on the file.
Needs: pip install gguf numpy.
usage: random_gguf.py OUT.gguf --shape small|olmoe-1b-7b|mixtral-mini --quant q8_0|q4_0|q4_k --tokenizer tokenizer.json
"""
import argparse
import json

import gguf
import numpy as np

# arch, layers, hidden, heads, kv heads, head dim, experts, experts per token, expert hidden
SHAPES = {
    "tiny": ("qwen3moe", 4, 256, 8, 4, 32, 16, 4, 256),
    "small": ("qwen3moe", 12, 1024, 16, 4, 64, 32, 4, 512),
    "olmoe-1b-7b": ("olmoe", 16, 2048, 16, 16, 128, 64, 8, 1024),
    "mixtral-mini": ("llama", 8, 1024, 16, 4, 64, 8, 2, 3584),
}
QUANTS = {
    "q8_0": (gguf.GGMLQuantizationType.Q8_0, 32, 34),
    "q4_0": (gguf.GGMLQuantizationType.Q4_0, 32, 18),
    "q4_k": (gguf.GGMLQuantizationType.Q4_K, 256, 144),
    "f16": (gguf.GGMLQuantizationType.F16, 1, 2),
}


def random_blocks(rng, rows, cols, quant, std):
    """Raw bytes [rows, cols / block * bytes] of `quant` blocks whose values have about this std."""
    _, block, size = QUANTS[quant]
    if quant == "f16":
        return (rng.standard_normal((rows, cols), dtype=np.float32) * std).astype(np.float16)
    n = rows * cols // block
    raw = rng.integers(0, 256, (n, size), dtype=np.uint8)
    scale = {"q8_0": std / 74, "q4_0": std / 4.6, "q4_k": std / (4.6 * 32)}[quant]
    raw[:, 0:2] = np.frombuffer(np.float16(scale).tobytes(), np.uint8)
    if quant == "q4_k":
        raw[:, 2:4] = np.frombuffer(np.float16(scale * 7.5).tobytes(), np.uint8)
    return raw.reshape(rows, cols // block * size)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("out")
    p.add_argument("--shape", choices=SHAPES, default="small")
    p.add_argument("--quant", choices=QUANTS, default="q8_0")
    p.add_argument("--tokenizer", required=True, help="a byte-level BPE tokenizer.json")
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    arch, layers, hidden, heads, kv, head_dim, experts, used, inter = SHAPES[a.shape]
    rng = np.random.default_rng(a.seed)

    tok = json.load(open(a.tokenizer))["model"]
    tokens = [t for t, _ in sorted(tok["vocab"].items(), key=lambda kv: kv[1])]
    merges = [m if isinstance(m, str) else " ".join(m) for m in tok["merges"]]

    w = gguf.GGUFWriter(a.out, arch)
    w.add_name(f"bench {a.shape} {a.quant}")
    w.add_block_count(layers)
    w.add_context_length(4096)
    w.add_embedding_length(hidden)
    w.add_feed_forward_length(inter)
    w.add_head_count(heads)
    w.add_head_count_kv(kv)
    w.add_key_length(head_dim)
    w.add_value_length(head_dim)
    w.add_rope_dimension_count(head_dim)
    w.add_rope_freq_base(10000.0)
    w.add_layer_norm_rms_eps(1e-5)
    w.add_expert_count(experts)
    w.add_expert_used_count(used)
    w.add_expert_feed_forward_length(inter)
    w.add_vocab_size(len(tokens))
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("gpt-2")
    w.add_token_list(tokens)
    w.add_token_merges(merges)
    w.add_token_types([gguf.TokenType.CONTROL if i < 4 else gguf.TokenType.NORMAL for i in range(len(tokens))])
    w.add_bos_token_id(0)
    w.add_eos_token_id(0)

    kind = QUANTS[a.quant][0]

    def quantised(name, *shape):
        rows = int(np.prod(shape[:-1]))
        std = 1.0 / np.sqrt(shape[-1])
        data = random_blocks(rng, rows, shape[-1], a.quant, std)
        w.add_tensor(name, data.reshape(*shape[:-1], data.shape[-1]), raw_dtype=kind)

    def ones(name, n):
        w.add_tensor(name, np.ones(n, np.float32))

    quantised("token_embd.weight", len(tokens), hidden)
    quantised("output.weight", len(tokens), hidden)
    ones("output_norm.weight", hidden)
    for i in range(layers):
        b = f"blk.{i}."
        ones(b + "attn_norm.weight", hidden)
        ones(b + "ffn_norm.weight", hidden)
        quantised(b + "attn_q.weight", heads * head_dim, hidden)
        quantised(b + "attn_k.weight", kv * head_dim, hidden)
        quantised(b + "attn_v.weight", kv * head_dim, hidden)
        quantised(b + "attn_output.weight", hidden, heads * head_dim)
        if arch == "qwen3moe":
            ones(b + "attn_q_norm.weight", head_dim)
            ones(b + "attn_k_norm.weight", head_dim)
        if arch == "olmoe":
            ones(b + "attn_q_norm.weight", heads * head_dim)
            ones(b + "attn_k_norm.weight", kv * head_dim)
        router = rng.standard_normal((experts, hidden), dtype=np.float32) / np.float32(hidden) ** 0.5
        w.add_tensor(b + "ffn_gate_inp.weight", router)
        quantised(b + "ffn_gate_exps.weight", experts, inter, hidden)
        quantised(b + "ffn_up_exps.weight", experts, inter, hidden)
        quantised(b + "ffn_down_exps.weight", experts, hidden, inter)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file(progress=False)
    w.close()


if __name__ == "__main__":
    main()
