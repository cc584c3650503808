/* What may be promised to whoever has not said yet which account is meant. */
#include "auth/state.h"
#include "core/base/clock.h"
#include "core/net/listen.h"

enum { BOUNDS_MS = 1000 }; /* looked for at most so often: it takes a walk over all overrides */

struct looking {
    struct auth_bounds *bounds;
    struct settings settings; /* the file's, with one value overridden */
    struct arena arena;
};

/* `never` is the longest of all. */
static bool is_shorter(int32_t days, int32_t than)
{
    return days >= 0 && (than < 0 || days < than);
}

static void see_expire(struct auth_bounds *b, int32_t days)
{
    b->expire_differs = b->expire_differs || days != b->expire_days;
    if (is_shorter(days, b->expire_days))
        b->expire_days = days;
}

static void see_delay(struct auth_bounds *b, uint32_t delay_s)
{
    b->delay_differs = b->delay_differs || delay_s != b->login_delay_s;
    if (delay_s > b->login_delay_s)
        b->login_delay_s = delay_s;
}

static bool look(void *arg, struct slice name, struct slice value)
{
    struct looking *l = arg;
    if (config_override(&l->settings, name, value, &l->arena, NULL))
        return true; /* whoever wrote it was told */
    if (slice_eq(name, SLICE("pop3.expire")))
        see_expire(l->bounds, l->settings.pop3.expire_days);
    else if (slice_eq(name, SLICE("pop3.login_delay")))
        see_delay(l->bounds, l->settings.pop3.login_delay_s);
    else if (l->settings.store.message_size > l->bounds->message_octets)
        l->bounds->message_octets = l->settings.store.message_size;
    return true;
}

static enum err look_for(struct store_reader *reader, const struct config *config,
                         struct auth_bounds *ret)
{
    struct looking l = {.bounds = ret, .settings = config->settings};
    *ret = (struct auth_bounds){.expire_days = config->settings.pop3.expire_days,
                                .login_delay_s = config->settings.pop3.login_delay_s,
                                .message_octets = config->settings.store.message_size};
    arena_init(&l.arena, 4096);
    enum err e = store_override_each(reader, SLICE("pop3.expire"), look, &l);
    if (!e)
        e = store_override_each(reader, SLICE("pop3.login_delay"), look, &l);
    if (!e)
        e = store_override_each(reader, SLICE("store.message_size"), look, &l);
    arena_reset(&l.arena);
    return e;
}

void auth_bounds(struct auth *auth, struct loop *loop, struct auth_bounds *ret)
{
    const struct config *config = server_config(auth->conf.server);
    uint64_t now = clock_mono_ms();
    struct auth_bounds fresh;
    pthread_mutex_lock(&auth->lock);
    struct auth_known *known = &auth->known;
    bool same = known->expire_days == config->settings.pop3.expire_days &&
                known->login_delay_s == config->settings.pop3.login_delay_s &&
                known->message_octets == config->settings.store.message_size;
    bool looked = same && known->until_ms, old = !looked || now >= known->until_ms;
    *ret = known->bounds;
    pthread_mutex_unlock(&auth->lock);
    if (!old)
        return;
    /* A catalog that cannot be read is told by the login; until then what was found last holds,
     * else the file's word. */
    enum err e = look_for(store_reader_of(auth->conf.store, loop), config, &fresh);
    if (!e || !looked)
        *ret = fresh;
    if (e)
        return;
    pthread_mutex_lock(&auth->lock);
    *known = (struct auth_known){.bounds = fresh,
                                 .until_ms = now + BOUNDS_MS,
                                 .expire_days = config->settings.pop3.expire_days,
                                 .login_delay_s = config->settings.pop3.login_delay_s,
                                 .message_octets = config->settings.store.message_size};
    pthread_mutex_unlock(&auth->lock);
}
