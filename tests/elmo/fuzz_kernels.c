/* Layers of random shapes for a build with sanitizers: each array has exactly its size. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "prediction.c"

int64_t use_tiles(const int64_t *wanted);

static int64_t upto(int64_t n) { return 1 + rand() % n; }

static float *numbers(int64_t n) {
    float *values = malloc(n * sizeof(float));
    for (int64_t i = 0; i < n; i++) values[i] = rand() / (float)RAND_MAX - 0.5f;
    return values;
}

int main(int argc, char **argv) {
    int n_layers = argc > 1 ? atoi(argv[1]) : 100;
    int64_t n_tokens = 0;
    double sum = 0;
    use_tiles(&(int64_t){1});
    for (int i = 0; i < n_layers; i++) {
        srand(i);
        struct prediction c = {0};
        int projected = rand() % 2;
        int64_t n_in = upto(40), units = upto(70), n_out = projected ? upto(50) : units;
        int64_t n_steps = upto(9), sizes[9], n = 0;
        for (int64_t t = 0; t < n_steps; t++) {
            sizes[t] = t ? upto(sizes[t - 1]) : upto(60);
            n += sizes[t];
        }
        float *own[] = {numbers(4 * units * n_in), numbers(4 * units * n_out), numbers(4 * units),
                        projected ? numbers(n_out * units) : NULL};
        c.layer = (struct layer){n_in, n_out, units, own[0], own[1], own[2], own[3]};
        c.kind = rand() % (prediction_kind() + 1);
        c.cell_clip = rand() % 2 ? 0.1f : INFINITY;
        c.proj_clip = rand() % 2 ? 0.1f : INFINITY;
        c.packed = malloc(prediction_packed_floats(&c) * sizeof(float));
        prediction_pack(&c);
        int64_t n_floats = prediction_packed_floats(&c);
        uint16_t *halves = malloc(n_floats * sizeof *halves);
        for (int64_t k = 0; k < n_floats; k++) halves[k] = 0x2c00 + rand() % 1024; /* about 0.1 */
        if (c.kind && rand() % 2) c.halves = halves;
        for (int k = 0; k < 3; k++) free(own[k]);
        c.n_steps = n_steps, c.sizes = sizes, c.n_packed = n, c.n_parts = upto(3);
        c.n_inputs = n + rand() % 3, c.n_outputs = n + rand() % 3;
        c.input_stride = n_in + rand() % 5, c.output_stride = n_out + rand() % 5;
        /* The last row ends with its last value. */
        float *inputs = numbers((c.n_inputs - 1) * c.input_stride + n_in);
        float *outputs = numbers((c.n_outputs - 1) * c.output_stride + n_out);
        int64_t *reads = malloc(n * sizeof *reads), *writes = malloc(n * sizeof *writes);
        for (int64_t k = 0; k < n; k++) reads[k] = rand() % c.n_inputs, writes[k] = n - 1 - k;
        c.inputs = inputs, c.outputs = outputs;
        c.reads = rand() % 2 ? reads : NULL, c.writes = rand() % 2 ? writes : NULL;
        float *h0 = numbers(sizes[0] * n_out), *c0 = numbers(sizes[0] * units);
        if (rand() % 2) c.h0 = h0, c.c0 = c0;
        c.last_cells = malloc(sizes[0] * units * sizeof(float));
        if (predict(&c)) return 2;
        for (int64_t k = 0; k < n; k++)
            for (int64_t j = 0; j < n_out; j++) sum += outputs[k * c.output_stride + j];
        for (int64_t k = 0; k < sizes[0] * units; k++) sum += c.last_cells[k];
        c.sizes = (int64_t[]){n + 1}, c.n_steps = 1;
        if (predict(&c) != 1) return 3;
        n_tokens += n;
        free(inputs), free(outputs), free(reads), free(writes), free(h0), free(c0);
        free(own[3]), free(c.packed), free(halves), free(c.last_cells);
    }
    if (sum != sum) return 4;
    printf("%d layers of %lld tokens\n", n_layers, (long long)n_tokens);
    return 0;
}
