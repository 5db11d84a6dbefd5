# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the end-to-end tests share: where things are, and how to run them."""

import json
import os
import subprocess
import tempfile
import unittest

SOURCE = os.environ["CLIP_SOURCE_ROOT"]
BUILD = os.environ["CLIP_BUILD_ROOT"]
LIMIT = 240  # seconds for one program

# As `meson devenv` sets it, with a registry that no other test writes to.
_registry = tempfile.TemporaryDirectory(prefix="clip-registry-")
os.environ.update(
    GST_PLUGIN_PATH=os.path.join(BUILD, "gst"),
    GST_CLIP_MODEL_PATH=os.path.join(SOURCE, "engine"),
    GST_REGISTRY=os.path.join(_registry.name, "registry"),
    PATH=os.path.join(BUILD, "examples") + os.pathsep + os.environ["PATH"])


def run(*command, fails_with=None, **keywords):
    """Runs a program; it must succeed, or exit with `fails_with`."""
    done = subprocess.run(command, stdout=subprocess.PIPE, timeout=LIMIT,
                          stderr=subprocess.PIPE, text=True, **keywords)
    if done.returncode != (fails_with or 0):
        raise AssertionError(
            f"{command}: exit status {done.returncode}, expected "
            f"{fails_with or 0}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done


def debian_video(name):
    """A real video from a Debian package; tests/run fetches them."""
    done = run("bash", "-c", '. "$0"/examples/setup.sh; debian_video_path "$1"',
               SOURCE, name)
    path = done.stdout.strip()
    if not os.path.exists(path):
        raise unittest.SkipTest(f"{path} is missing; tests/run fetches it")
    return path


def small_video(folder, name="video.mp4", frames=30):
    """A test card that moves, with sound, a second long."""
    path = os.path.join(folder, name)
    run("gst-launch-1.0", "-q", "videotestsrc", f"num-buffers={frames}",
        "pattern=smpte", "!",
        "video/x-raw,format=I420,width=320,height=240,framerate=30/1",
        "!", "x264enc", "speed-preset=ultrafast", "!",
        "h264parse", "!", "mp4mux", "name=mux", "!", "filesink",
        f"location={path}", "audiotestsrc", f"num-buffers={frames * 2}",
        "samplesperbuffer=735", "!", "audio/x-raw,rate=44100", "!",
        "avenc_aac", "!", "mux.")
    return path


def count_frames(path):
    """How many frames a file decodes to."""
    pixels = subprocess.run(
        ["gst-launch-1.0", "-q", "filesrc", f"location={path}", "!",
         "decodebin", "!", "videoconvert", "!", "videoscale", "!",
         "video/x-raw,format=GRAY8,width=16,height=16", "!", "fdsink"],
        stdout=subprocess.PIPE, timeout=LIMIT, check=True).stdout
    return len(pixels) // (16 * 16)


def read_lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def main():
    """Runs the tests of a file; meson is told when all of them were skipped."""
    result = unittest.main(exit=False, verbosity=2).result
    if not result.wasSuccessful():
        raise SystemExit(1)
    raise SystemExit(77 if len(result.skipped) == result.testsRun else 0)
