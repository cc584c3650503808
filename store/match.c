/* A search over a view:
 *
 *      loop: rows of the next messages -> verdicts --open--> batch --> pool: octets -> verdicts
 *              ^                             |                            |
 *              '------- next slice ----------+---- found / not <----------'
 *
 * The view is its loop's; a job has only bodies that were pinned for it, so it may outlive the
 * view. */
#include "store/match.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/mime/header.h"
#include "core/net/worker.h"
#include "store/body.h"
#include "store/column.h"
#include "store/view.h"

enum {
    SLICE_NS = 4 * 1000 * 1000,
    LOOK_EVERY = 16,     /* messages between two looks at the clock */
    BATCH_MESSAGES = 64, /* of one job, and at most so many octets, unless one alone has more */
    BATCH_OCTETS = 4 << 20,
    COLUMNS_TAKEN = 8, /* by one search */
    COLUMN_TESTS = 64  /* that go by them: each looks through 128 messages at once */
};

struct item {
    uint32_t uid, hdr_len;
    struct store_body *body;
    struct slice parts; /* in the batch, as the verdicts; empty: not stored */
    uint8_t *verdicts;
};

/* What the pool looks at; it owns itself once the search has gone. */
struct batch {
    struct job job;
    struct store_search *search; /* the loop's; NULL: cancelled */
    struct store *store;
    struct store_to to;
    struct store_test *tests; /* a copy with its texts: the session may go */
    size_t ntests;
    size_t n;
    uint64_t octets;
    enum err err;
    struct item item[BATCH_MESSAGES];
    struct arena arena;
};

/* What a TEST_HEADER goes by. */
struct field {
    bool in_digest;
    struct column *column; /* several tests of a name share one; NULL: none */
    struct column_look look;
};

struct store_search {
    struct store_view *view;
    const struct store_test *tests;
    struct field *fields; /* one for each test */
    struct columns *columns;
    struct {
        size_t test; /* the first that goes by it */
        struct column *column;
    } taken[COLUMNS_TAKEN];
    size_t n, ntaken;
    struct store_to to;
    struct uidset all;
    struct store_cursor cursor; /* wants what the message before could not do without */
    uint32_t bucket;            /* in which it did */
    bool walked;                /* no message is left to look at */
    struct batch *batch;        /* being filled, or with the pool */
    bool under_way;
    enum err err;
    struct uidset found;
    uint8_t *verdicts;
    struct match_room room;
};

/* --- verdicts
 * -------------------------------------------------------------------------------------- */

enum verdict match_answer(const struct store_test *tests, size_t n, const uint8_t *verdicts)
{
    uint8_t stack[STORE_TESTS_MAX];
    size_t top = 0;
    for (size_t i = 0; i < n; i++) {
        if (tests[i].kind == TEST_NOT) {
            if (stack[top - 1] != VERDICT_OPEN)
                stack[top - 1] = stack[top - 1] == VERDICT_NO;
        } else if (tests[i].kind == TEST_AND || tests[i].kind == TEST_OR) {
            uint8_t decides = tests[i].kind == TEST_AND ? VERDICT_NO : VERDICT_YES;
            uint8_t all = tests[i].kind == TEST_AND ? VERDICT_YES : VERDICT_NO;
            for (unsigned k = 0; k < tests[i].n; k++) {
                uint8_t v = stack[--top];
                if (v == decides)
                    all = decides;
                else if (v == VERDICT_OPEN && all != decides)
                    all = VERDICT_OPEN;
            }
            stack[top++] = all;
        } else {
            stack[top++] = verdicts[i];
        }
    }
    return stack[0];
}

/* Does the stack never run dry, and is one verdict left? */
static bool is_query(const struct store_test *tests, size_t n)
{
    size_t top = 0;
    for (size_t i = 0; i < n; i++) {
        size_t takes = tests[i].kind == TEST_NOT                               ? 1
                       : tests[i].kind == TEST_AND || tests[i].kind == TEST_OR ? tests[i].n
                                                                               : 0;
        if (takes > top)
            return false;
        top = top - takes + 1;
    }
    return top == 1;
}

static int32_t day_of(int64_t seconds)
{
    return (int32_t)(seconds >= 0 ? seconds / 86400 : -((-seconds + 86399) / 86400));
}

static bool keyword(const struct store_view *view, uint64_t bits, struct slice name)
{
    for (unsigned i = 0; i < store_view_nkeywords(view); i++)
        if (bits >> i & 1 && slice_ieq(store_view_keyword(view, i), name))
            return true;
    return false;
}

/* From the column; else from the digest, and then the column has it too. */
static enum verdict look_at_field(struct store_search *search, size_t i,
                                  const struct store_message *m, struct slice digest)
{
    const struct store_test *t = &search->tests[i];
    struct field *field = &search->fields[i];
    struct column *column = field->column;
    struct slice values;
    bool found;
    if (column && column_find(column, &field->look, m->uid, t->text, &found))
        return (enum verdict)found;
    if (!digest.ptr || !field->in_digest)
        return VERDICT_OPEN;
    if (column && match_values(&search->room, t->field, digest, &values))
        column_add(column, m->uid, values);
    return (enum verdict)match_header(&search->room, t, digest);
}

/* From the rows; VERDICT_OPEN where they do not tell. */
static enum verdict look(struct store_search *search, size_t i, const struct store_message *m,
                         struct slice digest)
{
    const struct store_test *t = &search->tests[i];
    int32_t day;
    switch (t->kind) {
    case TEST_ALL:
        return VERDICT_YES;
    case TEST_UIDS:
        return uidset_has(t->uids, m->uid);
    case TEST_FLAGS:
        return (m->sysflags & t->sysflags) == t->sysflags;
    case TEST_KEYWORD:
        return keyword(search->view, m->keywords, t->text);
    case TEST_RECENT:
        return m->recent;
    case TEST_LARGER:
        return m->size > t->size;
    case TEST_SMALLER:
        return m->size < t->size;
    case TEST_ARRIVED:
        day = day_of((int64_t)m->internaldate + m->zone * 900);
        return day >= t->from && day < t->to;
    case TEST_SENT:
        return digest.ptr ? (enum verdict)match_sent(t, digest) : VERDICT_OPEN;
    case TEST_HEADER:
        return look_at_field(search, i, m, digest);
    case TEST_BODY:
    case TEST_TEXT:
        return VERDICT_OPEN;
    case TEST_NOT:
    case TEST_AND:
    case TEST_OR:
        break;
    }
    return VERDICT_NO;
}

/* --- the pool's part
 * ---------------------------------------------------------------------------------- */

static void batch_free(struct batch *batch)
{
    for (size_t i = 0; i < batch->n; i++)
        store_body_close(batch->item[i].body);
    arena_reset(&batch->arena);
    mem_free(batch);
}

static void batch_run(struct job *job, void *thread_ctx)
{
    (void)thread_ctx;
    struct batch *batch = (struct batch *)job;
    struct store_reader *reader;
    struct match_room room;
    batch->err = store_reader_new(batch->store, NULL, &reader);
    if (batch->err)
        return;
    match_room_init(&room);
    for (size_t i = 0; !batch->err && i < batch->n && !atomic_load(&job->cancelled); i++) {
        const struct item *item = &batch->item[i];
        struct match_body message = {reader, item->body, item->hdr_len, item->parts,
                                     &job->cancelled};
        batch->err = match_text(&room, &message, batch->tests, batch->ntests, item->verdicts);
        store_reader_idle(reader); /* no snapshot is held longer than one message takes */
    }
    match_room_finish(&room);
    store_reader_free(reader);
}

/* The search's batch has been looked at. */
static void batch_take(struct store_search *search)
{
    struct batch *batch = search->batch;
    search->batch = NULL;
    search->err = batch->err;
    for (size_t i = 0; !search->err && i < batch->n; i++)
        if (match_answer(search->tests, search->n, batch->item[i].verdicts) == VERDICT_YES)
            uidset_add(&search->found, batch->item[i].uid, batch->item[i].uid);
    batch_free(batch);
}

static void batch_done(struct job *job)
{
    struct batch *batch = (struct batch *)job;
    struct store_search *search = batch->search;
    if (!search) {
        batch_free(batch);
        return;
    }
    struct store_to to = batch->to;
    search->under_way = false;
    batch_take(search);
    void *object = loop_id_find(to.loop, to.id);
    struct store_result result = {.err = search->err};
    if (object)
        to.done(object, &result);
}

static struct batch *batch_new(const struct store_search *search)
{
    struct batch *batch = mem_new(sizeof *batch);
    arena_init(&batch->arena, SIZE_MAX);
    batch->job.run = batch_run;
    batch->job.done = batch_done;
    batch->job.loop = search->to.loop;
    batch->store = view_account(search->view)->store;
    batch->to = search->to;
    batch->ntests = search->n;
    batch->tests = arena_new(&batch->arena, search->n * sizeof *batch->tests);
    memcpy(batch->tests, search->tests, search->n * sizeof *batch->tests);
    for (size_t i = 0; i < search->n; i++) {
        batch->tests[i].field = arena_dup(&batch->arena, search->tests[i].field);
        batch->tests[i].text = arena_dup(&batch->arena, search->tests[i].text);
        batch->tests[i].uids = NULL; /* the rows have told */
    }
    return batch;
}

static enum err batch_add(struct store_search *search, const struct store_message *m)
{
    struct store_structure structure;
    struct store_body *body;
    const struct store_view *view = search->view;
    enum err e = body_open_blob(view->reader, view->account->env, m->blob, &body);
    if (e)
        return e == ERR_GONE ? ERR_OK : e; /* expunged while we looked: not found */
    if (!search->batch)
        search->batch = batch_new(search);
    struct batch *batch = search->batch;
    struct item *item = &batch->item[batch->n++];
    *item = (struct item){.uid = m->uid, .hdr_len = m->hdr_len, .body = body};
    if (store_structure(m, &structure) == ERR_OK)
        item->parts = arena_dup(&batch->arena, structure.parts);
    item->verdicts = arena_new(&batch->arena, search->n);
    memcpy(item->verdicts, search->verdicts, search->n);
    batch->octets += m->size;
    return ERR_OK;
}

static bool batch_is_full(const struct batch *batch)
{
    return batch && (batch->n == BATCH_MESSAGES || batch->octets >= BATCH_OCTETS);
}

static enum err batch_submit(struct store_search *search)
{
    struct batch *batch = search->batch;
    batch->search = search;
    if (!search->to.loop) { /* a worker or a tool may look itself; its rows are given back first */
        store_reader_idle(search->view->reader);
        batch_run(&batch->job, NULL);
        batch_take(search);
        return search->err ? search->err : search->walked ? ERR_OK : ERR_AGAIN;
    }
    enum err e = pool_submit(batch->store->pool, &batch->job);
    if (e)
        return e; /* the queue is full: it stays, for a later turn */
    search->under_way = true;
    return ERR_BUSY;
}

/* --- the loop's part
 * ---------------------------------------------------------------------------------- */

/* NULL: this field has none, or the search has enough of them. */
static struct column *column_for(struct store_search *search, size_t i)
{
    const struct store_account *account = view_account(search->view);
    struct slice name = search->tests[i].field;
    for (size_t k = 0; k < search->ntaken; k++)
        if (slice_ieq(search->tests[search->taken[k].test].field, name))
            return search->taken[k].column;
    if (search->ntaken == COLUMNS_TAKEN)
        return NULL;
    struct column *column =
        column_take(search->columns, account->a, view_mailbox(search->view), name);
    if (column) {
        search->taken[search->ntaken].test = i;
        search->taken[search->ntaken++].column = column;
    }
    return column;
}

/* Needles with a line end are not looked for in columns, whose texts have one between them. */
static void read_fields(struct store_search *search)
{
    unsigned tests = 0;
    for (size_t i = 0; i < search->n; i++) {
        const struct store_test *t = &search->tests[i];
        struct field *field = &search->fields[i];
        if (t->kind != TEST_HEADER || !header_in_digest(t->field))
            continue;
        field->in_digest = true;
        if (slice_find(t->text, '\n') == t->text.len && tests++ < COLUMN_TESTS)
            field->column = column_for(search, i);
    }
}

enum err store_search_new(struct store_view *view, const struct store_test *tests, size_t n,
                          struct store_to to, struct store_search **ret)
{
    if (n > STORE_TESTS_MAX)
        return ERR_LIMIT;
    if (!is_query(tests, n))
        return ERR_BUG;
    struct store_search *search = mem_new(sizeof *search);
    struct uidset every = {0};
    search->view = view;
    search->tests = tests;
    search->n = n;
    search->to = to;
    search->verdicts = mem_new_array(n, 1);
    search->fields = mem_new_array(n, sizeof *search->fields);
    match_room_init(&search->room);
    search->columns = view_account(view)->store->columns;
    read_fields(search);
    uidset_add(&every, 1, UINT32_MAX);
    store_view_select(view, &every, &search->all);
    uidset_finish(&every);
    store_cursor_init(&search->cursor, view, &search->all, WANT_HOT, 0);
    *ret = search;
    return ERR_OK;
}

static enum err look_at(struct store_search *search, const struct store_message *m)
{
    struct slice digest = SLICE_NONE;
    uint32_t bucket = m->uid >> BUCKET_SHIFT;
    if (m->ghost)
        return ERR_OK;
    bool has_rows = search->cursor.want != WANT_HOT;
    if (has_rows && bucket != search->bucket)
        search->cursor.want = WANT_HOT;
    if (m->cache.ptr && cache_find(m->cache, CACHE_HEADER, &digest) != ERR_OK)
        digest = SLICE_NONE;
    for (size_t i = 0; i < search->n; i++)
        search->verdicts[i] = (uint8_t)look(search, i, m, digest);
    switch (match_answer(search->tests, search->n, search->verdicts)) {
    case VERDICT_YES:
        uidset_add(&search->found, m->uid, m->uid);
        return ERR_OK;
    case VERDICT_OPEN:
        if (has_rows)
            return batch_add(search, m);
        search->cursor.want = WANT_MSG | WANT_CACHE; /* once more, and its neighbours */
        search->cursor.next_uid = m->uid;
        search->bucket = bucket;
        return ERR_OK;
    case VERDICT_NO:
        break;
    }
    return ERR_OK;
}

enum err store_search_step(struct store_search *search)
{
    if (search->err)
        return search->err;
    if (search->under_way)
        return ERR_BUSY;
    uint64_t until = clock_mono_ns() + SLICE_NS;
    for (unsigned n = 1; !search->walked && !batch_is_full(search->batch); n++) {
        struct store_message m;
        enum err e = store_cursor_next(&search->cursor, &m);
        if (e == ERR_NOTFOUND)
            search->walked = true;
        else if (!e)
            e = look_at(search, &m);
        if (e && e != ERR_NOTFOUND)
            return e;
        if (n % LOOK_EVERY == 0 && clock_mono_ns() > until)
            return ERR_AGAIN;
    }
    return search->batch ? batch_submit(search) : ERR_OK;
}

const struct uidset *store_search_found(const struct store_search *search)
{
    return &search->found;
}

void store_search_free(struct store_search *search)
{
    if (!search)
        return;
    if (search->batch && search->under_way) {
        search->batch->search = NULL;
        atomic_store(&search->batch->job.cancelled, true);
    } else if (search->batch) {
        batch_free(search->batch);
    }
    uidset_finish(&search->all);
    uidset_finish(&search->found);
    for (size_t i = 0; i < search->ntaken; i++)
        column_give(search->columns, search->taken[i].column);
    match_room_finish(&search->room);
    mem_free(search->fields);
    mem_free(search->verdicts);
    mem_free(search);
}
