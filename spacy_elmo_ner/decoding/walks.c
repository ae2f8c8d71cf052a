/* Walks documents label by label under transitions between BIO labels: `walks.py` calls it.

Labels are "O", "B-x", "I-x", "B-y", "I-y", ... The fields are those of `BIOTransitions`, whose
comments say which scores there are. Each document is walked alone and in its order.
*/

#include <math.h>
#include <stdint.h>

struct walk {
    int64_t n_docs, n_types;
    const int64_t *lengths;                                       /* (n_docs,) */
    const double *scores;                                         /* (n_tokens, n_labels) */
    const double *outside, *leave, *enter, *inside, *start, *end; /* see BIOTransitions */
    double *forward, *backward;                                   /* (n_tokens, n_labels) */
    double *totals;                                               /* (n_docs,) */
    int32_t *before;                                              /* (n_tokens, n_labels) */
    int64_t *path;                                                /* (n_tokens,) */
};

static double log_add(double a, double b) {
    double high = a > b ? a : b, low = a > b ? b : a;
    return low == -INFINITY ? high : high + log1p(exp(low - high));
}

/* log(sum(exp(x[i * step] + y[i * y_step]))) for i below n */
static double log_sum(const double *x, int64_t step, const double *y, int64_t y_step, int64_t n) {
    double highest = -INFINITY, sum = 0;
    for (int64_t i = 0; i < n; i++) {
        double score = x[i * step] + y[i * y_step];
        if (score > highest) highest = score;
    }
    if (highest == -INFINITY) return highest;
    for (int64_t i = 0; i < n; i++) sum += exp(x[i * step] + y[i * y_step] - highest);
    return highest + log(sum);
}

/* The scores of a document's first token. */
static void begin(const struct walk *w, const double *scores, double *to) {
    to[0] = scores[0] + w->start[0];
    for (int64_t x = 0; x < w->n_types; x++) {
        to[1 + 2 * x] = scores[1 + 2 * x] + w->start[1 + x];
        to[2 + 2 * x] = -INFINITY;
    }
}

/* Fills in forward, and the log of the sum over all sequences of each document. */
int64_t walk_forward(const struct walk *w) {
    int64_t n_labels = 1 + 2 * w->n_types;
    const double *scores = w->scores;
    double *to = w->forward;
    for (int64_t doc = 0; doc < w->n_docs; doc++) {
        w->totals[doc] = 0;
        for (int64_t t = 0; t < w->lengths[doc]; t++, scores += n_labels, to += n_labels) {
            if (t == 0) {
                begin(w, scores, to);
                continue;
            }
            const double *from = to - n_labels;
            double to_outside = log_sum(from + 1, 1, w->leave, 2, n_labels - 1);
            double to_begin = log_sum(from + 1, 1, w->leave + 1, 2, n_labels - 1);
            to[0] = scores[0] + log_add(from[0] + w->outside[0], to_outside);
            for (int64_t x = 0; x < w->n_types; x++) {
                int64_t b = 1 + 2 * x, i = b + 1;
                to[b] = scores[b] + log_add(from[0] + w->outside[1 + x], to_begin + w->enter[x]);
                to[i] = scores[i] +
                        log_add(from[b] + w->inside[2 * x], from[i] + w->inside[2 * x + 1]);
            }
        }
        if (w->lengths[doc]) w->totals[doc] = log_sum(to - n_labels, 1, w->end, 1, n_labels);
    }
    return 0;
}

/* Fills in backward: the log of the sum over what may follow each label. */
int64_t walk_backward(const struct walk *w) {
    int64_t n_labels = 1 + 2 * w->n_types, n_tokens = 0;
    for (int64_t doc = 0; doc < w->n_docs; doc++) n_tokens += w->lengths[doc];
    const double *scores = w->scores + n_tokens * n_labels;
    double *to = w->backward + n_tokens * n_labels;
    for (int64_t doc = w->n_docs - 1; doc >= 0; doc--)
        for (int64_t t = w->lengths[doc] - 1; t >= 0; t--) {
            const double *next = to, *next_scores = scores;
            scores -= n_labels, to -= n_labels;
            if (t == w->lengths[doc] - 1) {
                for (int64_t l = 0; l < n_labels; l++) to[l] = w->end[l];
                continue;
            }
            double outside = next[0] + next_scores[0];
            double entered = -INFINITY, begun = -INFINITY;
            for (int64_t x = 0; x < w->n_types; x++) {
                double ahead = next[1 + 2 * x] + next_scores[1 + 2 * x];
                begun = log_add(begun, ahead + w->outside[1 + x]);
                entered = log_add(entered, ahead + w->enter[x]);
            }
            to[0] = log_add(outside + w->outside[0], begun);
            for (int64_t j = 0; j < n_labels - 1; j++) {
                int64_t i = j / 2 * 2 + 2;
                double left = log_add(outside + w->leave[2 * j], entered + w->leave[2 * j + 1]);
                to[1 + j] = log_add(left, next[i] + next_scores[i] + w->inside[j]);
            }
        }
    return 0;
}

/* Fills in path and the best sequence's score of each document; overwrites forward and before. Of
equal scores the lowest label wins. */
int64_t walk_best(const struct walk *w) {
    int64_t n_labels = 1 + 2 * w->n_types, first = 0;
    for (int64_t doc = 0; doc < w->n_docs; first += w->lengths[doc++]) {
        int64_t n = w->lengths[doc];
        w->totals[doc] = 0;
        if (!n) continue;
        const double *scores = w->scores + first * n_labels;
        double *best = w->forward + first * n_labels;
        int32_t *before = w->before + first * n_labels;
        begin(w, scores, best);
        for (int64_t t = 1; t < n; t++) {
            const double *from = best;
            scores += n_labels, best += n_labels, before += n_labels;
            double to_outside = -INFINITY, to_begin = -INFINITY;
            int32_t outside_from = 1, begin_from = 1;
            for (int32_t l = 1; l < n_labels; l++) {
                double to = from[l] + w->leave[2 * l - 2], on = from[l] + w->leave[2 * l - 1];
                if (to > to_outside) to_outside = to, outside_from = l;
                if (on > to_begin) to_begin = on, begin_from = l;
            }
            double stays = from[0] + w->outside[0];
            int leaves = to_outside > stays;
            best[0] = scores[0] + (leaves ? to_outside : stays);
            before[0] = leaves ? outside_from : 0;
            for (int64_t x = 0; x < w->n_types; x++) {
                int32_t b = (int32_t)(1 + 2 * x), i = b + 1;
                double enters = from[0] + w->outside[1 + x], follows = to_begin + w->enter[x];
                best[b] = scores[b] + (follows > enters ? follows : enters);
                before[b] = follows > enters ? begin_from : 0;
                double second = from[b] + w->inside[2 * x], later = from[i] + w->inside[2 * x + 1];
                best[i] = scores[i] + (later > second ? later : second);
                before[i] = later > second ? i : b;
            }
        }
        int64_t label = 0;
        double total = best[0] + w->end[0];
        for (int64_t l = 1; l < n_labels; l++)
            if (best[l] + w->end[l] > total) total = best[l] + w->end[l], label = l;
        w->totals[doc] = total;
        for (int64_t t = n - 1; t >= 0; t--, before -= n_labels) {
            w->path[first + t] = label;
            if (t) label = before[label];
        }
    }
    return 0;
}
