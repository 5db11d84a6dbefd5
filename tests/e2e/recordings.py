# SPDX-License-Identifier: LGPL-2.1-or-later
"""Real recordings through clip-tag: the labels make sense, and the files that
it leaves are whole."""

import collections
import os
import tempfile
import unittest

import support

LABELS = ["dog", "horse", "bird", "tall building", "car", "plate of food",
          "snowy mountain", "beach"]


class Recordings(unittest.TestCase):
    def tag(self, name):
        video = support.debian_video(name)
        with tempfile.TemporaryDirectory() as folder:
            support.run("clip-tag", video, "--labels", ",".join(LABELS),
                        "--output", folder)
            lines = support.read_lines(os.path.join(folder, "labels.jsonl"))
            annotated = os.path.join(folder, "annotated.mp4")
            frames = support.count_frames(video)
            self.assertEqual(len(lines), frames)
            self.assertEqual(support.count_frames(annotated), frames)
        self.check_lines(lines)
        return lines

    def check_lines(self, lines):
        previous = -1
        for line in lines:
            self.assertGreater(line["pts"], previous)
            previous = line["pts"]
            scores = [entry["score"] for entry in line["labels"]]
            self.assertEqual(scores, sorted(scores, reverse=True))
            self.assertEqual({entry["label"] for entry in line["labels"]},
                             set(LABELS))
            self.assertTrue(all(0 <= score <= 1 for score in scores))
            # Softmax shares the rest with the negative labels.
            self.assertLess(sum(scores), 1.0001)

    def assert_mostly(self, lines, label, share):
        tops = collections.Counter(
            line["labels"][0]["label"] for line in lines)
        self.assertGreaterEqual(tops[label], share * len(lines), tops)

    def test_dog(self):
        self.assert_mostly(self.tag("dog"), "dog", 0.9)

    def test_cockatoo(self):
        # For a second or two its beak fills the picture.
        self.assert_mostly(self.tag("cockatoo"), "bird", 0.5)

    def test_city(self):
        self.assert_mostly(self.tag("city"), "tall building", 0.9)


if __name__ == "__main__":
    support.main()
