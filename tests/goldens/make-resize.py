#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes resize.safetensors: Pillow's and torchvision's answers for pictures
of noise, which the test computes too. A tensor's name holds the case:
width.height.resize.crop.filter.mode.rounding. Needs Pillow, torchvision,
numpy and safetensors.

Pillow up to version 12 resizes horizontally, then vertically; version 13 takes
the vertical pass first for some tall pictures, which moves bytes by one. The
order of version 12 is asked for here by calling for the passes one by one."""
import pathlib

import numpy as np
from PIL import Image
from safetensors.numpy import save_file
from torchvision import transforms

FILTERS = ["nearest", "bilinear", "bicubic", "lanczos"]
FILL = 77


def noise(width, height):
    """Bytes of a linear congruential generator, in R G B order."""
    state = width * 65536 + height
    out = bytearray()
    for _ in range(width * height * 3):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        out.append(state >> 24)
    return Image.fromarray(
        np.frombuffer(bytes(out), np.uint8).reshape(height, width, 3))


def resize(picture, width, height, filter):
    filter = getattr(Image.Resampling, filter.upper())
    return (picture.resize((width, picture.height), filter)
            .resize((width, height), filter))


def floor_crop(picture, crop):
    """transformers' center_crop."""
    pixels = np.asarray(picture)
    out = np.zeros((crop, crop, 3), np.uint8)
    top = (pixels.shape[0] - crop) // 2
    left = (pixels.shape[1] - crop) // 2
    for y in range(crop):
        for x in range(crop):
            if 0 <= y + top < pixels.shape[0] and 0 <= x + left < pixels.shape[1]:
                out[y, x] = pixels[y + top, x + left]
    return out


def pad(picture, size, crop, filter):
    """OpenCLIP's ResizeKeepRatio with longest=1, and CenterCropOrPad."""
    width, height = picture.size
    ratio = max(width / size, height / size)
    picture = resize(picture, round(width / ratio), round(height / ratio),
                     filter)
    width, height = picture.size
    out = Image.new("RGB", (max(crop, width), max(crop, height)), (FILL,) * 3)
    out.paste(picture, ((out.width - width) // 2, (out.height - height) // 2))
    return np.asarray(transforms.CenterCrop(crop)(out))


def answer(width, height, size, crop, filter, mode, rounding):
    picture = noise(width, height)
    if mode == "pad":
        return pad(picture, size, crop, filter)
    target = size if mode == "crop" else (size, size)
    picture = resize(picture, *transforms.Resize(target)(picture).size, filter)
    if rounding == "floor":
        return floor_crop(picture, crop)
    return np.asarray(transforms.CenterCrop(crop)(picture))


def main():
    cases = []
    for filter in FILTERS:
        for size in [(1, 1), (61, 43), (43, 61), (24, 90), (200, 24), (9, 7),
                     (5, 300), (37, 37)]:
            cases.append((*size, 24, 24, filter, "crop", "even"))
        cases.append((83, 51, 20, 20, filter, "squash", "even"))
        cases.append((13, 11, 20, 20, filter, "squash", "floor"))
        cases.append((67, 40, 23, 20, filter, "crop", "floor"))
        cases.append((67, 40, 23, 20, filter, "crop", "even"))
        cases.append((50, 31, 15, 20, filter, "crop", "floor"))
        cases.append((50, 31, 15, 20, filter, "crop", "even"))
        cases.append((71, 30, 20, 20, filter, "pad", "even"))
        cases.append((30, 71, 20, 20, filter, "pad", "even"))
        cases.append((30, 71, 25, 20, filter, "pad", "even"))
        cases.append((10, 9, 21, 21, filter, "pad", "even"))
    tensors = {".".join(map(str, case)): np.ascontiguousarray(answer(*case))
               for case in cases}
    save_file(tensors, pathlib.Path(__file__).parent / "resize.safetensors")


main()
