# SPDX-License-Identifier: LGPL-2.1-or-later
"""An installed tree works by itself: the plugin and the programs find the
starter model beside them, and a reader in C compiles against the header."""

import glob
import os
import tempfile
import unittest

import support


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        support.run("meson", "install", "--no-rebuild", "-C", support.BUILD,
                    env={**os.environ, "DESTDIR": cls.folder.name})
        plugin, = glob.glob(cls.folder.name + "/**/libgstclip.so",
                            recursive=True)
        program, = glob.glob(cls.folder.name + "/**/bin/clip-embed",
                             recursive=True)
        cls.bin = os.path.dirname(program)
        cls.env = {**os.environ, "GST_PLUGIN_PATH": os.path.dirname(plugin),
                   "GST_REGISTRY": os.path.join(cls.folder.name, "registry"),
                   "PATH": cls.bin + os.pathsep + os.environ["PATH"]}
        del cls.env["GST_CLIP_MODEL_PATH"]

    def test_plugin(self):
        done = support.run(
            "gst-launch-1.0", "-q", "videotestsrc", "num-buffers=3", "!",
            "clipfilter", "!", "clipjson", "!", "fdsink", env=self.env)
        self.assertEqual(len(done.stdout.splitlines()), 3)
        self.assertIn('"color bars"', done.stdout)

    def test_programs(self):
        done = support.run("clip-embed", "--text", "a dog", env=self.env)
        self.assertIn('"embedding"', done.stdout)
        video = support.small_video(self.folder.name)
        support.run("clip-tag", video, "--output", self.folder.name,
                    env=self.env)
        support.run("clip-bench", "--time", "0.1", env=self.env)

    def test_header(self):
        source = os.path.join(self.folder.name, "reader.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write("#include <gst/clip/gstclipmeta.h>\n"
                       "int main (void) { GstBuffer *b = gst_buffer_new ();"
                       " return gst_clip_meta_find (b, NULL) != NULL; }\n")
        config, = glob.glob(self.folder.name + "/**/gstreamer-clip-1.0.pc",
                            recursive=True)
        flags = support.run(
            "pkg-config", "--cflags", "--libs", "gstreamer-clip-1.0",
            env={**self.env, "PKG_CONFIG_PATH": os.path.dirname(config),
                 "PKG_CONFIG_SYSROOT_DIR": ""}).stdout.split()
        flags = [self.folder.name.join(flag.split("/usr/local", 1)[:0] or
                                       [flag]) for flag in flags]
        include = glob.glob(self.folder.name + "/**/include/gstreamer-1.0",
                            recursive=True)[0]
        support.run("cc", "-Wall", "-Wextra", "-Werror", f"-I{include}",
                    source, *flags, "-o", source[:-2])


if __name__ == "__main__":
    support.main()
