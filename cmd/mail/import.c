/* tandem import: mail of another server, from the records of a reader of files. Messages are handed
 * over in batches, a few of them under way, so that many share a commit.
 *
 *      known?  no -> octets -> batch --full, next mailbox--> store_import ... waited for in order
 *              yes -> passed over
 *
 * A message is known by its EMAILID, which is made of its mailbox and its name in the source: so a
 * second run adds what the first did not, wherever mail has been moved to meanwhile. */
#include <gnutls/crypto.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "auth/users.h"
#include "cmd/mail/idset.h"
#include "cmd/mail/name.h"
#include "cmd/mail/record.h"
#include "cmd/message.h"
#include "cmd/setup.h"
#include "cmd/verb.h"
#include "core/base/mem.h"
#include "store/admin.h"

enum {
    BATCH_MESSAGES = 128,
    BATCH_OCTETS = 1 << 20,
    UNDER_WAY = 4,
    TEXTS_MAX = 8 << 20 /* of the names, keywords and UIDLs of a batch */
};

struct batch {
    struct store_wait *wait; /* NULL: it is not under way */
    struct store_import messages[BATCH_MESSAGES];
    struct slice names[BATCH_MESSAGES]; /* in the arena, as are the UIDLs */
    uint64_t sizes[BATCH_MESSAGES];
    size_t n;
    uint64_t octets;
    struct arena arena;
};

struct counts {
    uint64_t messages, octets, known, skipped;
};

struct import {
    struct verb_call *call;
    struct store_account *account;
    bool dry_run;
    bool noted, nothing; /* something was not kept; there are no such files */
    struct slice prefix;
    struct arena arena; /* of a record */
    struct idset known;
    struct record_in in;
    struct record_total total;
    uint64_t seen; /* messages of `total` */
    struct counts all, here;
    const char *stop; /* why it ended early; NULL: it did not */

    /* The mailbox. */
    bool open;
    struct slice path; /* in path_text */
    char path_text[512];
    uint32_t uidvalidity, uidnext; /* the source's */
    uint32_t own_uidvalidity;
    bool keyword_dropped, keyword_odd; /* said */

    struct batch batches[UNDER_WAY];
    unsigned filling, oldest, under_way;
};

/* --- one import of an account at a time ------------------------------------------------------- */

static pthread_mutex_t busy_lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t busy[64];

static bool busy_take(uint32_t acct)
{
    uint32_t *room = NULL;
    pthread_mutex_lock(&busy_lock);
    bool taken = false;
    for (size_t i = 0; i < sizeof busy / sizeof *busy; i++) {
        taken |= busy[i] == acct;
        if (!busy[i] && !room)
            room = &busy[i];
    }
    if (!taken && room)
        *room = acct;
    pthread_mutex_unlock(&busy_lock);
    return !taken && room;
}

static void busy_leave(uint32_t acct)
{
    pthread_mutex_lock(&busy_lock);
    for (size_t i = 0; i < sizeof busy / sizeof *busy; i++)
        if (busy[i] == acct)
            busy[i] = 0;
    pthread_mutex_unlock(&busy_lock);
}

/* --- batches ---------------------------------------------------------------------------------- */

static void skip(struct import *im, struct slice name, const char *why)
{
    im->here.skipped++;
    verb_complain(im->call, SLICE_FMT ": %s", SLICE_ARG(name), why);
}

/* What makes it pointless to go on now. */
static const char *stopper(enum err e)
{
    switch (e) {
    case ERR_QUOTA:
        return "the quota is full";
    case ERR_FULL:
        return "the disk is full";
    case ERR_AGAIN:
    case ERR_DOWN:
    case ERR_FROZEN:
        return "the store takes nothing now";
    case ERR_NOTFOUND:
        return "the account or the mailbox has been deleted meanwhile";
    default:
        return NULL;
    }
}

static void message_ended(struct import *im, const struct batch *batch, size_t i, enum err e)
{
    if (!e) {
        im->here.messages++;
        im->here.octets += batch->sizes[i];
        return;
    }
    if (stopper(e) && !im->stop)
        im->stop = stopper(e);
    idset_remove(&im->known, batch->messages[i].emailid);
    if (!stopper(e))
        skip(im, batch->names[i], err_text(e));
}

static void await_oldest(struct import *im)
{
    struct batch *batch = &im->batches[im->oldest];
    struct store_result result;
    enum err e = store_wait(batch->wait, &result);
    for (size_t i = 0; i < batch->n; i++)
        message_ended(im, batch, i, e ? e : result.arrivals[i].err);
    if (!e && result.keyword_dropped && !im->keyword_dropped) {
        im->keyword_dropped = im->noted = true;
        verb_complain(im->call, SLICE_FMT ": has more than 64 keywords; some are left out",
                      SLICE_ARG(im->path));
    }
    store_result_finish(&result);
    arena_reset(&batch->arena);
    batch->wait = NULL;
    batch->n = 0;
    batch->octets = 0;
    im->oldest = (im->oldest + 1) % UNDER_WAY;
    im->under_way--;
}

static void submit(struct import *im)
{
    struct batch *batch = &im->batches[im->filling];
    if (!batch->n)
        return;
    batch->wait = store_wait_new();
    store_import(im->account, im->path, im->uidvalidity, batch->messages, batch->n,
                 store_wait_to(batch->wait));
    im->filling = (im->filling + 1) % UNDER_WAY;
    if (++im->under_way == UNDER_WAY)
        await_oldest(im);
}

static void await_all(struct import *im)
{
    while (im->under_way)
        await_oldest(im);
}

/* --- mailboxes -------------------------------------------------------------------------------- */

static const struct column columns[] = {
    {"mailbox",  COLUMN_TEXT  },
    {"imported", COLUMN_NUMBER},
    {"octets",   COLUMN_OCTETS},
    {"known",    COLUMN_NUMBER},
    {"skipped",  COLUMN_NUMBER},
    {"uids",     COLUMN_TEXT  },
    {NULL,       COLUMN_TEXT  }
};

/* Tells the store of the mailbox; its own UIDVALIDITY then. */
static enum err settle_mailbox(struct import *im, uint32_t uidnext)
{
    struct store_result result;
    struct store_wait *wait = store_wait_new();
    store_import_mailbox(im->account, im->path, im->uidvalidity, uidnext, store_wait_to(wait));
    enum err e = store_wait(wait, &result);
    im->own_uidvalidity = e ? 0 : result.uidvalidity;
    store_result_finish(&result);
    return e;
}

static void end_mailbox(struct import *im)
{
    if (!im->open)
        return;
    submit(im);
    await_all(im);
    if (!im->dry_run && !im->stop && im->uidnext && settle_mailbox(im, im->uidnext))
        im->stop = "the store takes nothing now";
    bool kept = im->uidvalidity && im->own_uidvalidity == im->uidvalidity;
    verb_row(
        im->call, cell_text(im->path), cell_number(im->here.messages), cell_octets(im->here.octets),
        cell_number(im->here.known), cell_number(im->here.skipped),
        im->dry_run || !im->uidvalidity ? cell_none(COLUMN_TEXT) : cell_str(kept ? "kept" : "new"));
    im->all.messages += im->here.messages;
    im->all.octets += im->here.octets;
    im->all.known += im->here.known;
    im->all.skipped += im->here.skipped;
    im->here = (struct counts){0};
    im->open = false;
}

/* Sessions that have it selected were told another UIDVALIDITY: they select it anew. */
static void open_mailbox(struct import *im)
{
    struct store_status before;
    bool there = store_mailbox_status(im->call->reader, im->account, im->path, &before) == ERR_OK;
    store_reader_idle(im->call->reader);
    if (im->dry_run) {
        im->open = true;
        return;
    }
    enum err e = settle_mailbox(im, 0);
    if (e == ERR_LIMIT) {
        verb_complain(im->call, SLICE_FMT ": the account has as many mailboxes as it may",
                      SLICE_ARG(im->path));
        im->all.skipped++;
    } else if (e) {
        im->stop = stopper(e) ? stopper(e) : err_text(e);
    }
    im->open = !e;
    if (there && !e && before.uidvalidity != im->own_uidvalidity)
        store_live_kick(im->call->store, store_account_id(im->account));
}

static void begin_mailbox(struct import *im, struct slice payload)
{
    struct arena *arena = &im->arena;
    struct record_mailbox mailbox;
    struct slice path;
    end_mailbox(im);
    im->keyword_dropped = im->keyword_odd = false;
    if (!record_get_mailbox(payload, arena, &mailbox)) {
        im->stop = "the input makes no sense";
        return;
    }
    struct slice shown = mailbox.shown.len ? mailbox.shown : mailbox.path;
    enum name_fit fit = name_fit(im->prefix, mailbox.path, arena, &path);
    if (fit == NAME_CANNOT) {
        verb_complain(im->call, "'" SLICE_FMT "' cannot be a mailbox: it is left out",
                      SLICE_ARG(shown));
        im->all.skipped++;
        arena_reset(arena);
        return;
    }
    if (fit == NAME_MENDED || mailbox.shown.len)
        verb_complain(im->call, "'" SLICE_FMT "' becomes '" SLICE_FMT "'", SLICE_ARG(shown),
                      SLICE_ARG(path));
    memcpy(im->path_text, path.ptr, path.len);
    im->path = slice(im->path_text, path.len);
    im->uidvalidity = mailbox.uidvalidity;
    im->uidnext = mailbox.uidnext;
    arena_reset(arena);
    open_mailbox(im);
}

static void subscribe(struct import *im, struct slice name)
{
    struct slice path;
    end_mailbox(im);
    if (im->dry_run || name_fit(im->prefix, name, &im->arena, &path) == NAME_CANNOT)
        return;
    struct store_wait *wait = store_wait_new();
    store_mailbox_subscribe(im->account, path, true, store_wait_to(wait));
    if (store_wait(wait, NULL) == ERR_NOTFOUND)
        verb_complain(im->call, "the subscription to '" SLICE_FMT "' is left out: no such mailbox",
                      SLICE_ARG(path));
    arena_reset(&im->arena);
}

/* --- messages --------------------------------------------------------------------------------- */

/* 16 octets that no other message of the account has, the same in each run. */
static void emailid_of(const struct import *im, struct slice id, unsigned char ret[16])
{
    unsigned char digest[32];
    gnutls_hash_hd_t hash;
    if (gnutls_hash_init(&hash, GNUTLS_DIG_SHA256) || gnutls_hash(hash, "tandem import", 14) ||
        gnutls_hash(hash, im->path.ptr, im->path.len) || gnutls_hash(hash, "", 1) ||
        gnutls_hash(hash, id.ptr, id.len))
        abort();
    gnutls_hash_deinit(hash, digest);
    memcpy(ret, digest, 16);
}

/* The octets of a message up to its end, into `in` or (NULL) nowhere. *ret_why: the source has not
 * all of it. */
static bool take_octets(struct import *im, struct store_incoming *in, enum err *ret, char why[256])
{
    struct record record;
    *ret = ERR_OK;
    why[0] = '\0';
    while (record_next(&im->in, &record)) {
        if (record.type == RECORD_END) {
            size_t n = record.payload.len < 255 ? record.payload.len : 255;
            memcpy(why, n ? record.payload.ptr : "", n);
            why[n] = '\0';
            return true;
        }
        if (record.type != RECORD_OCTETS)
            break;
        if (in && !*ret)
            *ret = verb_incoming_write(in, record.payload);
    }
    im->stop = "the input broke off";
    return false;
}

/* What IMAP could not say is left out. */
static void check_keywords(struct import *im, struct record_message *message)
{
    size_t n = 0;
    for (size_t i = 0; i < message->nkeywords; i++) {
        struct slice keyword = message->keywords[i];
        if (mail_keyword_valid(keyword)) {
            message->keywords[n++] = keyword;
            continue;
        }
        im->noted = true;
        if (!im->keyword_odd)
            verb_complain(im->call, SLICE_FMT ": '" SLICE_FMT "' cannot be a keyword: left out",
                          SLICE_ARG(im->path), SLICE_ARG(slice_first(keyword, 200)));
        im->keyword_odd = true;
    }
    message->nkeywords = n;
}

static void fill(struct import *im, const struct record_message *message,
                 const unsigned char emailid[16])
{
    struct batch *batch = &im->batches[im->filling];
    struct store_import *import = &batch->messages[batch->n];
    char why[256];
    enum err e;
    *import = (struct store_import){
        .uid = message->uid, .order = message->order, .recent = message->recent};
    memcpy(import->emailid, emailid, sizeof import->emailid);
    e = store_incoming_new(im->account, store_account_limits(im->account)->message_octets,
                           &import->in);
    if (e) {
        im->stop = err_text(e);
        return;
    }
    store_incoming_set(import->in, message->flags, message->keywords, message->nkeywords,
                       message->date, message->zone);
    struct slice name = arena_dup(&batch->arena, message->name);
    import->uidl = arena_dup(&batch->arena, message->uidl);
    import->guid = arena_dup(&batch->arena, message->guid);
    arena_reset(&im->arena); /* the decoded message */
    bool whole = take_octets(im, import->in, &e, why);
    if (!whole || e || why[0]) {
        store_incoming_free(import->in);
        if (stopper(e))
            im->stop = stopper(e);
        else if (whole)
            skip(im, name,
                 why[0]            ? why
                 : e == ERR_TOOBIG ? "is larger than [store] message_size"
                                   : err_text(e));
        return;
    }
    batch->names[batch->n] = name;
    batch->sizes[batch->n] = store_incoming_size(import->in);
    batch->octets += batch->sizes[batch->n];
    idset_add(&im->known, emailid);
    if (++batch->n == BATCH_MESSAGES || batch->octets >= BATCH_OCTETS ||
        batch->arena.used > TEXTS_MAX / 2)
        submit(im);
}

static void take_message(struct import *im, struct slice payload)
{
    struct record_message message;
    unsigned char emailid[16];
    char why[256];
    enum err e;
    verb_progress(im->call, im->seen++, im->total.messages);
    if (!record_get_message(payload, &im->arena, &message)) {
        im->stop = "the input makes no sense";
        return;
    }
    if (im->open)
        emailid_of(im, message.id, emailid);
    if (im->open && !idset_has(&im->known, emailid) && !im->dry_run) {
        check_keywords(im, &message);
        fill(im, &message, emailid);
        return;
    }
    struct counts *count = im->open ? &im->here : &im->all;
    if (im->open && idset_has(&im->known, emailid))
        count->known++;
    else if (im->open)
        count->messages++, count->octets += message.size;
    else
        count->skipped++;
    arena_reset(&im->arena);
    (void)take_octets(im, NULL, &e, why);
}

/* --- the stream ------------------------------------------------------------------------------- */

static ssize_t read_input(void *arg, char *to, size_t cap)
{
    struct verb_call *call = arg;
    return call->io->read(call->io, to, cap);
}

/* False: it has ended, well or not. */
static bool take_record(struct import *im, const struct record *record)
{
    switch (record->type) {
    case RECORD_TOTAL:
        if (!record_get_total(record->payload, &im->arena, &im->total))
            break;
        return true;
    case RECORD_MAILBOX:
        begin_mailbox(im, record->payload);
        return !im->stop;
    case RECORD_MESSAGE:
        take_message(im, record->payload);
        return !im->stop;
    case RECORD_SUBSCRIBED:
        subscribe(im, record->payload);
        return true;
    case RECORD_COMPLAINT:
        (im->open ? &im->here : &im->all)->skipped++;
        verb_complain(im->call, SLICE_FMT, SLICE_ARG(record->payload));
        return true;
    case RECORD_NOTE:
        im->noted = true;
        verb_complain(im->call, SLICE_FMT, SLICE_ARG(record->payload));
        return true;
    case RECORD_FAILED:
        im->nothing = true;
        verb_complain(im->call, SLICE_FMT, SLICE_ARG(record->payload));
        return false;
    case RECORD_DONE:
        return false;
    case RECORD_OCTETS:
    case RECORD_END:
        break;
    }
    im->stop = "the input makes no sense";
    return false;
}

static int run(struct import *im)
{
    struct record record;
    bool more = true;
    verb_columns(im->call, columns);
    while (more) {
        more = record_next(&im->in, &record);
        if (!more)
            im->stop = "the input broke off";
        else
            more = take_record(im, &record);
    }
    end_mailbox(im);
    verb_progress(im->call, im->total.messages, im->total.messages);
    if (im->nothing)
        return EXIT_FAILED;
    verb_say(im->call, "%" PRIu64 " messages%s, %" PRIu64 " here already, %" PRIu64 " left out",
             im->all.messages, im->dry_run ? " to import" : " imported", im->all.known,
             im->all.skipped);
    if (im->stop) {
        verb_complain(im->call, "stopped: %s; run it again to go on", im->stop);
        return im->all.messages ? EXIT_PARTLY : EXIT_FAILED;
    }
    return im->all.skipped || im->noted ? EXIT_PARTLY : EXIT_DONE;
}

static void note_known(void *arg, const unsigned char emailid[16])
{
    idset_add(arg, emailid);
}

static int import_into(struct verb_call *call, const struct store_user *user, struct slice prefix,
                       bool dry_run)
{
    struct settings settings;
    auth_settings(call->config, user, &call->arena, &settings);
    struct store_limits limits = auth_limits(&settings);
    struct import *im = mem_new(sizeof *im);
    *im = (struct import){.call = call, .dry_run = dry_run, .prefix = prefix};
    arena_init(&im->arena, TEXTS_MAX);
    enum err e = store_account_open(call->reader, user, &limits, &im->account);
    if (!e) {
        store_account_set_actor(im->account, PROTO_CONTROL, 0);
        idset_init(&im->known);
        record_in_init(&im->in, read_input, call);
        for (unsigned i = 0; i < UNDER_WAY; i++)
            arena_init(&im->batches[i].arena, TEXTS_MAX);
        e = store_import_known(call->reader, im->account, note_known, &im->known);
    }
    int status =
        e ? verb_complain(call, SLICE_FMT ": %s", SLICE_ARG(user->login), err_text(e)) : run(im);
    for (unsigned i = 0; i < UNDER_WAY; i++)
        arena_reset(&im->batches[i].arena);
    arena_reset(&im->arena);
    idset_finish(&im->known);
    store_account_close(im->account);
    mem_free(im);
    return status;
}

int verb_import_mail(struct verb_call *call)
{
    struct store_user user;
    const char *mailbox = verb_option(call, "--mailbox");
    bool dry_run = verb_flag(call, "--dry-run");
    if (!verb_arguments(call, 1, 1))
        return EXIT_USAGE;
    if (!verb_user(call, call->argv[0], &user))
        return EXIT_FAILED;
    if (!busy_take(user.acct))
        return verb_complain(call, "%s: another import is under way", call->argv[0]);
    int status = import_into(call, &user, slice_str(mailbox ? mailbox : ""), dry_run);
    busy_leave(user.acct);
    return status;
}
