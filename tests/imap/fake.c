#include "tests/imap/fake.h"

#include <stdio.h>

#include "auth/auth.h"
#include "core/base/mem.h"
#include "core/mime/parts.h"
#include "tests/core/rig.h"
#include "tests/lib/later.h"

struct fake fake;

struct store_view {
    uint64_t watcher;
    void (*changed)(void *object);
};

struct store_body {
    int unused;
};

struct store_incoming {
    uint64_t octets;
    struct loop *loop;
    uint64_t id;
    void (*ready)(void *object);
};

static bool once(unsigned *n)
{
    if (*n == 0)
        return false;
    --*n;
    return true;
}

/* --- auth ----------------------------------------------------------------------------------- */

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

static auth_done *logged;

static void answer(void *object)
{
    struct auth_session *session = NULL;
    if (!fake.auth) {
        session = mem_new(sizeof *session);
        session->settings = rig.config->settings;
        session->login = SLICE("alice@example.org");
        session->mech = "login";
        session->cred_flags = fake.cred_flags;
        fake.sessions++;
    }
    logged(object, fake.auth, session);
}

void auth_password(struct auth *auth, const struct auth_peer *peer, struct slice name,
                   struct slice password, const char *mech, auth_done *done)
{
    (void)auth, (void)name, (void)password, (void)mech;
    logged = done;
    later_call(peer->loop, peer->id, answer);
}

void auth_session_free(struct auth_session *session)
{
    fake.sessions -= session != NULL;
    mem_free(session);
}

const char *auth_mechanism_at(const struct auth *auth, const struct auth_peer *peer, size_t i)
{
    (void)auth, (void)peer, (void)i;
    return NULL;
}

enum err auth_exchange_new(struct auth *auth, const struct auth_peer *peer, struct slice mechanism,
                           auth_done *to, struct auth_exchange **ret)
{
    (void)auth, (void)peer, (void)mechanism, (void)to, (void)ret;
    return ERR_CANNOT;
}

enum auth_next auth_exchange_step(struct auth_exchange *exchange, enum auth_said said,
                                  struct slice line, struct slice *ret_challenge, enum err *ret_err)
{
    (void)exchange, (void)said, (void)line, (void)ret_challenge;
    *ret_err = ERR_SYNTAX;
    return AUTH_REFUSE;
}

void auth_exchange_free(struct auth_exchange *exchange)
{
    (void)exchange;
}

/* --- changes -------------------------------------------------------------------------------- */

static struct store_to held;

static void done(struct store_to to, const struct store_result *result)
{
    if (fake.hold)
        held = to;
    else
        later(to, result);
}

void fake_release(void)
{
    fake.hold = false;
    later(held, &(struct store_result){.err = ERR_OK});
}

void store_flags(struct store_view *view, const struct uidset *uids, const struct store_flagop *op,
                 uint64_t unchangedsince, struct store_to to)
{
    (void)view, (void)op, (void)unchangedsince;
    fake.flag_changes++;
    fake.flagged = uidset_count(uids);
    done(to, &(struct store_result){.err = fake.change});
}

void store_copy(struct store_view *view, const struct uidset *uids, struct store_account *account,
                struct slice path, bool move, struct store_to to)
{
    (void)view, (void)uids, (void)account, (void)path, (void)move;
    fake.copies++;
    done(to, &(struct store_result){.err = fake.change});
}

void store_expunge(struct store_view *view, const struct uidset *uids, struct store_to to)
{
    (void)view, (void)uids;
    fake.expunges++;
    done(to, &(struct store_result){.err = fake.change});
}

void store_mailbox_create(struct store_account *account, struct slice path, enum special_use use,
                          struct store_to to)
{
    (void)account, (void)path, (void)use;
    done(to, &(struct store_result){.err = fake.change});
}

void store_mailbox_delete(struct store_account *account, struct slice path, struct store_to to)
{
    (void)account, (void)path;
    done(to, &(struct store_result){.err = fake.change});
}

void store_mailbox_rename(struct store_account *account, struct slice from, struct slice to_path,
                          struct store_to to)
{
    (void)account, (void)from, (void)to_path;
    done(to, &(struct store_result){.err = fake.change});
}

void store_mailbox_subscribe(struct store_account *account, struct slice path, bool on,
                             struct store_to to)
{
    (void)account, (void)path, (void)on;
    done(to, &(struct store_result){.err = fake.change});
}

/* --- accounts and mailboxes ------------------------------------------------------------------- */

struct store_reader *store_reader_of(struct store *store, struct loop *loop)
{
    (void)store, (void)loop;
    return NULL;
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

const struct store_limits *store_account_limits(const struct store_account *account)
{
    static struct store_limits limits;
    (void)account;
    limits.message_octets = fake.message_octets;
    return &limits;
}

enum err store_quota_check(struct store_reader *reader, struct store_account *account,
                           uint64_t octets, uint64_t messages)
{
    (void)reader, (void)account, (void)octets, (void)messages;
    return ERR_OK;
}

enum err store_path_check(struct slice wire, struct arena *arena, struct slice *ret)
{
    *ret = arena_dup(arena, wire);
    return ERR_OK;
}

enum err store_mailbox_status(struct store_reader *reader, struct store_account *account,
                              struct slice path, struct store_status *ret)
{
    (void)reader, (void)account;
    if (once(&fake.cold_open))
        return ERR_AGAIN;
    *ret = (struct store_status){.messages = fake.count};
    return slice_eq(path, SLICE("INBOX")) ? ERR_OK : ERR_NOTFOUND;
}

/* --- Recoverable/ is not shown here; tests/scripts/imap has it ----------------------------------
 */

void store_warm_lost(struct store_account *account, struct store_to to)
{
    (void)account;
    done(to, &(struct store_result){.err = ERR_BUG});
}

void store_warm_lost_view(struct store_account *account, struct slice path, struct store_to to)
{
    (void)account, (void)path;
    done(to, &(struct store_result){.err = ERR_BUG});
}

void store_lost_list(const struct store_lost_tree *tree, store_mailbox_each *each, void *arg)
{
    (void)tree, (void)each, (void)arg;
}

enum err store_lost_status(const struct store_lost_tree *tree, struct slice path,
                           struct store_status *ret)
{
    (void)tree, (void)path, (void)ret;
    return ERR_BUG;
}

void store_lost_restore(struct store_view *view, const struct uidset *uids, struct slice path,
                        struct store_to to)
{
    (void)view, (void)uids, (void)path;
    done(to, &(struct store_result){.err = ERR_BUG});
}

void store_lost_restored(struct store_view *view, const struct uidset *uids)
{
    (void)view, (void)uids;
}

enum err store_mailbox_list(struct store_reader *reader, struct store_account *account,
                            bool want_status, store_mailbox_each *each, void *arg)
{
    (void)reader, (void)account, (void)want_status;
    if (once(&fake.cold_list))
        return ERR_AGAIN;
    struct store_mailbox box = {.path = SLICE("INBOX"), .flags = MAILBOX_SUBSCRIBED};
    if (!each(arg, &box))
        return ERR_OK;
    for (unsigned i = 0; i < fake.mailboxes; i++) {
        char name[16];
        box.path = slice(name, (size_t)snprintf(name, sizeof name, "m%u", i));
        if (!each(arg, &box))
            break;
    }
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

void store_warm_view(struct store_view *view, uint32_t from_uid, struct store_to to)
{
    (void)view, (void)from_uid;
    warmed(to);
}

void store_warm_body(struct store_body *body, uint64_t offset, size_t len, struct store_to to)
{
    (void)body, (void)offset, (void)len;
    warmed(to);
}

/* One text part, and a structure of no meaning. */
static const struct store_structure *structure(void)
{
    static struct store_structure of;
    static unsigned char row[MIME_ROW];
    struct mime_part part = {.parent = MIME_NO_PART,
                             .kind = MIME_TEXT,
                             .body_off = fake.header,
                             .body_len = (uint32_t)(fake.text.len - fake.header)};
    mime_row_encode(&part, row);
    of = (struct store_structure){.envelope = SLICE("(envelope)"),
                                  .bodystructure = SLICE("(structure)"),
                                  .parts = slice((const char *)row, sizeof row)};
    return &of;
}

enum err store_structure(const struct store_message *message, struct store_structure *ret)
{
    (void)message;
    if (once(&fake.cold_structure))
        return ERR_NOTFOUND;
    *ret = *structure();
    return ERR_OK;
}

enum err store_digest(const struct store_message *message, struct slice *ret)
{
    (void)message;
    *ret = fake.digest;
    return fake.digest.ptr ? ERR_OK : ERR_NOTFOUND;
}

void store_warm_structure(struct store_view *view, uint32_t uid, struct store_to to)
{
    (void)view;
    struct store_result result = {.err = uid == fake.gone ? ERR_GONE : ERR_OK};
    if (once(&fake.full_pool))
        result.err = ERR_AGAIN;
    if (!result.err)
        result.structure = structure();
    fake.warmed++;
    later(to, &result);
}

/* --- views ---------------------------------------------------------------------------------- */

static struct store_view *newest;

enum err store_view_open(struct store_reader *reader, struct store_account *account,
                         struct slice path, unsigned flags, struct store_view **ret)
{
    (void)reader, (void)account, (void)flags;
    if (once(&fake.cold_open))
        return ERR_AGAIN;
    if (fake.open)
        return fake.open;
    if (!slice_eq(path, SLICE("INBOX")))
        return ERR_NOTFOUND;
    fake.views++;
    newest = *ret = mem_new(sizeof **ret);
    return ERR_OK;
}

void store_view_close(struct store_view *view)
{
    fake.views -= view != NULL;
    if (view == newest)
        newest = NULL;
    mem_free(view);
}

enum err store_view_info(struct store_view *view, bool want_unseen, struct store_view_info *ret)
{
    (void)view;
    if (want_unseen && once(&fake.cold_info))
        return ERR_AGAIN;
    *ret =
        (struct store_view_info){.uidvalidity = 7, .uidnext = fake.count + 1, .exists = fake.count};
    return ERR_OK;
}

struct slice store_view_keyword(const struct store_view *view, unsigned bit)
{
    (void)view, (void)bit;
    return SLICE_NONE;
}

unsigned store_view_nkeywords(const struct store_view *view)
{
    (void)view;
    return 0;
}

uint32_t store_view_exists(const struct store_view *view)
{
    (void)view;
    return fake.count;
}

uint32_t store_view_uid(const struct store_view *view, uint32_t seqnum)
{
    (void)view;
    return seqnum <= fake.count ? seqnum : 0;
}

uint32_t store_view_max_uid(const struct store_view *view)
{
    (void)view;
    return fake.count;
}

void store_view_select(const struct store_view *view, const struct uidset *wish, struct uidset *ret)
{
    (void)view;
    uidset_copy(ret, wish);
    uidset_remove(ret, fake.count + 1, UINT32_MAX);
}

enum err store_view_sync(struct store_view *view, unsigned what, struct store_changes *ret)
{
    (void)view, (void)what;
    if (once(&fake.cold_sync))
        return ERR_AGAIN;
    if (fake.sync)
        return fake.sync;
    *ret = fake.changes;
    fake.changes = (struct store_changes){0};
    return ERR_OK;
}

void store_view_own(struct store_view *view, const struct uidset *uids, uint64_t modseq)
{
    (void)view, (void)uids, (void)modseq;
}

void store_view_watch(struct store_view *view, uint64_t id, void (*changed)(void *object))
{
    view->watcher = id;
    view->changed = changed;
    fake.watched = changed != NULL;
}

void fake_event(void)
{
    void *object = loop_id_find(rig.loop, newest->watcher);
    if (object)
        newest->changed(object);
}

/* --- messages and bodies ---------------------------------------------------------------------- */

void store_cursor_init(struct store_cursor *cursor, struct store_view *view,
                       const struct uidset *uids, unsigned want, uint64_t changedsince)
{
    *cursor = (struct store_cursor){view, uids, want, changedsince, 1};
}

enum err store_cursor_next(struct store_cursor *cursor, struct store_message *ret)
{
    uint32_t uid = uidset_next(cursor->uids, cursor->next_uid);
    if (!uid)
        return ERR_NOTFOUND;
    if (once(&fake.cold_rows))
        return ERR_AGAIN;
    cursor->next_uid = uid + 1;
    *ret = (struct store_message){.uid = uid,
                                  .seqnum = uid,
                                  .ghost = uid == fake.ghost,
                                  .sysflags = fake.sysflags,
                                  .size = (uint32_t)fake.text.len,
                                  .hdr_len = fake.header,
                                  .has_nul = fake.has_nul};
    return ERR_OK;
}

enum err store_body_open(struct store_view *view, uint32_t uid, struct store_body **ret)
{
    (void)view;
    if (once(&fake.cold_body))
        return ERR_AGAIN;
    if (fake.body || uid == fake.gone)
        return fake.body ? fake.body : ERR_GONE;
    *ret = mem_new(sizeof **ret);
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
    if (once(&fake.cold_map))
        return ERR_AGAIN;
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

/* --- arrival -------------------------------------------------------------------------------- */

enum err store_incoming_new(struct store_account *account, uint64_t max_octets,
                            struct store_incoming **ret)
{
    (void)account, (void)max_octets;
    *ret = mem_new(sizeof **ret);
    fake.incomings++;
    return ERR_OK;
}

enum err store_incoming_write(struct store_incoming *in, struct slice octets)
{
    if (once(&fake.busy)) {
        later_call(in->loop, in->id, in->ready);
        return ERR_AGAIN;
    }
    in->octets += octets.len;
    return fake.incoming;
}

void store_incoming_on_ready(struct store_incoming *in, struct loop *loop, uint64_t id,
                             void (*ready)(void *object))
{
    in->loop = loop;
    in->id = id;
    in->ready = ready;
}

void store_incoming_set(struct store_incoming *in, uint8_t sysflags, const struct slice *keywords,
                        size_t nkeywords, uint32_t internaldate, int8_t zone)
{
    (void)in, (void)sysflags, (void)keywords, (void)nkeywords, (void)internaldate, (void)zone;
}

void store_incoming_free(struct store_incoming *in)
{
    fake.incomings -= in != NULL;
    mem_free(in);
}

void store_append(struct store_incoming *const *in, size_t n, const struct store_dest *dest,
                  size_t ndest, struct store_to to)
{
    static struct store_arrival arrival = {ERR_OK, 1, 7, 99};
    (void)n, (void)dest, (void)ndest;
    fake.appends++;
    fake.appended = in[0]->octets;
    later_call(in[0]->loop, in[0]->id, in[0]->ready); /* its last piece, which nobody waits for */
    store_incoming_free(in[0]);
    done(to, &(struct store_result){.err = fake.change,
                                    .arrivals = fake.change ? NULL : &arrival,
                                    .narrivals = !fake.change});
}

/* No searches: conversations have them. */
enum err store_search_new(struct store_view *view, const struct store_test *tests, size_t n,
                          struct store_to to, struct store_search **ret)
{
    (void)view;
    (void)tests;
    (void)n;
    (void)to;
    (void)ret;
    return ERR_DOWN;
}

enum err store_search_step(struct store_search *search)
{
    (void)search;
    return ERR_OK;
}

const struct uidset *store_search_found(const struct store_search *search)
{
    (void)search;
    return NULL;
}

void store_search_free(struct store_search *search)
{
    (void)search;
}

uint32_t store_view_seqnum(const struct store_view *view, uint32_t uid)
{
    return uid <= store_view_exists(view) ? uid : 0;
}
