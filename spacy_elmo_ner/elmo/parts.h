/* Work that is dealt out to threads which never wait for each other. */

#ifndef PARTS_H
#define PARTS_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#define INLINE static inline __attribute__((always_inline, unused))

INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* Runs work(context, 0..n-1), the last of them here and the others on threads of their own. */
struct job {
    void (*work)(void *, int);
    void *context;
    int number;
};

static void *run_job(void *argument) {
    struct job *job = argument;
    job->work(job->context, job->number);
    return NULL;
}

#define MOST_PARTS 16

__attribute__((unused)) static void run_parts(void (*work)(void *, int), void *context, int n, int threads) {
    struct job jobs[MOST_PARTS];
    pthread_t ids[MOST_PARTS];
    int started[MOST_PARTS] = {0};
    for (int i = 0; i < n; i++) jobs[i] = (struct job){work, context, i};
    if (threads > 1)
        for (int i = 0; i < n - 1; i++)
            started[i] = pthread_create(&ids[i], NULL, run_job, &jobs[i]) == 0;
    for (int i = n - 1; i >= 0; i--)
        if (!started[i]) run_job(&jobs[i]);
    for (int i = 0; i < n - 1; i++)
        if (started[i]) pthread_join(ids[i], NULL);
}

#endif
