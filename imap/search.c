/* SEARCH and UID SEARCH: RFC 3501 section 6.4.4; RETURN: RFC 4731.
 *
 *      WALK   the store looks at the messages, slice by slice, partly in the pool
 *      TELL   the answer, piece by piece while the client takes it
 */
#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/config.h"
#include "core/mime/casemap.h"
#include "core/mime/charset.h"
#include "imap/command.h"
#include "imap/reply.h"
#include "imap/search_parse.h"
#include "imap/seqset.h"
#include "imap/session.h"

enum { TEXT_MAX = 256 << 10, NUMBERS_A_PIECE = 512 };

struct search {
    struct store_search *run;
    struct uidset *sets; /* of the TEST_UIDS, in the order of args->sets */
    size_t nsets;
    uint64_t until_ms;
    bool walked, begun;
    uint32_t told;   /* the last UID whose number is in the answer */
    bool range_open; /* ESEARCH ALL: ... */
    uint32_t range_first, range_last;
};

static void cleanup(struct session *s, struct command *c)
{
    struct search *x = c->progress;
    (void)s;
    store_search_free(x->run);
    for (size_t i = 0; i < x->nsets; i++)
        uidset_finish(&x->sets[i]);
}

/* --- before
 * ------------------------------------------------------------------------------------------ */

/* What is looked for, as it is compared: UTF-8, folded. ERR_BADCHARSET: no such charset, or the
 * octets are none of it. Without a charset octets above 0x7f are taken for UTF-8. */
static enum err fold(struct session *s, struct slice charset, struct slice *text)
{
    struct buf utf8, folded;
    struct charset *from = charset_open(charset.ptr && charset.len ? charset : SLICE("utf-8"));
    if (!from)
        return ERR_BADCHARSET;
    buf_init(&utf8, TEXT_MAX);
    buf_init(&folded, 2 * TEXT_MAX);
    enum err e = charset_put(from, *text, &utf8);
    if (!e)
        e = charset_end(from, &utf8);
    if (!e)
        e = casemap_append(buf_slice(&utf8), &folded);
    if (!e) {
        *text = arena_dup(&s->arena, buf_slice(&folded));
        e = text->ptr ? ERR_OK : ERR_LIMIT;
    }
    charset_close(from);
    buf_finish(&utf8);
    buf_finish(&folded);
    return e;
}

static void pool_is_back(void *object, const struct store_result *result)
{
    (void)result;
    session_resume(session_of(object));
}

static enum err prepare(struct session *s, struct command *c, struct search *x)
{
    struct search_args *args = c->args[0].search;
    enum err e = ERR_OK;
    if (args->keys > session_config(s)->imap.search_keys)
        return ERR_LIMIT;
    if (args->charset.ptr && args->charset.len) {
        struct charset *known = charset_open(args->charset);
        if (!known)
            return ERR_BADCHARSET;
        charset_close(known);
    }
    for (size_t i = 0; !e && i < args->n; i++) {
        struct store_test *t = &args->tests[i];
        if (t->kind == TEST_HEADER || t->kind == TEST_BODY || t->kind == TEST_TEXT)
            e = fold(s, args->charset, &t->text);
    }
    size_t n = 0;
    for (struct search_set *set = args->sets; set; set = set->next)
        n++;
    x->sets = arena_new(&s->arena, n * sizeof *x->sets);
    for (struct search_set *set = args->sets; !e && set; set = set->next) {
        struct uidset *uids = &x->sets[x->nsets++];
        e = seqset_uids(&set->set, set->uid, s->view, uids);
        args->tests[set->test].uids = uids;
    }
    if (!e)
        e = store_search_new(s->view, args->tests, args->n, session_to(s, pool_is_back), &x->run);
    return e;
}

/* --- the answer
 * -------------------------------------------------------------------------------------- */

static uint32_t number_of(const struct session *s, const struct command *c, uint32_t uid)
{
    return c->row->traits & CMD_UID ? uid : store_view_seqnum(s->view, uid);
}

/* * SEARCH n n n */
static enum step tell_search(struct session *s, struct command *c, struct search *x)
{
    const struct uidset *found = store_search_found(x->run);
    struct reply r;
    reply_begin(&r, s->conn);
    if (!x->begun)
        reply_str(&r, "* SEARCH");
    x->begun = true;
    for (unsigned n = 0; x->told < UINT32_MAX; n++) {
        uint32_t uid = uidset_next(found, x->told + 1);
        if (!uid)
            break;
        if (n == NUMBERS_A_PIECE) {
            reply_end(&r);
            return STEP_FULL;
        }
        reply_str(&r, " ");
        reply_u64(&r, number_of(s, c, uid));
        x->told = uid;
    }
    reply_str(&r, "\r\n");
    reply_end(&r);
    return command_ok(c, "Search completed");
}

static void put_range(struct reply *r, struct search *x, bool first)
{
    if (!first)
        reply_str(r, ",");
    reply_u64(r, x->range_first);
    if (x->range_last != x->range_first) {
        reply_str(r, ":");
        reply_u64(r, x->range_last);
    }
}

/* "ALL set": numbers in a row become a range, as they come. */
static enum step tell_all(struct session *s, struct command *c, struct search *x, struct reply *r)
{
    const struct uidset *found = store_search_found(x->run);
    bool first = !x->range_open && x->told == 0;
    for (unsigned n = 0; x->told < UINT32_MAX; n++) {
        uint32_t uid = uidset_next(found, x->told + 1);
        if (!uid)
            break;
        if (n == NUMBERS_A_PIECE)
            return STEP_FULL;
        uint32_t number = number_of(s, c, uid);
        x->told = uid;
        if (x->range_open && number == x->range_last + 1) {
            x->range_last = number;
            continue;
        }
        if (x->range_open)
            put_range(r, x, first);
        first = first && !x->range_open;
        x->range_open = true;
        x->range_first = x->range_last = number;
    }
    if (x->range_open)
        put_range(r, x, first);
    return STEP_DONE;
}

/* * ESEARCH (TAG "a") UID MIN 1 MAX 9 COUNT 4 ALL 1:3,9 */
static enum step tell_esearch(struct session *s, struct command *c, struct search *x)
{
    const struct uidset *found = store_search_found(x->run);
    unsigned wants = c->args[0].search->wants;
    struct reply r;
    reply_begin(&r, s->conn);
    if (!x->begun) {
        reply_str(&r, "* ESEARCH (TAG ");
        reply_string(&r, c->tag);
        reply_str(&r, c->row->traits & CMD_UID ? ") UID" : ")");
        if (wants & RETURN_MIN && !uidset_empty(found)) {
            reply_str(&r, " MIN ");
            reply_u64(&r, number_of(s, c, found->ranges[0].first));
        }
        if (wants & RETURN_MAX && !uidset_empty(found)) {
            reply_str(&r, " MAX ");
            reply_u64(&r, number_of(s, c, found->ranges[found->n - 1].last));
        }
        if (wants & RETURN_COUNT) {
            reply_str(&r, " COUNT ");
            reply_u64(&r, uidset_count(found));
        }
        if (wants & RETURN_ALL && !uidset_empty(found))
            reply_str(&r, " ALL ");
        x->begun = true;
    }
    enum step step = wants & RETURN_ALL ? tell_all(s, c, x, &r) : STEP_DONE;
    if (step == STEP_DONE)
        reply_str(&r, "\r\n");
    reply_end(&r);
    return step == STEP_DONE ? command_ok(c, "Search completed") : step;
}

/* --- the command
 * ------------------------------------------------------------------------------------- */

static enum step walk(struct command *c, struct search *x)
{
    enum err e = store_search_step(x->run);
    if (e != ERR_OK && clock_mono_ms() > x->until_ms)
        return command_fail(c, ERR_LIMIT, "Search takes too long");
    if (e == ERR_AGAIN)
        return STEP_FULL; /* others first */
    if (e == ERR_BUSY)
        return STEP_WAIT;
    if (e)
        return command_fail(c, e, NULL);
    x->walked = true;
    return STEP_DONE;
}

enum step imap_search(struct session *s, struct command *c)
{
    struct search *x = session_progress(s, sizeof *x);
    if (c->args[0].search->depth > conn_config(s->conn)->limits.depth)
        return command_fail(c, ERR_SYNTAX, "Nested too deeply");
    if (!x->run) {
        c->cleanup = cleanup;
        enum err e = prepare(s, c, x);
        if (e == ERR_BADCHARSET)
            c->code = SLICE("BADCHARSET (US-ASCII UTF-8)");
        if (e)
            return command_fail(c, e, e == ERR_SYNTAX ? "No such message" : NULL);
        x->until_ms = clock_mono_ms() + session_config(s)->imap.search_time_ms;
    }
    if (!x->walked) {
        enum step step = walk(c, x);
        if (!x->walked)
            return step;
    }
    return c->args[0].search->esearch ? tell_esearch(s, c, x) : tell_search(s, c, x);
}
