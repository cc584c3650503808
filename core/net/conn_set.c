#include "core/net/conn_set.h"

#include "core/base/mem.h"
#include "core/net/conn_impl.h"
#include "core/net/linger.h"

static void on_callback_end(struct loop *loop, void *arg)
{
    (void)loop;
    conn_set_settle(arg);
}

static void reap(struct loop *loop, void *arg)
{
    struct conn_set *set = arg;
    struct conn *conn;
    (void)loop;
    while ((conn = TAILQ_FIRST(&set->gone))) {
        TAILQ_REMOVE(&set->gone, conn, in_gone);
        conn_free(conn);
        conn_set_settle(set); /* `closed` may have written to others, even ended them */
    }
}

struct conn_set *conn_set_new(struct loop *loop, struct server *server)
{
    struct conn_set *set = mem_new(sizeof *set);
    set->loop = loop;
    set->server = server;
    set->lingering = linger_set_new(loop);
    set->again_post.run = conn_on_again;
    TAILQ_INIT(&set->all);
    TAILQ_INIT(&set->strangers);
    TAILQ_INIT(&set->dirty);
    TAILQ_INIT(&set->again);
    TAILQ_INIT(&set->gone);
    loop_at_callback_end(loop, on_callback_end, set);
    loop_at_turn_end(loop, reap, set);
    return set;
}

void conn_set_free(struct conn_set *set)
{
    if (!set)
        return;
    conn_set_close(set, CONN_END_SHUTDOWN);
    reap(set->loop, set);
    linger_set_free(set->lingering);
    mem_free(set);
}

static void leave(struct conn *conn, enum conn_end why)
{
    if (conn->phase == PHASE_OPEN && conn->opened && !conn->finishing) {
        conn_protocol(conn)->leave(conn, why);
        conn_dirty(conn);
    } else if (!conn->finishing) {
        conn_kill(conn, why);
    }
}

void conn_set_leave(struct conn_set *set, enum conn_end why)
{
    struct conn *conn;
    TAILQ_FOREACH(conn, &set->all, in_all)
    leave(conn, why); /* none is freed before the turn ends */
}

void conn_set_close(struct conn_set *set, enum conn_end why)
{
    struct conn *conn;
    TAILQ_FOREACH(conn, &set->all, in_all) conn_kill(conn, why);
}

unsigned conn_set_shed(struct conn_set *set, unsigned n)
{
    unsigned shed = 0;
    struct conn *conn;
    TAILQ_FOREACH(conn, &set->strangers, in_strangers)
    {
        if (shed == n)
            break;
        if (conn_closing(conn))
            continue;
        leave(conn, CONN_END_SHED);
        shed++;
    }
    return shed;
}
