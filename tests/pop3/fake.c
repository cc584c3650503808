#include "tests/pop3/fake.h"

#include <stdio.h>

#include "auth/auth.h"
#include "core/base/mem.h"
#include "tests/core/rig.h"
#include "tests/lib/later.h"

struct fake fake;

struct store_maildrop {
    int unused;
};

struct store_body {
    int unused;
};

/* --- auth
 * ----------------------------------------------------------------------------------------- */

bool auth_plaintext_allowed(const struct auth *auth, const struct auth_peer *peer)
{
    (void)auth;
    return peer->secure || peer->local;
}

bool auth_plaintext_refused(const struct auth *auth, const struct auth_peer *peer, const char *mech)
{
    (void)mech;
    return !auth_plaintext_allowed(auth, peer);
}

static auth_done *done;

static void answer(void *object)
{
    struct auth_session *session = NULL;
    if (!fake.auth) {
        session = mem_new(sizeof *session);
        session->settings = rig.config->settings;
        session->login = SLICE("alice@example.org");
        session->mech = "user";
        session->cred_flags = fake.cred_flags;
        fake.sessions++;
    }
    done(object, fake.auth, session);
}

void auth_password(struct auth *auth, const struct auth_peer *peer, struct slice name,
                   struct slice password, const char *mech, auth_done *to)
{
    (void)auth, (void)name, (void)password, (void)mech;
    done = to;
    later_call(peer->loop, peer->id, answer);
}

void auth_apop(struct auth *auth, const struct auth_peer *peer, struct slice name,
               struct slice timestamp, struct slice digest, auth_done *to)
{
    (void)timestamp;
    auth_password(auth, peer, name, digest, "apop", to);
}

void auth_session_free(struct auth_session *session)
{
    fake.sessions -= session != NULL;
    mem_free(session);
}

/* --- store
 * ---------------------------------------------------------------------------------------- */

struct store_reader *store_reader_of(struct store *store, struct loop *loop)
{
    (void)store, (void)loop;
    return NULL;
}

void store_live_stalled(struct store_live *live, uint64_t since_ms)
{
    (void)live;
    fake.stalled_ms = since_ms;
}

void store_account_set_actor(struct store_account *account, enum store_proto proto,
                             uint64_t connection_id)
{
    (void)account, (void)proto, (void)connection_id;
}

void store_live_origin(struct store_live *live, const unsigned char address[16],
                       struct slice client)
{
    (void)live;
    (void)address;
    (void)client;
}

void store_live_active(struct store_live *live, uint32_t mailbox)
{
    (void)live;
    (void)mailbox;
}

void store_account_set_origin(struct store_account *account, const unsigned char address[16],
                              struct slice client)
{
    (void)account, (void)address, (void)client;
}

enum err store_mailbox_status(struct store_reader *reader, struct store_account *account,
                              struct slice path, struct store_status *ret)
{
    (void)reader, (void)account, (void)path, (void)ret;
    return ERR_NOTFOUND;
}

void auth_pop3_entered(struct auth *auth, const struct auth_session *session)
{
    (void)auth, (void)session;
}

void auth_bounds(struct auth *auth, struct loop *loop, struct auth_bounds *ret)
{
    (void)auth, (void)loop;
    *ret = (struct auth_bounds){.expire_days = -1};
}

enum err auth_poprule(struct store_reader *reader, struct store_account *account,
                      const struct settings *settings, struct slice detail, bool recent,
                      struct arena *arena, struct store_poprule *ret)
{
    (void)reader, (void)account, (void)settings, (void)detail, (void)recent;
    struct slice *inbox = arena_new(arena, sizeof *inbox);
    *inbox = SLICE("INBOX");
    *ret = (struct store_poprule){.folders = inbox, .nfolders = 1};
    return ERR_OK;
}

static void warmed(struct store_to to)
{
    fake.warmed++;
    later(to, &(struct store_result){.err = ERR_OK});
}

void store_warm_mailbox(struct store_account *account, struct slice path, struct store_to to)
{
    (void)account, (void)path;
    warmed(to);
}

void store_warm_body(struct store_body *body, uint64_t offset, size_t len, struct store_to to)
{
    (void)body, (void)offset, (void)len;
    warmed(to);
}

enum err store_maildrop_open(struct store_reader *reader, struct store_account *account,
                             struct store_live *live, const struct store_poprule *rule,
                             struct store_maildrop **ret)
{
    (void)reader, (void)account, (void)live, (void)rule;
    if (fake.cold_open) {
        fake.cold_open--;
        return ERR_AGAIN;
    }
    if (fake.open)
        return fake.open;
    fake.opens++;
    *ret = mem_new(sizeof **ret);
    return ERR_OK;
}

void store_maildrop_peeked(struct store_maildrop *drop, uint32_t n, bool peeked)
{
    (void)drop, (void)n, (void)peeked;
}

void store_maildrop_shown(struct store_maildrop *drop)
{
    (void)drop;
    fake.shown++;
}

void store_maildrop_close(struct store_maildrop *drop)
{
    fake.closes += drop != NULL;
    mem_free(drop);
}

uint32_t store_maildrop_count(const struct store_maildrop *drop)
{
    (void)drop;
    return fake.count;
}

uint64_t store_maildrop_octets(const struct store_maildrop *drop)
{
    (void)drop;
    return fake.count * fake.text.len;
}

enum err store_maildrop_size(const struct store_maildrop *drop, uint32_t n, uint32_t *ret)
{
    (void)drop, (void)n;
    *ret = (uint32_t)fake.text.len;
    return ERR_OK;
}

enum err store_maildrop_entry(struct store_maildrop *drop, struct store_reader *reader, uint32_t n,
                              struct store_popentry *ret)
{
    (void)drop, (void)reader;
    snprintf(ret->uidl, sizeof ret->uidl, "uidl%u", n);
    return ERR_OK;
}

enum err store_maildrop_body(struct store_maildrop *drop, struct store_reader *reader, uint32_t n,
                             struct store_body **ret, uint32_t *ret_hdr_len)
{
    (void)drop, (void)reader, (void)n;
    *ret = mem_new(sizeof **ret);
    *ret_hdr_len = fake.header;
    fake.bodies++;
    return ERR_OK;
}

uint64_t store_body_size(const struct store_body *body)
{
    (void)body;
    return fake.text.len;
}

enum err store_body_map(struct store_body *body, struct store_reader *reader, uint64_t offset,
                        struct iovec *iov, int n, int *ret_n)
{
    (void)body, (void)reader;
    if (fake.cold_map) {
        fake.cold_map--;
        return ERR_AGAIN;
    }
    if (fake.map && offset >= fake.map_from)
        return fake.map;
    int i = 0;
    for (; i < n && offset < fake.text.len; i++) {
        struct slice piece = slice_first(slice_from(fake.text, offset), fake.chunk);
        iov[i] = (struct iovec){(char *)piece.ptr, piece.len};
        offset += piece.len;
    }
    *ret_n = i;
    return ERR_OK;
}

void store_body_close(struct store_body *body)
{
    fake.bodies -= body != NULL;
    mem_free(body);
}

static uint32_t bits(const unsigned char *map)
{
    uint32_t n = 0;
    for (uint32_t i = 0; map && i < fake.count; i++)
        n += map[i / 8] >> (i % 8) & 1;
    return n;
}

void store_maildrop_update(struct store_maildrop *drop, const unsigned char *retrieved,
                           const unsigned char *deleted, enum pop3_delete mode, struct store_to to)
{
    (void)drop;
    fake.updates++;
    fake.mode = mode;
    fake.retrieved = bits(retrieved);
    fake.deleted = bits(deleted);
    fake.has_deleted = deleted != NULL;
    if (to.loop)
        later(to, &(struct store_result){.err = fake.update});
}

/* No mechanisms: conversations have them. */
const char *auth_mechanism_at(const struct auth *auth, const struct auth_peer *peer, size_t i)
{
    (void)auth;
    (void)peer;
    (void)i;
    return NULL;
}

enum err auth_exchange_new(struct auth *auth, const struct auth_peer *peer, struct slice mechanism,
                           auth_done *to, struct auth_exchange **ret)
{
    (void)auth;
    (void)peer;
    (void)mechanism;
    (void)to;
    (void)ret;
    return ERR_CANNOT;
}

enum auth_next auth_exchange_step(struct auth_exchange *exchange, enum auth_said said,
                                  struct slice line, struct slice *ret_challenge, enum err *ret_err)
{
    (void)exchange;
    (void)said;
    (void)line;
    (void)ret_challenge;
    *ret_err = ERR_SYNTAX;
    return AUTH_REFUSE;
}

void auth_exchange_free(struct auth_exchange *exchange)
{
    (void)exchange;
}
