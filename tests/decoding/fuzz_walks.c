/* Walks batches of random shapes and scores; built with sanitizers by test_walks.py. */

#include <stdio.h>
#include <stdlib.h>

#include "walks.c"

static int64_t upto(int64_t n) { return 1 + rand() % n; }

/* Some are -inf: labels that a constraint forbids. */
static double *numbers(int64_t n) {
    double *values = malloc(n * sizeof *values);
    for (int64_t i = 0; i < n; i++)
        values[i] = rand() % 20 ? (rand() % 2000 - 1000) / 10.0 : -INFINITY;
    return values;
}

int main(int argc, char **argv) {
    int n_batches = argc > 1 ? atoi(argv[1]) : 100;
    int64_t n_all = 0;
    for (int i = 0; i < n_batches; i++) {
        srand(i);
        int64_t n_docs = upto(5), lengths[5], n = 0, n_types = rand() % 5, n_labels = 1 + 2 * n_types;
        for (int64_t d = 0; d < n_docs; d++) n += lengths[d] = rand() % 7;
        double *parts[] = {numbers(n_types + 1), numbers(4 * n_types), numbers(n_types),
                           numbers(2 * n_types), numbers(n_types + 1), numbers(n_labels)};
        double *scores = numbers(n * n_labels), totals[5];
        double *forward = malloc(n * n_labels * sizeof(double));
        double *backward = malloc(n * n_labels * sizeof(double));
        int32_t *before = malloc(n * n_labels * sizeof(int32_t));
        int64_t *path = malloc(n * sizeof(int64_t));
        struct walk w = {n_docs,   n_types,  lengths,  scores,   parts[0], parts[1], parts[2], parts[3],
                         parts[4], parts[5], forward, backward, totals,   before,   path};
        walk_forward(&w), walk_backward(&w);
        for (int64_t k = 0; k < n * n_labels; k++)
            if (forward[k] != forward[k] || backward[k] != backward[k]) return 2;
        walk_best(&w);
        for (int64_t k = 0; k < n; k++)
            if (path[k] < 0 || path[k] >= n_labels) return 3;
        n_all += n;
        for (int k = 0; k < 6; k++) free(parts[k]);
        free(scores), free(forward), free(backward), free(before), free(path);
    }
    printf("%d batches of %lld tokens\n", n_batches, (long long)n_all);
    return 0;
}
