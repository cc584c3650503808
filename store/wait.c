/* Waiting for one write on a thread that is not a loop's: tools and tests. */
#include "store/store.h"

#include <pthread.h>

#include "core/base/mem.h"

struct store_wait {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool done;
    struct store_result result;
};

struct store_wait *store_wait_new(void)
{
    struct store_wait *wait = mem_new(sizeof *wait);
    pthread_mutex_init(&wait->lock, NULL);
    pthread_cond_init(&wait->wake, NULL);
    return wait;
}

static void wait_done(void *arg, const struct store_result *result)
{
    struct store_wait *wait = arg;
    struct store_result *to = &wait->result;
    pthread_mutex_lock(&wait->lock);
    *to = *result;
    to->source = to->dest = to->changed = to->same = (struct uidset){0};
    to->modified = to->foreign = to->missing = (struct uidset){0};
    uidset_copy(&to->source, &result->source);
    uidset_copy(&to->dest, &result->dest);
    uidset_copy(&to->changed, &result->changed);
    uidset_copy(&to->same, &result->same);
    uidset_copy(&to->modified, &result->modified);
    uidset_copy(&to->foreign, &result->foreign);
    uidset_copy(&to->missing, &result->missing);
    to->arrivals = result->narrivals
                       ? mem_dup(result->arrivals, result->narrivals * sizeof *to->arrivals)
                       : NULL;
    wait->done = true;
    pthread_cond_signal(&wait->wake);
    pthread_mutex_unlock(&wait->lock);
}

struct store_to store_wait_to(struct store_wait *wait)
{
    return (struct store_to){.id = (uint64_t)(uintptr_t)wait, .done = wait_done};
}

enum err store_wait(struct store_wait *wait, struct store_result *ret)
{
    pthread_mutex_lock(&wait->lock);
    while (!wait->done)
        pthread_cond_wait(&wait->wake, &wait->lock);
    pthread_mutex_unlock(&wait->lock);
    enum err e = wait->result.err;
    if (ret)
        *ret = wait->result;
    else
        store_result_finish(&wait->result);
    pthread_mutex_destroy(&wait->lock);
    pthread_cond_destroy(&wait->wake);
    mem_free(wait);
    return e;
}
