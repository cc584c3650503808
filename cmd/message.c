/* tandem copy, expunge, flags, move. */
#include "cmd/message.h"

#include <stdio.h>
#include <string.h>

#include "cmd/setup.h"
#include "core/base/mem.h"

/* --- a mailbox -------------------------------------------------------------------------------- */

bool mail_open(struct verb_call *call, const char *name, const char *mailbox, struct mail *ret)
{
    *ret = (struct mail){0};
    if (!verb_path(call, mailbox, &ret->path) || !verb_account(call, name, &ret->account))
        return false;
    enum err e = store_view_open(call->reader, ret->account, ret->path, VIEW_READ_ONLY, &ret->view);
    store_reader_idle(call->reader);
    if (!e)
        return true;
    verb_complain(call, "%s: %s", mailbox,
                  e == ERR_NOTFOUND ? "there is no such mailbox" : err_text(e));
    mail_close(ret);
    return false;
}

void mail_close(struct mail *mail)
{
    store_view_close(mail->view);
    store_account_close(mail->account);
}

/* --- sets of UIDs ----------------------------------------------------------------------------- */

/* "*": the highest that is there. */
static bool number(struct slice text, uint32_t max, uint32_t *ret)
{
    uint64_t n;
    if (slice_eq(text, SLICE("*"))) {
        *ret = max ? max : 1;
        return true;
    }
    if (!slice_u64(text, UINT32_MAX, &n) || n == 0)
        return false;
    *ret = (uint32_t)n;
    return true;
}

static bool range(struct slice text, uint32_t max, struct uidset *to)
{
    uint32_t first, last;
    size_t colon = slice_find(text, ':');
    if (!number(slice_first(text, colon), max, &first))
        return false;
    last = first;
    if (colon < text.len && !number(slice_from(text, colon + 1), max, &last))
        return false;
    uidset_add(to, first < last ? first : last, first < last ? last : first);
    return true;
}

bool mail_uids(struct verb_call *call, const struct mail *mail, const char *text,
               struct uidset *ret)
{
    struct uidset wish = {0};
    struct slice rest = slice_str(text);
    uint32_t max = store_view_max_uid(mail->view);
    bool good = rest.len > 0;
    *ret = (struct uidset){0};
    if (slice_ieq(rest, SLICE("all"))) {
        uidset_add(&wish, 1, UINT32_MAX);
        rest = SLICE_NONE;
    }
    while (good && rest.len) {
        size_t comma = slice_find(rest, ',');
        good = range(slice_first(rest, comma), max, &wish) && comma + 1 != rest.len;
        rest = comma < rest.len ? slice_from(rest, comma + 1) : SLICE_NONE;
    }
    if (good)
        store_view_select(mail->view, &wish, ret);
    else
        verb_complain(call, "'%s' is not a set of UIDs; write one such as 1:5,9,12:* or all", text);
    uidset_finish(&wish);
    return good;
}

struct cell mail_set_cell(struct verb_call *call, const struct uidset *set)
{
    enum { RANGES_SHOWN = 1000, RANGE_MAX = sizeof "4294967295:4294967295," };
    if (set->n == 0 || set->n > RANGES_SHOWN)
        return cell_none(COLUMN_TEXT);
    char *text = arena_new(&call->arena, set->n * RANGE_MAX);
    size_t n = 0;
    for (uint32_t i = 0; i < set->n; i++) {
        struct uidrange r = set->ranges[i];
        n += (size_t)snprintf(text + n, RANGE_MAX, r.first == r.last ? "%s%u" : "%s%u:%u",
                              i ? "," : "", r.first, r.last);
    }
    return cell_text(slice(text, n));
}

/* --- octets ----------------------------------------------------------------------------------- */

enum { PIECES = 4, PIECE_OCTETS = 64 << 10 };

enum err mail_octets(struct verb_call *call, struct store_body *body, uint64_t end,
                     enum err (*take)(void *arg, struct slice octets), void *arg)
{
    char *piece = mem_new(PIECE_OCTETS);
    uint64_t at = 0;
    enum err e = ERR_OK;
    while (!e && at < end) {
        struct iovec iov[PIECES];
        size_t len = 0;
        int n = 0;
        e = store_body_map(body, call->reader, at, iov, PIECES, &n);
        for (int i = 0; !e && i < n && len < PIECE_OCTETS; i++) {
            struct slice octets =
                slice_first(slice(iov[i].iov_base, iov[i].iov_len), PIECE_OCTETS - len);
            memcpy(piece + len, octets.ptr, octets.len);
            len += octets.len;
        }
        store_reader_idle(call->reader);
        if (len > end - at)
            len = (size_t)(end - at);
        at += len;
        if (!e)
            e = take(arg, slice(piece, len));
    }
    mem_free(piece);
    return e;
}

/* --- flags ------------------------------------------------------------------------------------ */

static const struct {
    struct slice name;
    uint8_t flag;
} flag_names[] = {
    {{"\\Answered", 9}, FLAG_ANSWERED},
    {{"\\Deleted", 8},  FLAG_DELETED },
    {{"\\Draft", 6},    FLAG_DRAFT   },
    {{"\\Flagged", 8},  FLAG_FLAGGED },
    {{"\\Seen", 5},     FLAG_SEEN    },
};
enum { FLAG_NAMES = sizeof flag_names / sizeof *flag_names };

uint8_t mail_flag(struct slice name)
{
    for (size_t i = 0; i < FLAG_NAMES; i++)
        if (slice_ieq(name, flag_names[i].name) ||
            slice_ieq(name, slice_from(flag_names[i].name, 1)))
            return flag_names[i].flag;
    return 0;
}

struct cell mail_flags_cell(struct arena *arena, const struct store_view *view,
                            const struct store_message *message)
{
    unsigned keywords = store_view_nkeywords(view);
    struct slice *list = arena_new(arena, (FLAG_NAMES + keywords) * sizeof *list);
    size_t n = 0;
    for (size_t i = 0; i < FLAG_NAMES; i++)
        if (message->sysflags & flag_names[i].flag)
            list[n++] = flag_names[i].name;
    for (unsigned i = 0; i < keywords; i++)
        if (message->keywords >> i & 1 && store_view_keyword(view, i).len)
            list[n++] = store_view_keyword(view, i);
    return cell_list(list, n);
}

enum { WORDS_MAX = 256, KEYWORD_MAX = 200, MAILBOX_KEYWORDS = 64 };

bool mail_keyword_valid(struct slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] <= ' ' || name.ptr[i] == 0x7f || strchr("(){%*\"\\]", name.ptr[i]))
            return false;
    return name.len > 0 && name.len <= KEYWORD_MAX;
}

/* +FLAG, -FLAG; =FLAG takes all others away. */
struct flag_words {
    struct store_flagop op[3]; /* by enum flag_mode */
    struct slice keywords[3][WORDS_MAX];
    bool used[3];
};

static bool take_word(struct verb_call *call, struct flag_words *words, const char *word)
{
    struct slice name = slice_str(word[0] ? word + 1 : word);
    enum flag_mode mode = word[0] == '+'   ? FLAGS_ADD
                          : word[0] == '-' ? FLAGS_REMOVE
                                           : FLAGS_REPLACE;
    struct store_flagop *op = &words->op[mode];
    uint8_t flag = mail_flag(name);
    if (!word[0] || !strchr("+-=", word[0])) {
        verb_complain(call,
                      "'%s': write +FLAG to set it, -FLAG to take it away, =FLAG to leave "
                      "nothing else",
                      word);
        return false;
    }
    words->used[mode] = true;
    if (mode == FLAGS_REPLACE && name.len == 0)
        return true; /* "=": none at all */
    if (!flag && !mail_keyword_valid(name)) {
        verb_complain(call,
                      "'%s': a flag is Seen, Answered, Flagged, Deleted, Draft or a keyword "
                      "without blanks and (){%%*\"\\]",
                      word);
        return false;
    }
    op->sysflags |= flag;
    if (!flag)
        words->keywords[mode][op->nkeywords++] = name;
    return true;
}

static bool parse_words(struct verb_call *call, struct flag_words *words)
{
    for (int i = 3; i < call->argc; i++)
        if (!take_word(call, words, call->argv[i]))
            return false;
    if (words->used[FLAGS_REPLACE] && (words->used[FLAGS_ADD] || words->used[FLAGS_REMOVE])) {
        verb_complain(call, "=FLAG does not go with + or -");
        return false;
    }
    for (int mode = 0; mode < 3; mode++)
        words->op[mode].keywords = words->keywords[mode];
    words->op[FLAGS_ADD].mode = FLAGS_ADD;
    words->op[FLAGS_REMOVE].mode = FLAGS_REMOVE;
    words->op[FLAGS_REPLACE].mode = FLAGS_REPLACE;
    return true;
}

static void add_all(struct uidset *to, const struct uidset *from)
{
    for (uint32_t i = 0; i < from->n; i++)
        uidset_add(to, from->ranges[i].first, from->ranges[i].last);
}

static bool set_flags(struct verb_call *call, const struct mail *mail, const struct uidset *uids,
                      const struct store_flagop *op, struct uidset *changed)
{
    struct store_result result;
    struct store_wait *wait = store_wait_new();
    store_flags(mail->view, uids, op, UINT64_MAX, store_wait_to(wait));
    enum err e = store_wait(wait, &result);
    if (e == ERR_LIMIT)
        verb_complain(call, "%s: it has %d keywords, and no room for another", call->argv[1],
                      MAILBOX_KEYWORDS);
    else if (e)
        verb_failed(call, call->argv[1], &result);
    add_all(changed, &result.changed);
    store_result_finish(&result);
    return !e;
}

int verb_flags(struct verb_call *call)
{
    static const struct column columns[] = {
        {"messages", COLUMN_NUMBER},
        {"changed",  COLUMN_NUMBER},
        {"uids",     COLUMN_TEXT  },
        {NULL,       COLUMN_TYPES }
    };
    struct mail mail;
    struct uidset uids, changed = {0};
    if (!verb_words(call, 4, 3 + WORDS_MAX, 3))
        return EXIT_USAGE;
    struct flag_words *words = arena_new(&call->arena, sizeof *words);
    if (!parse_words(call, words))
        return EXIT_USAGE;
    if (!mail_open(call, call->argv[0], call->argv[1], &mail))
        return EXIT_FAILED;
    int status = mail_uids(call, &mail, call->argv[2], &uids) ? EXIT_DONE : EXIT_USAGE;
    for (int mode = 0; !status && mode < 3 && !uidset_empty(&uids); mode++)
        if (words->used[mode] && !set_flags(call, &mail, &uids, &words->op[mode], &changed))
            status = EXIT_FAILED;
    if (!status) {
        verb_record(call, columns);
        verb_row(call, cell_number(uidset_count(&uids)), cell_number(uidset_count(&changed)),
                 mail_set_cell(call, &changed));
    }
    uidset_finish(&uids);
    uidset_finish(&changed);
    mail_close(&mail);
    return status;
}

/* --- copy, move ------------------------------------------------------------------------------- */

static int copy_or_move(struct verb_call *call, bool move)
{
    static const struct column columns[] = {
        {"messages",    COLUMN_NUMBER},
        {"uidvalidity", COLUMN_NUMBER},
        {"source_uids", COLUMN_TEXT  },
        {"uids",        COLUMN_TEXT  },
        {NULL,          COLUMN_TYPES }
    };
    struct mail mail;
    struct slice path;
    struct uidset uids;
    struct store_result result = {0};
    if (!verb_arguments(call, 4, 4))
        return EXIT_USAGE;
    if (!verb_path(call, call->argv[3], &path) ||
        !mail_open(call, call->argv[0], call->argv[1], &mail))
        return EXIT_FAILED;
    int status = mail_uids(call, &mail, call->argv[2], &uids) ? EXIT_DONE : EXIT_USAGE;
    if (!status && !uidset_empty(&uids)) {
        struct store_wait *wait = store_wait_new();
        store_copy(mail.view, &uids, mail.account, path, move, store_wait_to(wait));
        if (!verb_wait(call, wait, call->argv[3], &result))
            status = EXIT_FAILED;
    }
    if (!status) {
        verb_record(call, columns);
        verb_row(call, cell_number(uidset_count(&result.dest)),
                 result.uidvalidity ? cell_number(result.uidvalidity) : cell_none(COLUMN_NUMBER),
                 mail_set_cell(call, &result.source), mail_set_cell(call, &result.dest));
    }
    store_result_finish(&result);
    uidset_finish(&uids);
    mail_close(&mail);
    return status;
}

int verb_copy(struct verb_call *call)
{
    return copy_or_move(call, false);
}

int verb_move(struct verb_call *call)
{
    return copy_or_move(call, true);
}

/* --- expunge ---------------------------------------------------------------------------------- */

/* The store takes what is \Deleted, as IMAP has it. */
int verb_expunge(struct verb_call *call)
{
    static const struct column columns[] = {
        {"expunged", COLUMN_NUMBER},
        {"uids",     COLUMN_TEXT  },
        {NULL,       COLUMN_TYPES }
    };
    const struct store_flagop deleted = {.mode = FLAGS_ADD, .sysflags = FLAG_DELETED};
    struct mail mail;
    struct uidset uids, changed = {0};
    struct store_result result = {0};
    if (!verb_arguments(call, 3, 3))
        return EXIT_USAGE;
    if (!mail_open(call, call->argv[0], call->argv[1], &mail))
        return EXIT_FAILED;
    int status = mail_uids(call, &mail, call->argv[2], &uids) ? EXIT_DONE : EXIT_USAGE;
    if (!status && !uidset_empty(&uids)) {
        bool good = set_flags(call, &mail, &uids, &deleted, &changed);
        if (good) {
            struct store_wait *wait = store_wait_new();
            store_expunge(mail.view, &uids, store_wait_to(wait));
            good = verb_wait(call, wait, call->argv[1], &result);
        }
        status = good ? EXIT_DONE : EXIT_FAILED;
    }
    if (!status) {
        verb_record(call, columns);
        verb_row(call, cell_number(uidset_count(&result.source)),
                 mail_set_cell(call, &result.source));
    }
    store_result_finish(&result);
    uidset_finish(&changed);
    uidset_finish(&uids);
    mail_close(&mail);
    return status;
}
