/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * clip-bench: how long a picture and a text take, beside the bare matrix
 * products of the same shapes. Looks inside the engine, so that nothing but
 * the towers is timed.
 */
#include "engine/encoder.h"
#include "examples/common.h"

#include <cblas.h>
#include <json-glib/json-glib.h>
#include <stdio.h>

/* Tokens of the text that is timed: a label in a template. */
#define TEXT_TOKENS 16
/* Runs in a row on one side before the other side has its turn. */
#define TURN 5
/* OpenBLAS's threads spin for a while after a call, and would take the
 * processor from what is timed next. */
#define SPIN_MS 40

static gchar *model_name, *arch_name, *backend, *device, *precision;
static ClipPrecision bits;
static gint batch = 1, n_threads;
static gdouble seconds = 4;
static gboolean as_json;

static const GOptionEntry entries[] = {
  { "model", 'm', 0, G_OPTION_ARG_FILENAME, &model_name,
      "Model folder, weight file or cached Hugging Face id "
      "(default: the starter model)",
      "MODEL" },
  { "arch", 'a', 0, G_OPTION_ARG_STRING, &arch_name,
      "Instead: random weights of ViT-B-32, ViT-B-16 or ViT-L-14", "NAME" },
  { "backend", 'b', 0, G_OPTION_ARG_STRING, &backend, "auto, vulkan or cpu",
      "NAME" },
  { "device", 'd', 0, G_OPTION_ARG_STRING, &device,
      "Index, UUID or part of the name of the GPU", "WHICH" },
  { "precision", 'p', 0, G_OPTION_ARG_STRING, &precision, "auto, f32 or f16",
      "BITS" },
  { "batch", 'n', 0, G_OPTION_ARG_INT, &batch, "Images at a time (default: 1)",
      "N" },
  { "threads", 't', 0, G_OPTION_ARG_INT, &n_threads,
      "Threads to compute on (default: 0, one a processor)", "N" },
  { "time", 0, 0, G_OPTION_ARG_DOUBLE, &seconds,
      "How long to measure (default: 4)", "SECONDS" },
  { "json", 'j', 0, G_OPTION_ARG_NONE, &as_json, "Print one JSON object",
      NULL },
  { NULL }
};

/* One product of the image tower: out [m x n] = a [m x k] * w^T [n x k]. */
typedef struct {
  blasint m, n, k;
  gfloat *weight;
} Product;

typedef struct {
  GArray *products; /* of Product */
  gfloat *in, *out;
} Bare;

typedef struct {
  GArray *image_ms, *gemm_ms, *text_ms; /* gdouble, a picture or text each */
} Samples;

static gfloat *
random_floats (gsize n)
{
  gfloat *values = g_new (gfloat, n);
  guint32 state = 1;

  for (gsize i = 0; i < n; i++) {
    state = state * 1664525u + 1013904223u;
    values[i] = (gfloat) (gint32) state * 0x1p-36f;
  }
  return values;
}

static void
clear_product (gpointer product)
{
  g_free (((Product *) product)->weight);
}

/* Each product has weights of its own, so that they come from where the
 * tower's come from and not out of a cache. */
static void
bare_init (Bare *bare, const ClipPlan *plan, guint n_images)
{
  gsize longest_in = 1, longest_out = 1;

  bare->products = g_array_new (FALSE, FALSE, sizeof (Product));
  g_array_set_clear_func (bare->products, clear_product);
  for (guint i = 0; i < plan->ops->len; i++) {
    const ClipOp *op = &g_array_index (plan->ops, ClipOp, i);
    Product product;

    if (op->kind != CLIP_OP_GEMM)
      continue;
    product.m =
        (blasint) (clip_plan_get_tensor (plan, op->out)->rows * n_images);
    product.n = (blasint) clip_plan_get_tensor (plan, op->out)->columns;
    product.k = (blasint) clip_plan_get_tensor (plan, op->a)->columns;
    product.weight = random_floats ((gsize) product.n * product.k);
    longest_in = MAX (longest_in, (gsize) product.m * product.k);
    longest_out = MAX (longest_out, (gsize) product.m * product.n);
    g_array_append_val (bare->products, product);
  }
  bare->in = random_floats (longest_in);
  bare->out = g_new0 (gfloat, longest_out);
}

static void
bare_clear (Bare *bare)
{
  g_array_unref (bare->products);
  g_free (bare->in);
  g_free (bare->out);
}

static void
bare_run (const Bare *bare)
{
  for (guint i = 0; i < bare->products->len; i++) {
    const Product *p = &g_array_index (bare->products, Product, i);

    cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasTrans, p->m, p->n, p->k, 1,
        bare->in, p->k, p->weight, p->k, 0, bare->out, p->n);
  }
}

static gint
compare_doubles (gconstpointer a, gconstpointer b)
{
  const gdouble x = *(const gdouble *) a, y = *(const gdouble *) b;

  return (x > y) - (x < y);
}

static gdouble
median (GArray *values)
{
  g_array_sort (values, compare_doubles);
  return (g_array_index (values, gdouble, (values->len - 1) / 2)
             + g_array_index (values, gdouble, values->len / 2))
      / 2;
}

static void
add_sample (GArray *samples, gint64 start, guint n)
{
  const gdouble ms = (gdouble) (g_get_monotonic_time () - start) / 1000 / n;

  g_array_append_val (samples, ms);
}

static gboolean
time_images (ClipEncoder *encoder, ClipJob **jobs, GArray *samples,
    GError **error)
{
  /* One more than is timed: the first finds cold caches. */
  for (guint turn = 0; turn <= TURN; turn++) {
    const gint64 start = g_get_monotonic_time ();

    for (guint first = 0; first < (guint) batch; first += encoder->max_batch)
      if (!clip_encoder_run_jobs (encoder, jobs + first,
              MIN (encoder->max_batch, (guint) batch - first), error))
        return FALSE;
    if (turn > 0)
      add_sample (samples, start, (guint) batch);
  }
  return TRUE;
}

static void
time_bare (const Bare *bare, guint threads, GArray *samples)
{
  const gint engine_threads = openblas_get_num_threads ();

  openblas_set_num_threads ((gint) threads);
  for (guint turn = 0; turn <= TURN; turn++) {
    const gint64 start = g_get_monotonic_time ();

    bare_run (bare);
    if (turn > 0)
      add_sample (samples, start, (guint) batch);
  }
  openblas_set_num_threads (engine_threads);
  g_usleep (SPIN_MS * 1000);
}

static gboolean
time_texts (ClipEncoder *encoder, const ClipTower *tower, guint tokens,
    GArray *samples, GError **error)
{
  g_autofree gint32 *ids = g_new0 (gint32, tokens);
  const gint32 last = (gint32) tokens - 1;
  gconstpointer inputs[2] = { ids, &last };

  for (guint i = 0; i < tokens; i++)
    ids[i] = (gint32) i;
  for (guint turn = 0; turn <= TURN; turn++) {
    const gint64 start = g_get_monotonic_time ();

    if (!encoder->backend->ops->run (tower->program, 1, inputs,
            (gpointer[]){ encoder->results }, NULL, NULL, error))
      return FALSE;
    if (turn > 0)
      add_sample (samples, start, 1);
  }
  return TRUE;
}

static gboolean
measure (ClipEncoder *encoder, ClipJob **jobs, const Bare *bare, guint threads,
    const ClipTower *text, guint tokens, Samples *samples, GError **error)
{
  const gint64 end =
      g_get_monotonic_time () + (gint64) (seconds * G_USEC_PER_SEC);

  do {
    time_bare (bare, threads, samples->gemm_ms);
    if (!time_images (encoder, jobs, samples->image_ms, error)
        || !time_texts (encoder, text, tokens, samples->text_ms, error))
      return FALSE;
    g_usleep (SPIN_MS * 1000);
  } while (g_get_monotonic_time () < end);
  return TRUE;
}

static void
print_json (ClipEncoder *encoder, guint threads, guint tokens, gdouble image,
    gdouble text, gdouble gemm)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree gchar *line = NULL;
  const struct {
    const gchar *key, *value;
  } strings[] = {
    { "arch", clip_model_get_name (encoder->model) },
    { "backend", clip_encoder_get_backend (encoder) },
    { "device", clip_encoder_get_description (encoder) },
    { "openblas_corename", openblas_get_corename () },
  };
  const struct {
    const gchar *key;
    gdouble value;
  } numbers[] = { { "batch", batch }, { "threads", threads },
    { "image_ms", image }, { "images_per_s", 1000 / image },
    { "gemm_ms", gemm }, { "image_over_gemm", image / gemm },
    { "text_ms", text }, { "text_tokens", tokens } };

  json_builder_begin_object (builder);
  for (guint i = 0; i < G_N_ELEMENTS (strings); i++) {
    json_builder_set_member_name (builder, strings[i].key);
    json_builder_add_string_value (builder, strings[i].value);
  }
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++) {
    const gint64 whole = (gint64) numbers[i].value;

    json_builder_set_member_name (builder, numbers[i].key);
    if ((gdouble) whole == numbers[i].value)
      json_builder_add_int_value (builder, whole);
    else
      json_builder_add_double_value (builder, numbers[i].value);
  }
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  line = json_to_string (root, FALSE);
  puts (line);
}

static void
print_table (ClipEncoder *encoder, guint threads, guint tokens, gdouble image,
    gdouble text, gdouble gemm)
{
  printf ("%s on %s, batch %d\n", clip_model_get_name (encoder->model),
      clip_encoder_get_description (encoder), batch);
  printf ("  image     %9.3f ms  %9.1f images/s\n", image, 1000 / image);
  printf ("  its gemms %9.3f ms  bare cblas_sgemm, OpenBLAS %s, %u threads: "
          "the image takes %.2f times as long\n",
      gemm, openblas_get_corename (), threads, image / gemm);
  printf ("  text      %9.3f ms  %u tokens\n", text, tokens);
}

static ClipJob **
make_jobs (ClipEncoder *encoder, GError **error)
{
  const guint size = clip_model_get_spec (encoder->model)->image_size;
  g_autofree guint8 *pixels = g_malloc ((gsize) size * size * 3);
  ClipJob **jobs = g_new0 (ClipJob *, batch);
  const ClipImage image = { .format = CLIP_PIXEL_RGB,
    .width = size,
    .height = size,
    .planes = { pixels },
    .strides = { (gint) size * 3 },
    .full_range = TRUE };

  for (gsize i = 0; i < (gsize) size * size * 3; i++)
    pixels[i] = (guint8) (i * 7 + i / size * 3);
  for (gint i = 0; i < batch; i++) {
    jobs[i] = clip_job_new (encoder);
    if (!clip_job_set_image (jobs[i], &image, CLIP_RESIZE_AUTO, error)) {
      while (i >= 0)
        clip_job_free (jobs[i--]);
      g_free (jobs);
      return NULL;
    }
  }
  return jobs;
}

static gboolean
bench (ClipEncoder *encoder, GError **error)
{
  const guint threads =
      n_threads > 0 ? (guint) n_threads : g_get_num_processors ();
  const guint tokens =
      MIN (TEXT_TOKENS, clip_model_get_context (encoder->model));
  ClipTower text = { NULL };
  Bare bare;
  Samples samples = { g_array_new (FALSE, FALSE, sizeof (gdouble)),
    g_array_new (FALSE, FALSE, sizeof (gdouble)),
    g_array_new (FALSE, FALSE, sizeof (gdouble)) };
  ClipJob **jobs = make_jobs (encoder, error);
  gboolean ok;

  bare_init (&bare, encoder->image.plan, (guint) batch);
  ok = jobs
      && clip_tower_init (&text, encoder->model, encoder->backend,
          clip_tower_text (clip_model_get_spec (encoder->model), 1, tokens,
              FALSE),
          error)
      && measure (encoder, jobs, &bare, threads, &text, tokens, &samples,
          error);
  if (ok)
    (as_json ? print_json : print_table) (encoder, threads, tokens,
        median (samples.image_ms), median (samples.text_ms),
        median (samples.gemm_ms));

  for (gint i = 0; jobs && i < batch; i++)
    clip_job_free (jobs[i]);
  g_free (jobs);
  if (text.program)
    clip_tower_clear (&text, encoder->backend);
  bare_clear (&bare);
  g_array_unref (samples.image_ms);
  g_array_unref (samples.gemm_ms);
  g_array_unref (samples.text_ms);
  return ok && program_finish_output (error);
}

static gboolean
run (GError **error)
{
  const ClipEncoderParams params = { .backend = backend,
    .n_threads = (guint) n_threads,
    .device = device,
    .precision = bits };
  g_autoptr (ClipModel) model = arch_name
      ? clip_model_new_random (arch_name, 1, error)
      : program_load_model (model_name, error);
  g_autoptr (ClipEncoder) encoder = NULL;

  if (!model)
    return FALSE;
  encoder = clip_encoder_new (model, &params, error);
  if (!encoder)
    return FALSE;
  if (clip_encoder_get_warning (encoder))
    g_printerr ("%s: %s\n", g_get_prgname (),
        clip_encoder_get_warning (encoder));
  return bench (encoder, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  if (!program_parse (&argc, &argv, entries, NULL,
          "Times a model: milliseconds for one image (of a batch) and one "
          "text, medians,\nbeside the time of the image tower's matrix "
          "products alone on the same number of\nthreads (gemm_ms, for one "
          "image), taken in turns in the same process."))
    return PROGRAM_USAGE;
  if (argc > 1)
    return program_usage ("\"%s\" is not an option", argv[1]);
  if (model_name && arch_name)
    return program_usage ("--model and --arch exclude each other");
  if (batch < 1 || batch > 4096)
    return program_usage ("--batch must be 1 to 4096");
  if (n_threads < 0 || n_threads > 1024)
    return program_usage ("--threads must be 0 to 1024");
  if (!program_parse_precision (precision, &bits))
    return program_usage ("--precision must be auto, f32 or f16");
  return run (&error) ? 0 : program_fail (error);
}
