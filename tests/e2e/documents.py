# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every command line of the README and of the elements' documentation is
pasted into a shell, beside a small video.mp4, and must succeed."""

import glob
import os
import re
import tempfile
import unittest

import support

# A machine that runs tests has no camera and no screen, and the tests are not
# started from within the tests.
STAND_INS = (
    (r"\bv4l2src\b[^!]*", "videotestsrc num-buffers=30 "),
    (r"\bautovideosink\b", "fakesink"),
)
NOT_HERE = re.compile(r"^(tests/run|sudo )")


def readme_blocks():
    with open(os.path.join(support.SOURCE, "README.md"),
              encoding="utf-8") as file:
        return re.findall(r"^```sh\n(.*?)^```", file.read(), re.S | re.M)


def section_lines(path):
    """The launch lines between |[ and ]|; a line break is a space there."""
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"^ \*(?: |$)", "", file.read(), flags=re.M)
    for block in re.findall(r"\|\[\n(.*?)\]\|", text, re.S):
        block = re.sub(r"\\\n", " ", block)
        for line in re.split(r"\n(?=gst-launch-1\.0|gst-inspect-1\.0)", block):
            line = " ".join(line.split())
            if line.startswith(("gst-launch-1.0", "gst-inspect-1.0")):
                yield line


class Documents(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = self.folder.name
        support.small_video(self.path)
        for name in "examples", "tests", "engine":
            os.symlink(os.path.join(support.SOURCE, name),
                       os.path.join(self.path, name))
        os.symlink(support.BUILD, os.path.join(self.path, "build"))
        self.env = {**os.environ, "DESTDIR": self.path,
                    "HF_HUB_CACHE": self.fill_hub_cache()}

    def fill_hub_cache(self):
        """A tiny model under the name that the documents use."""
        cache = os.path.join(self.path, "hub")
        model = os.path.join(cache, "models--openai--clip-vit-base-patch32")
        os.makedirs(os.path.join(model, "refs"))
        os.makedirs(os.path.join(model, "snapshots"))
        with open(os.path.join(model, "refs", "main"), "w",
                  encoding="utf-8") as file:
            file.write("0123abcd")
        os.symlink(os.path.join(support.SOURCE, "tests", "goldens",
                                "hf-quickgelu-f32"),
                   os.path.join(model, "snapshots", "0123abcd"))
        return cache

    def paste(self, line):
        for pattern, stand_in in STAND_INS:
            line = re.sub(pattern, stand_in, line)
        with self.subTest(line=line):
            support.run("bash", "-e", "-o", "pipefail", "-c", line,
                        cwd=self.path, env=self.env)

    def test_readme(self):
        blocks = readme_blocks()
        self.assertGreater(len(blocks), 2)
        for block in blocks:
            kept = [line for line in block.splitlines()
                    if not NOT_HERE.match(line)]
            self.paste("\n".join(kept))

    def test_elements(self):
        seen = []
        for path in sorted(glob.glob(os.path.join(support.SOURCE, "gst/*.c"))):
            for line in section_lines(path):
                seen.append(os.path.basename(path))
                self.paste(line)
        for element in "filter", "overlay", "json":
            self.assertIn(f"gstclip{element}.c", seen)


if __name__ == "__main__":
    support.main()
