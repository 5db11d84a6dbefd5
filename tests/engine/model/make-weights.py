#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints weights.tsv: every canonical weight of the golden models and the
starter as numpy sees it, one a line: model, name, rows, columns, and the sum
of value[i] * (1 + i % 1009), which notices a wrong order. Needs numpy.

Usage: make-weights.py > weights.tsv"""
import json
import pathlib
import struct
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[3]


def read(folder):
    tensors = {}
    for path in sorted(folder.glob("*model*.safetensors")):
        data = path.read_bytes()
        (n,) = struct.unpack("<Q", data[:8])
        for name, e in json.loads(data[8:8 + n]).items():
            if name == "__metadata__":
                continue
            raw = data[8 + n + e["data_offsets"][0]:8 + n + e["data_offsets"][1]]
            if e["dtype"] == "BF16":
                value = (np.frombuffer(raw, "<u2").astype("<u4") << 16).view("<f4")
            else:
                value = np.frombuffer(raw, {"F16": "<f2", "F32": "<f4"}[e["dtype"]])
            tensors[name] = value.astype(np.float64).reshape(e["shape"])
    return tensors


def transformer(t, tower, hf, blocks):
    for n in range(999):
        b, c = f"{blocks}{n}.", f"{tower}.blocks.{n}."
        names = ("layer_norm1", "layer_norm2") if hf else ("ln_1", "ln_2")
        if b + names[0] + ".weight" not in t:
            return
        for kind in ("weight", "bias"):
            for i in (0, 1):
                yield f"{c}norm{i + 1}.{kind}", t[f"{b}{names[i]}.{kind}"]
            if hf:
                qkv = np.concatenate([t[f"{b}self_attn.{x}_proj.{kind}"] for x in "qkv"])
            else:
                qkv = t[f"{b}attn.in_proj_{kind}"]
            yield f"{c}qkv.{kind}", qkv
            out, fc1, fc2 = (("self_attn.out_proj", "mlp.fc1", "mlp.fc2") if hf
                             else ("attn.out_proj", "mlp.c_fc", "mlp.c_proj"))
            yield f"{c}out.{kind}", t[f"{b}{out}.{kind}"]
            yield f"{c}fc1.{kind}", t[f"{b}{fc1}.{kind}"]
            yield f"{c}fc2.{kind}", t[f"{b}{fc2}.{kind}"]


def text(t, hf):
    if hf:
        yield "text.token", t["text_model.embeddings.token_embedding.weight"]
        yield "text.position", t["text_model.embeddings.position_embedding.weight"]
        yield "text.projection.weight", t["text_projection.weight"]
    else:
        yield "text.token", t["token_embedding.weight"]
        yield "text.position", t["positional_embedding"]
        yield "text.projection.weight", t["text_projection"].T
    for kind in ("weight", "bias"):
        yield f"text.post_norm.{kind}", t[("text_model.final_layer_norm." if hf else "ln_final.") + kind]
    yield from transformer(t, "text", hf, "text_model.encoder.layers." if hf
                           else "transformer.resblocks.")


def vit(t, hf):
    if hf:
        e = "vision_model.embeddings."
        yield "image.patch.weight", t[e + "patch_embedding.weight"]
        yield "image.class", t[e + "class_embedding"]
        yield "image.position", t[e + "position_embedding.weight"]
        yield "image.projection.weight", t["visual_projection.weight"]
    else:
        yield "image.patch.weight", t["visual.conv1.weight"]
        yield "image.class", t["visual.class_embedding"]
        yield "image.position", t["visual.positional_embedding"]
        yield "image.projection.weight", t["visual.proj"].T
    for kind in ("weight", "bias"):
        yield f"image.pre_norm.{kind}", t[("vision_model.pre_layrnorm." if hf else "visual.ln_pre.") + kind]
        yield f"image.post_norm.{kind}", t[("vision_model.post_layernorm." if hf else "visual.ln_post.") + kind]
    yield from transformer(t, "image", hf, "vision_model.encoder.layers." if hf
                           else "visual.transformer.resblocks.")


def efficientnet(t):
    def fold(name, conv, norm):
        w, p = t[f"visual.trunk.{conv}.weight"], f"visual.trunk.{norm}."
        scale = t[p + "weight"] / np.sqrt(t[p + "running_var"] + 1e-3)
        w = (w * scale[:, None, None, None]).transpose(0, 2, 3, 1)
        yield name + ".weight", w
        yield name + ".bias", t[p + "bias"] - t[p + "running_mean"] * scale

    yield from fold("image.stem", "conv_stem", "bn1")
    yield from fold("image.head", "conv_head", "bn2")
    for stage in range(7):
        for block in range(99):
            p, c = f"blocks.{stage}.{block}.", f"image.blocks.{stage}.{block}."
            if f"visual.trunk.{p}conv_dw.weight" not in t:
                break
            if stage > 0:
                yield from fold(c + "expand", p + "conv_pw", p + "bn1")
            yield from fold(c + "depthwise", p + "conv_dw", p + ("bn2" if stage else "bn1"))
            yield from fold(c + "project", p + ("conv_pwl" if stage else "conv_pw"),
                            p + ("bn3" if stage else "bn2"))
    yield "image.projection.weight", t["visual.head.proj.weight"]


def main():
    goldens = ROOT / "tests" / "goldens"
    folders = [p for p in sorted(goldens.iterdir()) if list(p.glob("*config.json"))]
    for folder in folders + [ROOT / "engine" / "starter"]:
        t = read(folder)
        hf = (folder / "config.json").exists()
        image = efficientnet(t) if "visual.trunk.conv_stem.weight" in t else vit(t, hf)
        for name, w in [*image, *text(t, hf)]:
            w = w.reshape(1 if w.ndim == 1 else w.shape[0], -1)
            v = w.astype(np.float32).astype(np.float64).reshape(-1)
            total = (v * (1 + np.arange(v.size) % 1009)).sum()
            print(folder.name, name, *w.shape, f"{total:.9g}", sep="\t")


sys.exit(main())
