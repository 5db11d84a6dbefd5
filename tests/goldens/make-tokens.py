#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Writes starter/awkward-tokens.json: texts that are awkward to tokenise, and
# the ids that Hugging Face's tokenizers gives them with the starter model's
# tokenizer.json:
#
#   python3 tests/goldens/make-tokens.py     (needs the package tokenizers)
#
# Characters are those of Unicode 3.2 and some emoji: whatever libraries a
# reader has, they agree on those.
import json
import os
import random
import unicodedata

from tokenizers import Tokenizer

here = os.path.dirname(os.path.abspath(__file__))
tokenizer = Tokenizer.from_file(
    os.path.join(here, "../../engine/starter/tokenizer.json"))
rng = random.Random(20)

written = [
    "", " ", "\t\r\n", "a", "A", "the", "The  THE\tthe\nthe", "it's IT'S it' s",
    "don't we'll they're I've I'm he'd 'tis '90s ''s '''", "rock'n'roll",
    "a photo of a {}.", "3.14159 1,000,000 42nd x2", "½ ² ① Ⅷ Ⓐ ⅷ ⓐ",
    "<|endoftext|>", "<|startoftext|>", "a<|endoftext|>b", "a<|startoftext|>b",
    "<|ENDOFTEXT|>", "<|StartOfText|>", "!<|ENDOFTEXT|>!", "<|endoftext|>!",
    "<|ENDOFTEXT|>!!", "<|endoftext|", "<|<|endoftext|>|>",
    "e<|endoftext|>\u0301", "'<|EndOfText|>'s", "</w>", "a</w> b",
    "café cafe\u0301 CAFE\u0301", "naïve Ångström A\u030angstro\u0308m \u212b",
    "a\u0323\u0307 a\u0307\u0323", "\u0301", " \u0301\u0323x", "q\u0307\u0323",
    "İstanbul ISTANBUL ıstanbul", "ΣΊΣΥΦΟΣ Σ ΑΣ ςσ", "STRASSE Straße ẞ",
    "Ǆ ǅ ǆ ŉ ﬁ ſ K", "ᾈ ᾳ ῼ", "Привет, мир", "שָׁלוֹם", "السَّلَامُ عَلَيْكُم",
    "नमस्ते दुनिया", "สวัสดี", "日本語の文", "한국어 \u1112\u1161\u11ab\u1100\u1173\u11af",
    "中文字符，标点。", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝟘𝟙", "😀😃 👍🏽 👩‍👩‍👧 🏳️‍🌈 🇩🇪 ❤️", "🐕dog", "dog🐕‍🦺s",
    "a\u00a0b\u2003c\u3000d\u0085e\u2028f\u200bg\ufeffh\u180ei\u202fj",
    "\u0001\u0002\u001f a\u007fb\u009fc", "\ufffd\ufffe\U0010ffff", "\u00ad-\u2011",
    "https://example.org/a?b=c&d=%20", "user@example.org", "C:\\a\\b", "&amp; &lt;",
    "----====----", "....", "?!?!", "a_b-c+d*e/f", "#tag @name $5 50% (x) [y] {z}",
    "pneumonoultramicroscopicsilicovolcanoconiosis", "x" * 300, "ab" * 200,
    "!" * 200, "1" * 100, "é" * 150, "a " * 100, "word " * 31, "the " * 29,
    "the " * 30, "the " * 31, "<|endoftext|>" * 40,
]

pieces = [
    "a photo of a dog", "people", "'s", "'LL", "'", "...", "!", " ", "  ", "\n",
    "<|endoftext|>", "<|startoftext|>", "<|ENDOFTEXT|>", "7", "2024", "Σ", "İ",
    "\u0301", "\u0323", "é", "ß", "日", "😀", "\u200d", "\u3000", "-", "</w>",
]
known = [c for c in range(1, 0x110000)
         if unicodedata.ucd_3_2_0.category(chr(c)) not in ("Cn", "Cs", "Co")]
blocks = [known, [c for c in known if c < 0x250], [c for c in known if c < 0x80],
          [c for c in known if 0x250 <= c < 0x3000],
          [c for c in known if unicodedata.combining(chr(c))]]


def random_text():
    out = []
    for _ in range(rng.randint(1, 8)):
        if rng.random() < 0.4:
            out.append(rng.choice(pieces))
        else:
            block = rng.choice(blocks)
            out += [chr(rng.choice(block)) for _ in range(rng.randint(1, 6))]
    return "".join(out)


def row(text):
    return json.dumps({"text": text, "ids": tokenizer.encode(text).ids})


texts = written + [random_text() for _ in range(300)]
with open(os.path.join(here, "starter/awkward-tokens.json"), "w") as out:
    out.write("[\n" + ",\n".join(row(text) for text in texts) + "\n]\n")
