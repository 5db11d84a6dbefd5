# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command-line programs: what they print, write and answer to mistakes."""

import json
import math
import os
import signal
import struct
import subprocess
import tempfile
import time
import unittest

import support

STARTER = os.path.join(support.SOURCE, "engine", "starter")
GOLDEN = os.path.join(support.SOURCE, "tests", "goldens", "starter")


def read_tensor(path, name):
    """A float tensor of a safetensors file, flat, with its shape."""
    with open(path, "rb") as file:
        length, = struct.unpack("<Q", file.read(8))
        entry = json.loads(file.read(length))[name]
        begin, end = entry["data_offsets"]
        file.seek(8 + length + begin)
        data = file.read(end - begin)
    kind = {"F32": "f", "I32": "i", "I64": "q"}[entry["dtype"]]
    return struct.unpack(f"<{len(data) // struct.calcsize(kind)}{kind}",
                         data), entry["shape"]


def distance(a, b):
    return math.sqrt(sum((x - y) ** 2 for x, y in zip(a, b)))


class Embed(unittest.TestCase):
    def setUp(self):
        folder = os.path.join(GOLDEN, "images")
        self.images = [os.path.join(folder, name)
                       for name in sorted(os.listdir(folder))]
        with open(os.path.join(GOLDEN, "texts.json"), encoding="utf-8") as f:
            self.texts = json.load(f)

    def embed(self, *arguments):
        command = ["clip-embed", "--model", STARTER, *arguments]
        for text in self.texts:
            command += ["--text", text]
        # A locale without UTF-8 must not change what was typed.
        done = support.run(*command, *self.images,
                           env={**os.environ, "LC_ALL": "C"})
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_reference(self):
        with tempfile.TemporaryDirectory() as folder:
            npy = os.path.join(folder, "vectors.npy")
            lines = self.embed("--tokens", "--npy", npy)
            with open(npy, "rb") as file:
                array = file.read()
        texts, images = lines[:len(self.texts)], lines[len(self.texts):]
        self.assertEqual([line["text"] for line in texts], self.texts)
        self.assertEqual([line["image"] for line in images], self.images)
        self.check(texts, "text_embeds")
        self.check(images, "image_embeds")
        self.check_npy(array, [line["embedding"] for line in lines])
        for line in texts:
            self.assertTrue(all(isinstance(t, int) for t in line["tokens"]))

    def check(self, lines, tensor):
        values, (rows, dim) = read_tensor(
            os.path.join(GOLDEN, "expected.safetensors"), tensor)
        self.assertEqual(len(lines), rows)
        for i, line in enumerate(lines):
            expected = values[i * dim:(i + 1) * dim]
            self.assertLessEqual(distance(line["embedding"], expected), 1e-5)

    def check_npy(self, array, vectors):
        self.assertEqual(array[:8], b"\x93NUMPY\x01\x00")
        length, = struct.unpack("<H", array[8:10])
        self.assertEqual((10 + length) % 64, 0)
        header = eval(array[10:10 + length], {"__builtins__": {}})
        self.assertEqual(header, {
            "descr": "<f4", "fortran_order": False,
            "shape": (len(vectors), len(vectors[0]))})
        flat = struct.unpack(f"<{len(vectors) * len(vectors[0])}f",
                             array[10 + length:])
        # Nine digits bring every float back exactly.
        text = [struct.unpack("<f", struct.pack("<f", x))[0]
                for vector in vectors for x in vector]
        self.assertEqual(list(flat), text)

    def test_mistakes(self):
        for arguments, status, words in (
                ([], 2, "nothing to embed"),
                (["--nonsense"], 2, "--nonsense"),
                (["--text", b"\xff\xfe"], 1, "UTF-8"),
                (["no-such.png"], 1, "no-such.png"),
                (["--model", "no-such-model", "--text", "a"], 1,
                 "no-such-model"),
                (["--backend", "abacus", "--text", "a"], 1, "abacus")):
            done = support.run("clip-embed", *arguments, fails_with=status)
            self.assertIn(words, done.stderr)
            self.assertEqual(done.stdout, "")


class Bench(unittest.TestCase):
    def test_starter(self):
        done = support.run("clip-bench", "--json", "--batch", "3", "--threads",
                           "1", "--time", "0.1")
        result = json.loads(done.stdout)
        self.assertEqual(result["batch"], 3)
        self.assertEqual(result["backend"], "cpu")
        self.assertGreater(result["image_ms"], 0)
        self.assertGreater(result["text_ms"], 0)
        self.assertGreater(result["gemm_ms"], 0)
        self.assertAlmostEqual(
            result["images_per_s"] * result["image_ms"], 1000, places=6)
        for key in "arch", "device", "openblas_corename":
            self.assertIsInstance(result[key], str)

    def test_table(self):
        done = support.run("clip-bench", "--arch", "ViT-B-32", "--time", "0.1")
        self.assertIn("ViT-B-32", done.stdout)

    def test_mistakes(self):
        for arguments, status, words in (
                (["--arch", "ViT-Z"], 1, "ViT-Z"),
                (["--batch", "0"], 2, "--batch"),
                (["--arch", "ViT-B-32", "--model", STARTER], 2, "--arch")):
            done = support.run("clip-bench", *arguments, fails_with=status)
            self.assertIn(words, done.stderr)


class Tag(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = self.folder.name

    def test_files(self):
        video = support.small_video(self.path)
        done = support.run("clip-tag", video, "--labels",
                           " color bars , dog,, dog", cwd=self.path)
        out = os.path.join(self.path, "video-tagged")
        lines = support.read_lines(os.path.join(out, "labels.jsonl"))
        self.assertEqual(len(lines), 30)
        self.assertEqual(
            {entry["label"] for line in lines for entry in line["labels"]},
            {"color bars", "dog"})
        annotated = os.path.join(out, "annotated.mp4")
        self.assertEqual(support.count_frames(annotated), 30)
        self.assertIn("30 frames", done.stdout)
        self.check_sound(annotated)

    def check_sound(self, path):
        done = support.run("gst-launch-1.0", "-q", "filesrc",
                           f"location={path}", "!", "qtdemux", "name=d",
                           "d.audio_0", "!", "decodebin", "!", "audioconvert",
                           "!", "audio/x-raw,format=S8,channels=1,rate=44100",
                           "!", "filesink", f"location={self.path}/sound")
        self.assertEqual(done.stderr, "")
        self.assertGreater(os.path.getsize(f"{self.path}/sound"), 30000)

    def test_interrupt(self):
        video = support.small_video(self.path, frames=6000)
        out = os.path.join(self.path, "out")
        process = subprocess.Popen(["clip-tag", video, "--output", out],
                                   stderr=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True)
        labels = os.path.join(out, "labels.jsonl")
        end = time.monotonic() + support.LIMIT
        while time.monotonic() < end and process.poll() is None and not (
                os.path.exists(labels) and os.path.getsize(labels)):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=support.LIMIT)
        self.assertEqual(process.returncode, 130, errors)
        frames = len(support.read_lines(labels))
        self.assertTrue(0 < frames < 6000, frames)
        self.assertEqual(
            support.count_frames(os.path.join(out, "annotated.mp4")), frames)

    def test_mistakes(self):
        broken = os.path.join(self.path, "broken.mp4")
        with open(broken, "wb") as file:
            file.write(b"\0" * 5000)
        sound = os.path.join(self.path, "sound.wav")
        support.run("gst-launch-1.0", "-q", "audiotestsrc", "num-buffers=10",
                    "!", "wavenc", "!", "filesink", f"location={sound}")
        for arguments, status, words in (
                ([], 2, "no video is named"),
                (["no-such.mp4"], 1, "no-such.mp4"),
                ([self.path], 1, "folder"),
                ([broken], 1, ""),
                ([sound], 1, "no video"),
                ([sound, "--labels", b"\xff"], 1, "UTF-8")):
            done = support.run("clip-tag", *arguments, fails_with=status,
                               cwd=self.path)
            self.assertIn(words, done.stderr)
            self.assertNotEqual(done.stderr, "")

    def test_broken_model(self):
        video = support.small_video(self.path)
        done = support.run("clip-tag", video, "--model", self.path,
                           fails_with=1, cwd=self.path)
        self.assertIn(self.path, done.stderr)
        self.assertFalse(os.path.exists(
            os.path.join(self.path, "video-tagged", "annotated.mp4")))


class ReadMeta(unittest.TestCase):
    def test_lines(self):
        with tempfile.TemporaryDirectory() as folder:
            done = support.run(
                os.path.join(support.SOURCE, "examples", "read_meta.py"),
                support.small_video(folder))
        self.assertEqual(len(done.stdout.splitlines()), 30)
        self.assertRegex(done.stdout, r"^ +0\.000 s  color bars 0\.\d\d, ")
        self.assertEqual(done.stderr, "")


if __name__ == "__main__":
    support.main()
