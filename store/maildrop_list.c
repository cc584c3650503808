/* Freezing the listing of a maildrop: every slot of its folders is judged by the rules, once.
 *
 *      folder by folder: hot --popview_judge--> shown or hidden      (UID order)
 *      max_messages:     the newest of all folders stay              (the marks move)
 *      imported order:   those come first, then folder by folder
 */
#include "store/maildrop.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "store/gone.h"
#include "store/popview.h"

/* A message whose place in the listing was imported with its UIDL. */
struct ordered {
    uint32_t order, folder, uid;
};

/* Of a message, while max_messages is looked at. */
enum { TRAIT_POPPED = 1, TRAIT_EXEMPT = 2 };
struct candidate {
    uint32_t saved;
    uint8_t traits;
};

struct making {
    struct store_maildrop *drop;
    struct store_reader *reader;
    struct engine_txn *txn;
    const struct env *env;
    const struct store_poprule *rule;
    uint32_t a, now;
    struct listing *list;
    uint32_t cap, runs_cap, hidden_cap;
    struct ordered *ordered; /* by folder and UID until all folders have been read */
    size_t nordered, ordered_cap;
    struct candidate *candidates; /* of each message; NULL without max_messages */
    uint32_t *marks;              /* of each folder: no message below this UID */
    struct uidset before;         /* the own view at its last login */
    bool back;                    /* the folder being read was out of view */
    bool overrides;
};

/* Folders say how many they have: there is seldom anything to spare. */
static void reserve(struct making *k, uint32_t n)
{
    if (n <= k->cap)
        return;
    k->cap += k->cap / 8;
    k->cap = n > k->cap ? n : k->cap;
    k->list->messages = mem_resize(k->list->messages, k->cap * sizeof *k->list->messages);
    if (k->candidates)
        k->candidates = mem_resize(k->candidates, k->cap * sizeof *k->candidates);
}

static void add_message(struct making *k, uint32_t uid, uint32_t size)
{
    struct listing *list = k->list;
    reserve(k, list->n + 1);
    list->messages[list->n++] = (struct listed){uid, size};
    list->octets += size;
}

static void add_run(struct making *k, uint32_t first, uint32_t m, uint32_t uidvalidity)
{
    struct listing *list = k->list;
    if (list->nruns == k->runs_cap) {
        k->runs_cap = k->runs_cap ? k->runs_cap * 2 : 4;
        list->runs = mem_resize(list->runs, k->runs_cap * sizeof *list->runs);
    }
    list->runs[list->nruns++] = (struct run){first, m, uidvalidity};
}

/* --- what is hidden ------------------------------------------------------------------------------
 */

static void hide(struct making *k, uint32_t m, struct listed message, enum store_hidden why)
{
    struct store_maildrop *drop = k->drop;
    if (!k->rule->explain)
        return;
    if (drop->nhidden == k->hidden_cap) {
        k->hidden_cap = k->hidden_cap ? k->hidden_cap * 2 : 64;
        drop->hidden = mem_resize(drop->hidden, k->hidden_cap * sizeof *drop->hidden);
    }
    drop->hidden[drop->nhidden++] = (struct store_pophidden){
        .size = message.size, .uid = message.uid, .mailbox = m, .why = why};
}

/* A client has it, and will forget that it has it. */
static void hide_for_good(struct making *k, uint32_t m, uint32_t uid)
{
    struct shown *shown = &k->drop->shown;
    if (k->rule->recent)
        return;
    if (shown->nhide == shown->hide_cap) {
        shown->hide_cap = shown->hide_cap ? shown->hide_cap * 2 : 64;
        shown->hide = mem_resize(shown->hide, shown->hide_cap * sizeof *shown->hide);
    }
    shown->hide[shown->nhide++] = (struct shown_place){m, uid};
}

/* --- folder by folder ----------------------------------------------------------------------------
 */

static void see(struct making *k, uint32_t uid, const struct hot_slot *slot)
{
    uint32_t folder = k->list->nruns - 1, m = k->list->runs[folder].m;
    bool exempt = popview_is_exempt(k->rule, k->now, slot);
    bool popped = (slot->sysflags & (SYSFLAG_POP | SYSFLAG_HIDDEN)) == SYSFLAG_POP;
    enum store_hidden why =
        popped && k->back && !exempt ? HIDDEN_FOR_GOOD : popview_judge(k->rule, k->now, slot);
    if (!why && !exempt && uid < k->marks[folder])
        why = HIDDEN_OLDER;
    if (why) {
        hide(k, m, (struct listed){uid, slot->size}, why);
        if (popped)
            hide_for_good(k, m, uid);
        return;
    }
    add_message(k, uid, slot->size);
    if (k->candidates)
        k->candidates[k->list->n - 1] = (struct candidate){
            .saved = slot->savedate,
            .traits = (uint8_t)((popped ? TRAIT_POPPED : 0) | (exempt ? TRAIT_EXEMPT : 0))};
}

static enum err add_bucket(struct making *k, struct slice key, struct slice value)
{
    struct hot_row now;
    uint32_t bucket;
    if (k->reader->loop && !engine_resident(value))
        return ERR_AGAIN;
    enum err e = hot_open(value, &now);
    if (e || !key_get32(key, 8, &bucket))
        return ERR_CORRUPT;
    for (unsigned bit = 0; bit < BUCKET_UIDS; bit++) {
        struct hot_slot slot;
        if (!hot_has(&now, bit))
            continue;
        hot_read(&now, bit, &slot);
        see(k, (bucket << BUCKET_SHIFT) + bit, &slot);
    }
    return ERR_OK;
}

/* Every row of `table` in (a, m), in order. */
static enum err each_row(struct making *k, unsigned table, uint32_t m,
                         enum err (*row)(struct making *k, struct slice key, struct slice value))
{
    struct engine_cursor cursor;
    struct key key;
    struct slice prefix = key_am(&key, k->a, m);
    enum err e = engine_cursor_open(k->txn, table, prefix, &cursor);
    if (!e)
        e = engine_seek(&cursor, prefix);
    while (!e) {
        e = row(k, cursor.key, cursor.value);
        if (!e)
            e = engine_next(&cursor);
    }
    engine_cursor_close(&cursor);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

static enum err add_ordered(struct making *k, struct slice key, struct slice value)
{
    struct row_uidl row;
    uint32_t uid;
    enum err e = row_uidl_decode(value, &row);
    if (e || !key_get32(key, 8, &uid))
        return ERR_CORRUPT;
    if (row.order == 0)
        return ERR_OK;
    if (k->nordered == k->ordered_cap) {
        k->ordered_cap = k->ordered_cap ? k->ordered_cap * 2 : 64;
        k->ordered = mem_resize(k->ordered, k->ordered_cap * sizeof *k->ordered);
    }
    k->ordered[k->nordered++] = (struct ordered){row.order, k->list->nruns - 1, uid};
    return ERR_OK;
}

/* Until the listing is put in order a folder is one run, even if it is empty. */
static enum err add_folder(struct making *k, struct slice path)
{
    struct listing *list = k->list;
    struct box box;
    enum err e = box_find(k->txn, k->env, k->a, path, &box);
    if (e)
        return e;
    for (uint32_t i = 0; i < list->nruns; i++)
        if (list->runs[i].m == box.m)
            return ERR_OK; /* named twice */
    boxes_pin_told(k->reader->store, k->a, box.m, box.row.highestmodseq,
                   &list->pins[list->npins++]);
    if (k->rule->max_messages)
        e = popview_mark_load(k->txn, k->a, box.m, k->rule->max_messages, &k->marks[list->nruns]);
    if (e)
        return e;
    k->back = k->rule->own && !uidset_has(&k->before, box.m);
    add_run(k, list->n, box.m, box.row.uidvalidity);
    reserve(k, list->n + box.row.exists);
    e = each_row(k, DBI_HOT, box.m, add_bucket);
    if (!e && k->overrides)
        e = each_row(k, DBI_UIDL, box.m, add_ordered);
    return e;
}

static uint32_t run_end(const struct listing *list, uint32_t run)
{
    return run + 1 < list->nruns ? list->runs[run + 1].first : list->n;
}

/* --- max_messages --------------------------------------------------------------------------------
 */

/* Of each folder, how many of its messages are too old: the newest of all stay, by the time they
 * came into their folder, which rises with the UID. */
static void count_older(struct making *k, uint32_t *older)
{
    const struct listing *list = k->list;
    for (uint32_t run = 0; run < list->nruns; run++)
        older[run] = run_end(list, run) - list->runs[run].first;
    for (uint32_t left = k->rule->max_messages; left; left--) {
        uint32_t newest = list->nruns;
        for (uint32_t run = 0; run < list->nruns; run++)
            if (older[run] &&
                (newest == list->nruns ||
                 k->candidates[list->runs[run].first + older[run] - 1].saved >
                     k->candidates[list->runs[newest].first + older[newest] - 1].saved))
                newest = run;
        if (newest == list->nruns)
            return;
        older[newest]--;
    }
}

static void move_mark(struct making *k, uint32_t run, uint32_t uid)
{
    struct shown *shown = &k->drop->shown;
    if (uid <= k->marks[run] || k->rule->recent)
        return;
    shown->max_messages = k->rule->max_messages;
    shown->marks = mem_resize(shown->marks, (shown->nmarks + 1) * sizeof *shown->marks);
    shown->marks[shown->nmarks++] = (struct shown_mark){k->list->runs[run].m, uid};
}

/* Hides the older ones of one folder, and closes the gap; *at: where the listing is so far. */
static void keep_newest(struct making *k, uint32_t run, uint32_t end, uint32_t older, uint32_t *at)
{
    struct listing *list = k->list;
    uint32_t first = list->runs[run].first, m = list->runs[run].m;
    list->runs[run].first = *at;
    if (older)
        move_mark(k, run, list->messages[first + older - 1].uid + 1);
    for (uint32_t i = first; i < end; i++) {
        if (i >= first + older || (k->candidates[i].traits & TRAIT_EXEMPT)) {
            list->messages[(*at)++] = list->messages[i];
            continue;
        }
        list->octets -= list->messages[i].size;
        hide(k, m, list->messages[i], HIDDEN_OLDER);
        if (k->candidates[i].traits & TRAIT_POPPED)
            hide_for_good(k, m, list->messages[i].uid);
    }
}

static void keep_newest_of_all(struct making *k)
{
    struct listing *list = k->list;
    uint32_t at = 0, *older = mem_new_array(list->nruns, sizeof *older);
    count_older(k, older);
    for (uint32_t run = 0, end; run < list->nruns; run++) {
        end = run_end(list, run);
        keep_newest(k, run, end, older[run], &at);
    }
    list->n = at;
    mem_free(older);
}

/* --- imported order: those first, then the rest by folder and UID
 * --------------------------------- */

static int by_order(const void *a, const void *b)
{
    const struct ordered *x = a, *y = b;
    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    if (x->folder != y->folder)
        return x->folder < y->folder ? -1 : 1;
    return (x->uid > y->uid) - (x->uid < y->uid);
}

static int by_uid(const void *a, const void *b)
{
    const struct listed *x = a, *y = b;
    return (x->uid > y->uid) - (x->uid < y->uid);
}

static void put(struct making *k, const struct run *of, struct listed message)
{
    struct listing *list = k->list;
    if (list->nruns == 0 || list->runs[list->nruns - 1].m != of->m)
        add_run(k, list->n, of->m, of->uidvalidity);
    add_message(k, message.uid, message.size);
}

static void put_in_order(struct making *k)
{
    struct listing *list = k->list, old = *list;
    if (k->nordered == 0)
        return;
    qsort(k->ordered, k->nordered, sizeof *k->ordered, by_order);
    list->messages = NULL;
    list->runs = NULL;
    list->n = list->nruns = k->cap = k->runs_cap = 0;
    list->octets = 0;
    reserve(k, old.n);
    for (size_t i = 0; i < k->nordered; i++) {
        const struct ordered *o = &k->ordered[i];
        uint32_t first = old.runs[o->folder].first;
        struct listed wanted = {.uid = o->uid};
        struct listed *message = bsearch(&wanted, old.messages + first,
                                         run_end(&old, o->folder) - first, sizeof wanted, by_uid);
        if (!message)
            continue; /* hidden, or expunged: its rows stay for the undelete window */
        put(k, &old.runs[o->folder], *message);
        message->size |= 1u << 31; /* taken; sizes are below 2 GiB */
    }
    for (uint32_t run = 0; run < old.nruns; run++)
        for (uint32_t i = old.runs[run].first; i < run_end(&old, run); i++)
            if (!(old.messages[i].size >> 31))
                put(k, &old.runs[run], old.messages[i]);
    mem_free(old.messages);
    mem_free(old.runs);
}

/* --- all of it -----------------------------------------------------------------------------------
 */

/* The folders of the own view, if they are others than last time. */
static void note_view(struct making *k)
{
    struct uidset *view = &k->drop->shown.view;
    bool same = uidset_count(&k->before) == k->list->nruns;
    if (!k->rule->own || k->rule->recent)
        return;
    for (uint32_t run = 0; run < k->list->nruns; run++) {
        uint32_t m = k->list->runs[run].m;
        same = same && uidset_has(&k->before, m);
        uidset_add(view, m, m);
    }
    if (same)
        uidset_finish(view);
}

static enum err read_folders(struct making *k)
{
    enum err e = k->rule->own ? popview_load(k->txn, k->env, k->a, &k->before) : ERR_OK;
    for (size_t i = 0; !e && i < k->rule->nfolders; i++) {
        e = add_folder(k, k->rule->folders[i]);
        if (e == ERR_NOTFOUND)
            e = ERR_OK; /* one of several; whether it was the only one shows below */
    }
    return !e && k->list->nruns == 0 ? ERR_NOTFOUND : e;
}

enum err maildrop_freeze(struct store_maildrop *drop, struct store_reader *reader,
                         struct engine_txn *txn, const struct store_poprule *rule)
{
    struct making k = {.drop = drop,
                       .reader = reader,
                       .txn = txn,
                       .env = drop->account->env,
                       .rule = rule,
                       .a = drop->account->a,
                       .now = clock_wall(),
                       .list = mem_new(sizeof *k.list),
                       .overrides = drop->overrides};
    drop->list = k.list;
    atomic_init(&k.list->refs, 1);
    k.list->pins = mem_new_array(rule->nfolders + 1, sizeof *k.list->pins);
    boxes_pin_told(reader->store, k.a, MOVED_ANYWHERE, 0, &k.list->pins[k.list->npins++]);
    k.marks = mem_new_array(rule->nfolders + 1, sizeof *k.marks);
    if (rule->max_messages)
        k.candidates = mem_new(sizeof *k.candidates);
    enum err e = read_folders(&k);
    if (!e) {
        note_view(&k);
        if (k.list->nruns > 1)
            drop->first_m = k.list->runs[0].m;
        if (k.list->n > rule->max_messages && rule->max_messages)
            keep_newest_of_all(&k);
        mem_free(k.candidates);
        k.candidates = NULL;
        put_in_order(&k);
        if (k.list->n && k.list->n < k.cap) /* the rest was hidden */
            k.list->messages = mem_resize(k.list->messages, k.list->n * sizeof *k.list->messages);
    }
    mem_free(k.candidates);
    mem_free(k.marks);
    mem_free(k.ordered);
    uidset_finish(&k.before);
    return e;
}

void listing_unref(struct listing *list)
{
    if (!list || atomic_fetch_sub(&list->refs, 1) > 1)
        return;
    for (size_t i = 0; i < list->npins; i++)
        boxes_unpin_told(&list->pins[i]);
    mem_free(list->pins);
    mem_free(list->messages);
    mem_free(list->runs);
    mem_free(list);
}

const struct run *listing_run(const struct listing *list, uint32_t i)
{
    uint32_t lo = 0, hi = list->nruns;
    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (list->runs[mid].first <= i)
            lo = mid;
        else
            hi = mid;
    }
    return &list->runs[lo];
}

void shown_finish(struct shown *shown)
{
    mem_free(shown->hide);
    mem_free(shown->marks);
    uidset_finish(&shown->view);
    *shown = (struct shown){0};
}
