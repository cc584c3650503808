#include "tests/store/rig.h"

#include <assert.h>
#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/mem.h"
#include "store/expunge.h"
#include "store/hot.h"
#include "store/snapshot.h"

#define X(id, tree, lead, mark) {tree, lead, mark},
static const struct engine_table tables[] = {STORE_TABLES(X){0}};
#undef X

static void must(enum err e)
{
    if (e == ERR_OK)
        return;
    fprintf(stderr, "rig: %s\n", err_text(e));
    abort();
}

static const char *file(const struct rig *rig, char to[96])
{
    snprintf(to, 96, "%s/store.mdb", rig->dir);
    return to;
}

void rig_start(struct rig *rig)
{
    char path[96];
    memset(rig, 0, sizeof *rig);
    snprintf(rig->dir, sizeof rig->dir, "%s/tandem-rig-XXXXXX",
             access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    if (!mkdtemp(rig->dir))
        abort();
    struct engine_conf conf = {
        .path = file(rig, path), .tables = tables, .map_size = (uint64_t)1 << 30, .create = true};
    struct fault why;
    must(engine_open(&conf, &rig->env.engine, &why));
    pthread_mutex_init(&rig->store.readers_lock, NULL);
    rig->store.shard[0] = &rig->env;
    rig->store.nshards = 1;
    rig->store.keywords = KEYWORDS_MAX;
    rig->store.boxes = boxes_new(&rig->store);
    rig->env.store = &rig->store;
    rig->env.next_blob = 1;
    rig->account = (struct store_account){.store = &rig->store, .env = &rig->env, .a = RIG_ACCOUNT};
    for (unsigned i = 0; i < RIG_LOOPS; i++)
        must(loop_new(i, &rig->loop[i]));
    for (unsigned i = 0; i <= RIG_LOOPS; i++)
        must(store_reader_new(&rig->store, i < RIG_LOOPS ? rig->loop[i] : NULL, &rig->reader[i]));
}

void rig_stop(struct rig *rig)
{
    char path[112];
    for (unsigned i = 0; i < RIG_LOOPS; i++)
        rig_turn_loop(rig, i);
    for (unsigned i = 0; i <= RIG_LOOPS; i++)
        store_reader_free(rig->reader[i]);
    for (unsigned i = 0; i < RIG_LOOPS; i++)
        loop_free(rig->loop[i]);
    boxes_free(rig->store.boxes);
    engine_close(rig->env.engine);
    pthread_mutex_destroy(&rig->store.readers_lock);
    unlink(file(rig, path));
    snprintf(path, sizeof path, "%s/store.mdb-lock", rig->dir);
    unlink(path);
    rmdir(rig->dir);
}

void rig_turn_loop(struct rig *rig, unsigned loop)
{
    ev_run(loop_ev(rig->loop[loop]), EVRUN_NOWAIT);
    store_reader_idle(rig->reader[loop]);
}

struct slice rig_path(uint32_t m, char to[16])
{
    return slice(to, (size_t)snprintf(to, 16, "m%u", m));
}

/* --- changes ------------------------------------------------------------------------------------
 */

static void make_mailbox(struct rig *rig, uint32_t m)
{
    char path[16];
    struct key key;
    unsigned char octets[ROW_MAX];
    struct row_mbox row = {.uidvalidity = m,
                           .uidnext = 1,
                           .highestmodseq = 1,
                           .mailboxid = m,
                           .path = rig_path(m, path)};
    struct row_name name = {.m = m};
    must(turn_put(&rig->turn, DBI_NAME, key_name(&key, RIG_ACCOUNT, row.path),
                  row_name_encode(&name, octets)));
    must(turn_put(&rig->turn, DBI_MBOX, key_am(&key, RIG_ACCOUNT, m),
                  row_mbox_encode(&row, octets)));
}

void rig_begin(struct rig *rig, uint32_t m, uint32_t now)
{
    rig->turn = (struct turn){.env = &rig->env, .now = now};
    must(engine_turn_begin(rig->env.engine, &rig->turn.txn));
    rig->turn.id = engine_txn_id(rig->turn.txn);
    enum err e = box_load(rig->turn.txn, &rig->env, RIG_ACCOUNT, m, &rig->box);
    if (e == ERR_NOTFOUND) {
        make_mailbox(rig, m);
        e = box_load(rig->turn.txn, &rig->env, RIG_ACCOUNT, m, &rig->box);
    }
    must(e);
}

void rig_commit(struct rig *rig)
{
    must(turn_box_save(&rig->turn, &rig->box));
    must(engine_turn_commit(rig->turn.txn));
}

void rig_publish(struct rig *rig)
{
    notify_publish(&rig->env, &rig->turn);
    mem_free(rig->turn.orphans);
    rig->turn.orphans = NULL;
}

static void put_message(struct rig *rig, uint32_t uid, uint32_t size)
{
    struct key key;
    unsigned char octets[ROW_MAX];
    struct row_msg row = {.size = size, .blob = turn_new_blob(&rig->turn), .hdr_len = uid};
    must(turn_put(&rig->turn, DBI_MSG, key_amu(&key, RIG_ACCOUNT, rig->box.m, uid),
                  row_msg_encode(&row, octets)));
}

void rig_arrive(struct rig *rig, uint32_t n, uint8_t sysflags)
{
    struct hot_edit edit;
    uint64_t modseq = ++rig->box.row.highestmodseq;
    uint32_t first = rig->box.row.uidnext;
    hot_begin(&edit, &rig->turn, &rig->box);
    for (uint32_t uid = first; uid < first + n; uid++) {
        struct hot_slot slot = {.modseq = modseq, .sysflags = sysflags, .size = uid * 10};
        must(hot_insert(&edit, uid, &slot));
        put_message(rig, uid, slot.size);
    }
    must(hot_end(&edit));
    rig->box.row.uidnext += n;
    struct event *event = turn_event(&rig->turn, &rig->box);
    for (uint32_t uid = first; uid < first + n; uid++)
        event_add(event, EVENT_ARRIVED, uid, sysflags, 0, 0);
}

void rig_skip_uids(struct rig *rig, uint32_t n)
{
    rig->box.row.uidnext += n;
}

void rig_flags(struct rig *rig, const struct uidset *uids, uint8_t sysflags, uint64_t keywords)
{
    struct hot_edit edit;
    uint64_t modseq = ++rig->box.row.highestmodseq;
    struct event *event = turn_event(&rig->turn, &rig->box);
    hot_begin(&edit, &rig->turn, &rig->box);
    for (uint32_t uid = uidset_next(uids, 1); uid; uid = uidset_next(uids, uid + 1)) {
        struct hot_slot *slot;
        must(hot_at(&edit, uid, &slot));
        if (!slot)
            continue;
        struct hot_slot before = *slot;
        slot->sysflags = sysflags;
        slot->keywords = keywords;
        slot->modseq = modseq;
        hot_changed(&edit, uid, &before);
        event_add(event, EVENT_FLAGS, uid, sysflags, keywords, before.modseq);
    }
    must(hot_end(&edit));
}

void rig_expunge(struct rig *rig, const struct uidset *uids, bool transient)
{
    struct acct acct = {0};
    struct actor actor = {0};
    struct expunge ex = {.turn = &rig->turn,
                         .acct = &acct,
                         .box = &rig->box,
                         .actor = &actor,
                         .why = GONE_EXPUNGED,
                         .undelete_s = transient ? 0 : 1000};
    rig->box.row.highestmodseq++;
    struct event *event = turn_event(&rig->turn, &rig->box);
    must(expunge_set(&ex, uids, event));
    event->expunge_modseq = rig->box.row.expunge_modseq;
}

void rig_keywords(struct rig *rig, const char *const *names, unsigned n)
{
    struct key key;
    unsigned char octets[ROW_MAX];
    struct row_kw row = {.n = (uint8_t)n, .gen = (uint32_t)rig->box.row.highestmodseq};
    for (unsigned i = 0; i < n; i++) {
        row.word[i].state = names[i] ? KW_USED : KW_FREE;
        row.word[i].name = slice_str(names[i]);
    }
    rig->box.row.highestmodseq++;
    must(turn_put(&rig->turn, DBI_KW, key_am(&key, RIG_ACCOUNT, rig->box.m),
                  row_kw_encode(&row, octets)));
    turn_event(&rig->turn, &rig->box)->keywords = true;
}

void rig_delete_mailbox(struct rig *rig)
{
    struct key key;
    rig->box.row.state = MBOX_DELETED;
    must(turn_del(&rig->turn, DBI_NAME, key_name(&key, RIG_ACCOUNT, rig->box.row.path)));
    turn_account_event(&rig->turn, RIG_ACCOUNT, rig->box.m, ACCOUNT_DELETED);
}

void rig_drop_gone(struct rig *rig, uint32_t uid)
{
    struct key key;
    uint32_t a = RIG_ACCOUNT, m = rig->box.m;
    enum err e = turn_del(&rig->turn, DBI_MSG, key_amu(&key, a, m, uid));
    if (!e && turn_del(&rig->turn, DBI_GONE, key_gone(&key, a, GONE_TRANSIENT, m, uid)))
        return; /* a row of the window: its time is not known here */
    must(e == ERR_NOTFOUND ? ERR_OK : e);
}

void rig_trim_tombs(struct rig *rig, uint64_t upto)
{
    struct key prefix;
    struct slice key, value, mailbox = key_am(&prefix, RIG_ACCOUNT, rig->box.m);
    uint64_t modseq = 0;
    while (engine_first(rig->turn.txn, DBI_TOMB, mailbox, mailbox, &key, &value) == ERR_OK &&
           key_get64(key, 8, &modseq) && modseq <= upto) {
        struct key copy = {.len = (uint16_t)key.len};
        memcpy(copy.octets, key.ptr, key.len);
        must(turn_del(&rig->turn, DBI_TOMB, key_slice(&copy)));
    }
    if (rig->box.row.tomb_floor < upto)
        rig->box.row.tomb_floor = upto;
}
