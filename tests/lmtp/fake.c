#include "tests/lmtp/fake.h"

#include "auth/auth.h"
#include "core/base/mem.h"
#include "tests/lib/later.h"
#include "tests/lib/unit.h"

struct fake fake;

struct store_account {
    unsigned id;
};

struct store_incoming {
    struct buf octets;
    uint64_t max;
    unsigned writes;
    struct loop *loop;
    uint64_t id;
    void (*ready)(void *object);
};

void fake_reset(void)
{
    buf_finish(&fake.stored);
    buf_finish(&fake.paths);
    fake = (struct fake){.message_octets = 50u << 20};
    buf_init(&fake.stored, SIZE_MAX);
    buf_init(&fake.paths, 4096);
}

/* --- recipients
 * ----------------------------------------------------------------------------------- */

static void open_account(struct auth_recipient *to, unsigned id, struct slice detail)
{
    to->account = mem_new(sizeof *to->account);
    to->account->id = id;
    to->detail = detail;
    to->message_octets = fake.message_octets;
    fake.opened++;
}

enum err auth_recipient_find(struct auth *auth, struct store_reader *reader, struct slice address,
                             struct arena *arena, struct auth_recipient **ret, size_t *ret_n)
{
    (void)auth, (void)reader;
    struct slice local = slice_first(address, slice_find(address, '@'));
    size_t plus = slice_find(local, '+');
    struct slice name = slice_first(local, plus);
    struct slice detail = plus < local.len ? slice_from(local, plus + 1) : SLICE_NONE;
    *ret = arena_new(arena, 3 * sizeof **ret);
    *ret_n = 0;
    if (slice_eq(name, SLICE("list"))) {
        for (unsigned id = 1; id <= 3; id++)
            open_account(&(*ret)[(*ret_n)++], id, detail);
        return ERR_OK;
    }
    if (name.len != 2 || name.ptr[0] != 'u')
        return ERR_NOTFOUND;
    unsigned id = (unsigned)(name.ptr[1] - '0');
    if (fake.find[id])
        return fake.find[id];
    open_account(&(*ret)[(*ret_n)++], id, detail);
    return ERR_OK;
}

void auth_bounds(struct auth *auth, struct loop *loop, struct auth_bounds *ret)
{
    (void)auth, (void)loop;
    fake.bounds++;
    *ret = (struct auth_bounds){.message_octets = 50 << 20};
}

void auth_recipient_close(struct auth_recipient *recipients, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        mem_free(recipients[i].account);
        fake.opened--;
    }
}

uint32_t store_account_id(const struct store_account *account)
{
    return account->id;
}

unsigned store_account_shard(const struct store_account *account)
{
    return account->id % 2;
}

struct slice store_account_login(const struct store_account *account)
{
    (void)account;
    return SLICE("someone@example.org");
}

void store_account_set_actor(struct store_account *account, enum store_proto proto,
                             uint64_t connection_id)
{
    (void)account, (void)proto, (void)connection_id;
}

void store_account_set_origin(struct store_account *account, const unsigned char address[16],
                              struct slice client)
{
    (void)account, (void)address, (void)client;
}

struct store_reader *store_reader_of(struct store *store, struct loop *loop)
{
    (void)store, (void)loop;
    return NULL;
}

enum err store_quota_check(struct store_reader *reader, struct store_account *account,
                           uint64_t octets, uint64_t messages)
{
    (void)reader, (void)messages;
    return octets ? fake.quota[account->id] : ERR_OK;
}

enum err store_mailbox_match(struct store_reader *reader, struct store_account *account,
                             struct slice detail, struct arena *arena, struct slice *ret)
{
    (void)reader, (void)account, (void)arena;
    if (!slice_eq(detail, SLICE("Archive")))
        return ERR_NOTFOUND;
    *ret = SLICE("Archive");
    return ERR_OK;
}

/* --- arrival
 * -------------------------------------------------------------------------------------- */

enum err store_incoming_new(struct store_account *account, uint64_t max_octets,
                            struct store_incoming **ret)
{
    (void)account;
    struct store_incoming *in = mem_new(sizeof *in);
    buf_init(&in->octets, SIZE_MAX);
    in->max = max_octets;
    fake.incomings++;
    *ret = in;
    return ERR_OK;
}

enum err store_incoming_write(struct store_incoming *in, struct slice octets)
{
    if (fake.again_every && ++in->writes % fake.again_every == 0) {
        later_call(in->loop, in->id, in->ready);
        return ERR_AGAIN;
    }
    if (fake.write && in->octets.len + octets.len >= fake.write_from)
        return fake.write;
    assert_ok(buf_append(&in->octets, octets));
    return in->octets.len > in->max ? ERR_TOOBIG : ERR_OK;
}

void store_incoming_on_ready(struct store_incoming *in, struct loop *loop, uint64_t id,
                             void (*ready)(void *object))
{
    in->loop = loop;
    in->id = id;
    in->ready = ready;
}

uint64_t store_incoming_size(const struct store_incoming *in)
{
    return in->octets.len;
}

void store_incoming_free(struct store_incoming *in)
{
    if (!in)
        return;
    fake.incomings--;
    buf_finish(&in->octets);
    mem_free(in);
}

void store_append(struct store_incoming *const *in, size_t n, const struct store_dest *dest,
                  size_t ndest, struct store_to to)
{
    struct store_result result = {.err = ndest == 1 ? fake.append[dest[0].account->id] : ERR_OK,
                                  .narrivals = ndest};
    assert_int_equal(n, 1);
    result.arrivals = mem_new_array(ndest, sizeof *result.arrivals);
    fake.appends++;
    for (size_t i = 0; i < ndest; i++) {
        unsigned id = dest[i].account->id;
        assert_int_equal(id % 2, dest[0].account->id % 2);
        result.arrivals[i].err = fake.append[id];
        result.arrivals[i].uid = 1;
        fake.copies[id] += !fake.append[id];
        fake.dests++;
        assert_ok(buf_printf(&fake.paths, "%u:" SLICE_FMT ";", id, SLICE_ARG(dest[i].path)));
    }
    later_call(in[0]->loop, in[0]->id, in[0]->ready); /* a piece was written: there is room */
    fake.stored.len = 0;
    assert_ok(buf_append(&fake.stored, buf_slice(&in[0]->octets)));
    later(to, &result);
    mem_free(result.arrivals);
    store_incoming_free(in[0]);
}
