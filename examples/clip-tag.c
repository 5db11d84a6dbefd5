/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * clip-tag: a recording in; its labels, frame by frame, and an annotated
 * video out.
 */
#include "examples/common.h"
#include "examples/tag-pipeline.h"

#include <errno.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <gst/pbutils/pbutils.h>
#include <stdio.h>
#include <unistd.h>

#define PROGRAM_INTERRUPTED 130
#define PROGRESS_MS 250
#define BAR_WIDTH 30
/* Labels in the closing summary. */
#define MOST_SEEN 5

static gchar *model_name, *labels, *labels_file, *output;

static const GOptionEntry entries[] = {
  { "labels", 'l', 0, G_OPTION_ARG_FILENAME, &labels,
      "Labels to score, separated by commas, or by semicolons where labels "
      "have commas (default: the model's own)",
      "A,B,C" },
  { "labels-file", 0, 0, G_OPTION_ARG_FILENAME, &labels_file,
      "A file with more labels, one a line", "FILE" },
  { "model", 'm', 0, G_OPTION_ARG_FILENAME, &model_name,
      "Model folder, weight file or cached Hugging Face id "
      "(default: the starter model)",
      "MODEL" },
  { "output", 'o', 0, G_OPTION_ARG_FILENAME, &output,
      "Folder to write to (default: the video's name with \"-tagged\")",
      "FOLDER" },
  { NULL }
};

typedef struct {
  TagPipeline tag;
  GMainLoop *loop;
  gint64 start; /* monotonic, us */
  guint last_tenth;
  gboolean on_terminal, bar_shown, interrupted;
  gchar *missing; /* what no plugin was found for */
  GError *error;
} Run;

/* ------------------------------------------------------------- progress */

static gdouble
fraction_done (GstElement *pipeline)
{
  gint64 position, duration;

  if (!gst_element_query_position (pipeline, GST_FORMAT_TIME, &position)
      || !gst_element_query_duration (pipeline, GST_FORMAT_TIME, &duration)
      || duration <= 0)
    return -1;
  return CLAMP ((gdouble) position / (gdouble) duration, 0, 1);
}

static gchar *
describe_progress (Run *run, gdouble fraction)
{
  TagSeen *seen = &run->tag.seen;
  const gdouble elapsed =
      (gdouble) (g_get_monotonic_time () - run->start) / G_USEC_PER_SEC;
  GString *text = g_string_new (NULL);

  g_mutex_lock (&seen->lock);
  if (fraction >= 0)
    g_string_append_printf (text, "%3.0f%%  ", 100 * fraction);
  g_string_append_printf (text, "%" G_GUINT64_FORMAT " frames, %.0f a second",
      seen->frames, (gdouble) seen->frames / MAX (elapsed, 1e-3));
  if (seen->last_top)
    g_string_append_printf (text, ", now \"%s\" %.2f", seen->last_top,
        seen->last_score);
  g_mutex_unlock (&seen->lock);
  return g_string_free (text, FALSE);
}

static void
hide_bar (Run *run)
{
  if (run->bar_shown)
    fputs ("\r\033[K", stderr);
  run->bar_shown = FALSE;
}

static gboolean
show_progress (gpointer user_data)
{
  Run *run = user_data;
  const gdouble fraction = fraction_done (run->tag.pipeline);
  g_autofree gchar *text = describe_progress (run, fraction);

  if (run->on_terminal) {
    const gint full = (gint) (BAR_WIDTH * MAX (fraction, 0));

    fprintf (stderr, "\r\033[K[%.*s%*s] %s", full,
        "##############################", BAR_WIDTH - full, "", text);
    run->bar_shown = TRUE;
  } else if (fraction >= 0 && (guint) (fraction * 10) > run->last_tenth) {
    run->last_tenth = (guint) (fraction * 10);
    fprintf (stderr, "%s\n", text);
  }
  fflush (stderr);
  return G_SOURCE_CONTINUE;
}

/* ------------------------------------------------------------------ bus */

static void
take_error (Run *run, GstMessage *message)
{
  g_autofree gchar *details = NULL;
  g_autoptr (GError) error = NULL;

  if (run->error)
    return;
  gst_message_parse_error (message, &error, &details);
  if (run->missing)
    g_set_error (&run->error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
        "no plugin was found for: %s; Debian's gstreamer1.0-libav and "
        "gstreamer1.0-plugins-bad have most",
        run->missing);
  else
    run->error = g_steal_pointer (&error);
}

static void
print_warning (Run *run, GstMessage *message)
{
  g_autoptr (GError) error = NULL;

  gst_message_parse_warning (message, &error, NULL);
  hide_bar (run);
  g_printerr ("%s: %s\n", g_get_prgname (), error->message);
}

static gboolean
on_message (GstBus *bus, GstMessage *message, gpointer user_data)
{
  Run *run = user_data;

  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_EOS:
      g_main_loop_quit (run->loop);
      break;
    case GST_MESSAGE_ERROR:
      take_error (run, message);
      g_main_loop_quit (run->loop);
      break;
    case GST_MESSAGE_WARNING:
      print_warning (run, message);
      break;
    default:
      if (gst_is_missing_plugin_message (message) && !run->missing)
        run->missing = gst_missing_plugin_message_get_description (message);
      break;
  }
  return G_SOURCE_CONTINUE;
}

static gboolean
on_signal (gpointer user_data)
{
  Run *run = user_data;

  hide_bar (run);
  if (run->interrupted) {
    g_set_error_literal (&run->error, G_IO_ERROR, G_IO_ERROR_CANCELLED,
        "interrupted twice; the video is not finished");
    g_main_loop_quit (run->loop);
    return G_SOURCE_CONTINUE;
  }
  run->interrupted = TRUE;
  g_printerr ("%s: interrupted, finishing the files\n", g_get_prgname ());
  tag_pipeline_end_early (&run->tag);
  return G_SOURCE_CONTINUE;
}

/* -------------------------------------------------------------- summary */

static gint
compare_tops (gconstpointer a, gconstpointer b, gpointer tops)
{
  const TagTop *x = g_hash_table_lookup (tops, a);
  const TagTop *y = g_hash_table_lookup (tops, b);

  return (x->frames < y->frames) - (x->frames > y->frames);
}

static void
print_summary (Run *run, const gchar *json_location)
{
  TagSeen *seen = &run->tag.seen;
  g_autoptr (GList) tops = g_hash_table_get_keys (seen->tops);
  guint shown = 0;

  tops = g_list_sort_with_data (tops, compare_tops, seen->tops);
  printf ("%" G_GUINT64_FORMAT " frames in %.1f s\n", seen->frames,
      (gdouble) (g_get_monotonic_time () - run->start) / G_USEC_PER_SEC);
  for (GList *l = tops; l && shown < MOST_SEEN; l = l->next, shown++) {
    const TagTop *top = g_hash_table_lookup (seen->tops, l->data);

    printf ("  %-24s first in %3.0f%% of the frames, mean score %.2f\n",
        (gchar *) l->data,
        100.0 * (gdouble) top->frames / (gdouble) seen->frames,
        top->score_sum / (gdouble) top->frames);
  }
  printf ("%s\n%s\n", run->tag.video_location, json_location);
}

/* ----------------------------------------------------------------- main */

static gchar *
find_uri (const gchar *video, GError **error)
{
  if (gst_uri_is_valid (video))
    return g_strdup (video);
  if (!g_file_test (video, G_FILE_TEST_EXISTS)) {
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
        "there is no file \"%s\"", video);
    return NULL;
  }
  if (g_file_test (video, G_FILE_TEST_IS_DIR)) {
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_ISDIR,
        "\"%s\" is a folder, not a video", video);
    return NULL;
  }
  return gst_filename_to_uri (video, error);
}

static gchar *
make_output_folder (const gchar *video, GError **error)
{
  g_autofree gchar *base = g_path_get_basename (video);
  gchar *dot = strrchr (base, '.');
  gchar *folder;

  if (dot && dot != base)
    *dot = '\0';
  folder = output ? g_strdup (output) : g_strconcat (base, "-tagged", NULL);
  if (g_mkdir_with_parents (folder, 0777) == 0)
    return folder;
  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno),
      "the folder \"%s\" could not be made: %s", folder, g_strerror (errno));
  g_free (folder);
  return NULL;
}

static void
play (Run *run)
{
  g_autoptr (GstBus) bus =
      gst_pipeline_get_bus (GST_PIPELINE (run->tag.pipeline));
  const guint watch = gst_bus_add_watch (bus, on_message, run);
  const guint timer = g_timeout_add (PROGRESS_MS, show_progress, run);
  const guint signals[] = { g_unix_signal_add (SIGINT, on_signal, run),
    g_unix_signal_add (SIGTERM, on_signal, run) };

  run->start = g_get_monotonic_time ();
  run->on_terminal = isatty (STDERR_FILENO);
  run->loop = g_main_loop_new (NULL, FALSE);
  gst_element_set_state (run->tag.pipeline, GST_STATE_PLAYING);
  g_main_loop_run (run->loop);
  hide_bar (run);
  gst_element_set_state (run->tag.pipeline, GST_STATE_NULL);
  g_source_remove (watch);
  g_source_remove (timer);
  for (guint i = 0; i < G_N_ELEMENTS (signals); i++)
    g_source_remove (signals[i]);
  g_main_loop_unref (run->loop);
}

static gboolean
tag (const gchar *video, gboolean *interrupted, GError **error)
{
  const gchar *const texts[] = { labels, NULL };
  g_autofree gchar *uri = find_uri (video, error);
  g_autofree gchar *folder = NULL, *json = NULL, *stem = NULL;
  Run run = { { NULL } };
  gboolean ok;

  if (!uri || !program_check_utf8 (texts, error))
    return FALSE;
  folder = make_output_folder (video, error);
  if (!folder)
    return FALSE;
  json = g_build_filename (folder, "labels.jsonl", NULL);
  stem = g_build_filename (folder, "annotated", NULL);
  ok = tag_pipeline_init (&run.tag,
      &(TagParams){ .uri = uri,
          .model = model_name,
          .labels = labels,
          .labels_file = labels_file,
          .json_location = json,
          .video_location_stem = stem },
      error);
  if (ok) {
    play (&run);
    if (run.tag.seen.frames == 0 && !run.error)
      g_set_error_literal (&run.error, G_IO_ERROR, G_IO_ERROR_FAILED,
          run.interrupted ? "interrupted before the first frame"
                          : "the video has no frames");
    ok = run.error == NULL;
    if (ok)
      print_summary (&run, json);
    else /* without its index a video cannot be played */
      g_unlink (run.tag.video_location);
  }
  *interrupted = run.interrupted;
  if (run.error)
    g_propagate_error (error, run.error);
  g_free (run.missing);
  tag_pipeline_clear (&run.tag);
  return ok && program_finish_output (error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  gboolean interrupted = FALSE;

  gst_init (&argc, &argv);
  gst_pb_utils_init ();
  if (!program_parse (&argc, &argv, entries, "VIDEO",
          "Scores every frame of a video against labels. Writes the scores, "
          "one JSON\nobject a frame, to labels.jsonl, and the video with "
          "labels and bars drawn on it\nto annotated.mp4 (or .webm)."))
    return PROGRAM_USAGE;
  if (argc != 2)
    return program_usage ("%s",
        argc < 2 ? "no video is named" : "more than one video is named");
  if (!tag (argv[1], &interrupted, &error))
    return program_fail (error);
  return interrupted ? PROGRAM_INTERRUPTED : 0;
}
