/* Runs the parts on torch's own OpenMP threads where they are known, otherwise on threads made for
one call.

OpenMP's threads spin for some milliseconds when their work is done, ready for more. Threads of our
own beside them would find the cores taken: measured with two cores, a batch took 1.4 times as long.
*/

#include "parts.h"

#include <pthread.h>

/* `GOMP_parallel` of libgomp, which LLVM's OpenMP has as well: runs function(data) on each of up to
n_threads threads, this one included. */
typedef void team_function(void (*function)(void *), void *data, unsigned n_threads, unsigned flags);

static team_function *team = NULL;

int64_t parts_use_team(void *function) {
    team = (team_function *)function;
    return 0;
}

struct parts {
    void (*work)(void *, int);
    void *context;
    int n, next;
};

/* A team may be smaller than was asked for, so each thread takes parts as long as there are any. */
static void take_parts(void *argument) {
    struct parts *parts = argument;
    int i;
    while ((i = __atomic_fetch_add(&parts->next, 1, __ATOMIC_RELAXED)) < parts->n)
        parts->work(parts->context, i);
}

static void *take_parts_on_thread(void *argument) {
    take_parts(argument);
    return NULL;
}

void run_parts(void (*work)(void *, int), void *context, int n, int threads) {
    struct parts parts = {work, context, n, 0};
    int wanted = threads < n ? threads : n;
    if (wanted > MOST_PARTS) wanted = MOST_PARTS;
    if (wanted > 1 && team) {
        team(take_parts, &parts, (unsigned)wanted, 0);
        return;
    }
    pthread_t ids[MOST_PARTS];
    int started = 0;
    while (started < wanted - 1 &&
           pthread_create(&ids[started], NULL, take_parts_on_thread, &parts) == 0)
        started++;
    take_parts(&parts);
    for (int i = 0; i < started; i++) pthread_join(ids[i], NULL);
}
