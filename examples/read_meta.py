#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads the labels that clipfilter attached to each frame, from Python:

    examples/read_meta.py VIDEO

Needs Debian's python3-gi and gir1.2-gstreamer-1.0."""

import sys
import warnings

import gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst

# GObject.ValueArray is old, and what PyGObject turns a GstValueArray into.
warnings.filterwarnings("ignore", message="GObject.ValueArray")


def values(structure, field):
    found, array = structure.get_array(field)
    return [array.get_nth(i) for i in range(array.n_values)] if found else []


def on_frame(pad, info):
    buffer = info.get_buffer()
    meta = buffer.get_custom_meta("GstClipMeta")
    if meta:
        structure = meta.get_structure()
        pairs = zip(values(structure, "labels"), values(structure, "scores"))
        print(f"{buffer.pts / Gst.SECOND:8.3f} s  " + ", ".join(
            f"{label} {score:.2f}" for label, score in pairs))
    return Gst.PadProbeReturn.OK


def main(video):
    Gst.init(None)
    pipeline = Gst.parse_launch(
        "filesrc name=file ! decodebin ! videoconvert "
        "! clipfilter name=filter top-k=3 ! fakesink")
    pipeline.get_by_name("file").set_property("location", video)
    pipeline.get_by_name("filter").get_static_pad("src").add_probe(
        Gst.PadProbeType.BUFFER, on_frame)
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(
        Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    pipeline.set_state(Gst.State.NULL)
    if message.type == Gst.MessageType.ERROR:
        sys.exit(message.parse_error()[0].message)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
