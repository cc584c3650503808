#include "tests/lib/later.h"

#include "core/base/mem.h"
#include "core/net/loop.h"

struct completion {
    struct post post;
    struct store_to to;
    struct store_result result;
    void (*call)(void *object);
    unsigned turns; /* still to pass */
};

static void run(struct loop *loop, struct post *post)
{
    struct completion *c = (struct completion *)post;
    if (c->turns) {
        c->turns--;
        loop_post(loop, post);
        return;
    }
    void *object = loop_id_find(loop, c->to.id);
    if (object && c->call)
        c->call(object);
    else if (object)
        c->to.done(object, &c->result);
    mem_free(c->result.arrivals);
    mem_free(c);
}

void later(struct store_to to, const struct store_result *result)
{
    struct completion *c = mem_new(sizeof *c);
    c->post.run = run;
    c->to = to;
    c->result = *result;
    c->turns = 1; /* calls made at the same time come before it */
    if (result->narrivals)
        c->result.arrivals =
            mem_dup(result->arrivals, result->narrivals * sizeof *result->arrivals);
    loop_post(to.loop, &c->post);
}

void later_call(struct loop *loop, uint64_t id, void (*call)(void *object))
{
    struct completion *c = mem_new(sizeof *c);
    c->post.run = run;
    c->to = (struct store_to){.loop = loop, .id = id};
    c->call = call;
    loop_post(loop, &c->post);
}
