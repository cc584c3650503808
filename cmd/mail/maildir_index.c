#include "cmd/mail/maildir_index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/mail/tree.h"
#include "core/base/attr.h"
#include "core/base/mem.h"

enum { INDEX_MAX = 1 << 30, BROKEN_LINES_MAX = 5, UIDL_OCTETS_MAX = 70, KEYWORD_OCTETS_MAX = 255 };

struct reading {
    struct maildir_index *index;
    int fd;
    void (*complain)(void *arg, const char *line);
    void *arg;
    const char *file;
    struct slice rest; /* lines to come */
    unsigned line, broken;
};

static void PRINTF_LIKE(2, 3) complain(struct reading *r, const char *format, ...)
{
    char why[512], line[1024];
    va_list ap;
    va_start(ap, format);
    vsnprintf(why, sizeof why, format, ap);
    va_end(ap);
    snprintf(line, sizeof line, "%s: %s", r->file, why);
    r->complain(r->arg, line);
}

static void broken_line(struct reading *r)
{
    if (++r->broken <= BROKEN_LINES_MAX)
        complain(r, "line %u is broken and left out", r->line);
    else if (r->broken == BROKEN_LINES_MAX + 1)
        complain(r, "so are others");
}

/* False: there is no such file, or it cannot be read. */
static bool open_file(struct reading *r, const char *file)
{
    size_t len;
    r->file = file;
    r->line = r->broken = 0;
    int fd = tree_open_below(r->fd, file, O_RDONLY | O_NONBLOCK);
    char *text = fd < 0 ? NULL : tree_text(fd, INDEX_MAX, &len);
    if (!text) {
        if (errno != ENOENT && errno != ENOTDIR)
            complain(r, "cannot be read: %s", strerror(errno));
        return false;
    }
    r->index->texts[r->index->ntexts++] = text;
    r->rest = slice(text, len);
    return true;
}

/* A line without its end. One that lacks it was cut off: it comes, but is broken. */
static bool next_line(struct reading *r, struct slice *ret)
{
    while (r->rest.len) {
        size_t at = slice_find(r->rest, '\n');
        *ret = slice_first(r->rest, at);
        r->line++;
        if (at < r->rest.len) {
            r->rest = slice_from(r->rest, at + 1);
            return true;
        }
        r->rest.len = 0;
        broken_line(r);
    }
    return false;
}

static struct slice next_word(struct slice *line)
{
    size_t at = slice_find(*line, ' ');
    struct slice word = slice_first(*line, at);
    *line = slice_from(*line, at < line->len ? at + 1 : at);
    return word;
}

static bool take_u32(struct slice text, uint32_t max, uint32_t *ret)
{
    uint64_t n;
    if (!slice_u64(text, max, &n))
        return false;
    *ret = (uint32_t)n;
    return true;
}

/* --- entries ---------------------------------------------------------------------------------- */

struct slice maildir_base(struct slice name, struct slice *ret_flags)
{
    size_t at = slice_find(name, ':');
    struct slice info = slice_from(name, at);
    if (ret_flags)
        *ret_flags = slice_starts(info, SLICE(":2,")) ? slice_from(info, 3) : SLICE_NONE;
    return slice_first(name, at);
}

int maildir_name_cmp(struct slice a, struct slice b)
{
    uint64_t x = 0, y = 0;
    for (size_t i = 0; i < a.len && i < 18 && a.ptr[i] >= '0' && a.ptr[i] <= '9'; i++)
        x = x * 10 + (uint64_t)(a.ptr[i] - '0');
    for (size_t i = 0; i < b.len && i < 18 && b.ptr[i] >= '0' && b.ptr[i] <= '9'; i++)
        y = y * 10 + (uint64_t)(b.ptr[i] - '0');
    return x != y ? x < y ? -1 : 1 : slice_cmp(a, b);
}

static int by_base(const void *a, const void *b)
{
    return slice_cmp(((const struct maildir_entry *)a)->base,
                     ((const struct maildir_entry *)b)->base);
}

const struct maildir_entry *maildir_index_find(const struct maildir_index *index, struct slice base)
{
    struct maildir_entry wanted = {.base = base};
    return index->n ? bsearch(&wanted, index->entries, index->n, sizeof wanted, by_base) : NULL;
}

static void add_entry(struct maildir_index *index, const struct maildir_entry *entry)
{
    if (index->n == index->cap) {
        index->cap = index->cap ? index->cap * 2 : 256;
        index->entries = mem_resize(index->entries, index->cap * sizeof *index->entries);
    }
    index->entries[index->n++] = *entry;
}

static void sort_entries(struct maildir_index *index)
{
    if (index->n)
        qsort(index->entries, index->n, sizeof *index->entries, by_base);
}

/* --- UIDs ------------------------------------------------------------------------------------- */

static bool header_3(struct reading *r, struct slice line)
{
    while (line.len) {
        struct slice word = next_word(&line);
        uint32_t *to = slice_starts(word, SLICE("V"))   ? &r->index->uidvalidity
                       : slice_starts(word, SLICE("N")) ? &r->index->uidnext
                                                        : NULL;
        if (to && !take_u32(slice_from(word, 1), MAILDIR_UID_MAX, to))
            return false;
    }
    return r->index->uidvalidity && r->index->uidnext;
}

static bool header_1(struct reading *r, struct slice line)
{
    struct slice v = next_word(&line), n = next_word(&line);
    return take_u32(v, MAILDIR_UID_MAX, &r->index->uidvalidity) &&
           take_u32(n, MAILDIR_UID_MAX, &r->index->uidnext) && r->index->uidvalidity;
}

static bool line_3(struct slice line, struct maildir_entry *ret)
{
    while (line.len && line.ptr[0] != ':') {
        struct slice word = next_word(&line), value = word.len ? slice_from(word, 1) : word;
        switch (word.len ? word.ptr[0] : 0) {
        case 'P':
            ret->uidl = value;
            break;
        case 'O':
            if (!take_u32(value, UINT32_MAX, &ret->order))
                return false;
            break;
        case 'G':
            ret->guid = value.len <= UIDL_OCTETS_MAX ? value : SLICE_NONE;
            break;
        default:
            break;
        }
    }
    ret->base = line.len ? maildir_base(slice_from(line, 1), NULL) : line;
    return ret->base.len;
}

static void read_uids(struct reading *r, const char *file)
{
    struct slice line;
    if (!open_file(r, file))
        return;
    if (!next_line(r, &line)) {
        complain(r, "is empty or cut off: UIDs are not kept");
        return;
    }
    struct slice version = next_word(&line);
    bool is_3 = slice_eq(version, SLICE("3"));
    if ((!is_3 && !slice_eq(version, SLICE("1"))) ||
        !(is_3 ? header_3(r, line) : header_1(r, line))) {
        r->index->uidvalidity = r->index->uidnext = 0;
        complain(r, "its first line is broken: UIDs are not kept");
        return;
    }
    while (next_line(r, &line)) {
        struct maildir_entry entry = {0};
        if (!take_u32(next_word(&line), MAILDIR_UID_MAX, &entry.uid) || !entry.uid) {
            broken_line(r);
            continue;
        }
        if (!is_3)
            entry.base = maildir_base(line, NULL);
        if (is_3 ? !line_3(line, &entry) : !entry.base.len) {
            broken_line(r);
            continue;
        }
        if (entry.uid >= r->index->uidnext)
            r->index->uidnext = entry.uid + 1;
        add_entry(r->index, &entry);
    }
}

static int by_uid(const void *a, const void *b)
{
    uint32_t x = (*(struct maildir_entry *const *)a)->uid,
             y = (*(struct maildir_entry *const *)b)->uid;
    return (x > y) - (x < y);
}

static int by_uidl(const void *a, const void *b)
{
    return slice_cmp((*(struct maildir_entry *const *)a)->uidl,
                     (*(struct maildir_entry *const *)b)->uidl);
}

/* A UID is one message's, a file has one UID. Of a file that is named twice the last line counts
 * (Dovecot appends); of a UID that is given twice, none is believed but the first. */
static void settle_uids(struct reading *r, const char *file)
{
    struct maildir_index *index = r->index;
    uint32_t n = 0;
    sort_entries(index);
    struct maildir_entry *e = index->entries;
    for (uint32_t i = 0; i < index->n; i++) {
        if (n && slice_eq(e[n - 1].base, e[i].base))
            e[n - 1] = e[n - 1].uid > e[i].uid ? e[n - 1] : e[i];
        else
            e[n++] = e[i];
    }
    index->n = n;
    struct maildir_entry **order = mem_new_array(n + 1, sizeof *order);
    for (uint32_t i = 0; i < n; i++)
        order[i] = &e[i];
    qsort(order, n, sizeof *order, by_uid);
    r->file = file;
    for (uint32_t i = 0; i + 1 < n; i++)
        if (order[i]->uid && order[i]->uid == order[i + 1]->uid) {
            complain(r, "UID %u is given twice; " SLICE_FMT " gets a new one", order[i]->uid,
                     SLICE_ARG(order[i + 1]->base));
            order[i + 1]->uid = 0;
            order[i + 1] = order[i];
        }
    mem_free(order);
}

/* --- Courier's POP3 list ---------------------------------------------------------------------- */

/* Of a file without a number the name is its UIDL, with what may not be in one as +XX. */
static struct slice name_as_uidl(struct maildir_index *index, struct slice base)
{
    char *text = arena_new(&index->arena, 3 * base.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < base.len; i++) {
        unsigned char c = (unsigned char)base.ptr[i];
        if (c < 0x21 || c > 0x7e || c == '\'' || c == '"' || c == '+')
            n += (size_t)sprintf(text + n, "+%02X", c);
        else
            text[n++] = (char)c;
    }
    return slice(text, n);
}

static struct slice number_as_uidl(struct maildir_index *index, uint32_t n, uint32_t v)
{
    char text[64];
    int len =
        v ? snprintf(text, sizeof text, "UID%u-%u", n, v) : snprintf(text, sizeof text, "UID%u", n);
    return arena_dup(&index->arena, slice(text, (size_t)len));
}

/* "<file> <size> <number>[:<uidvalidity>[:...]]"; a file name may hold blanks. */
static bool pop_line(struct slice line, struct slice *ret_base, uint32_t *ret_n, uint32_t *ret_v)
{
    size_t at = line.len, blank[2];
    for (unsigned i = 0; i < 2; i++) {
        while (at && line.ptr[at - 1] != ' ')
            at--;
        if (at < 2)
            return false;
        blank[i] = --at;
    }
    struct slice number = slice_from(line, blank[0] + 1);
    size_t colon = slice_find(number, ':');
    struct slice v = slice_from(number, colon < number.len ? colon + 1 : colon);
    *ret_base = maildir_base(slice_first(line, blank[1]), NULL);
    *ret_v = 0;
    return take_u32(slice_first(number, colon), UINT32_MAX, ret_n) &&
           (!v.len || take_u32(slice_first(v, slice_find(v, ':')), UINT32_MAX, ret_v)) &&
           ret_base->len;
}

/* Entries that are there get their UIDL, others come new: `known` of them are sorted. */
static void read_pop_list(struct reading *r)
{
    struct maildir_index *index = r->index;
    struct slice line;
    uint32_t known = index->n, version;
    if (!open_file(r, "courierpop3dsizelist"))
        return;
    struct slice first = next_line(r, &line) ? next_word(&line) : SLICE_NONE;
    if (!slice_starts(first, SLICE("/")) || !take_u32(slice_from(first, 1), 9, &version)) {
        complain(r, "its first line is broken: UIDLs are not kept");
        return;
    }
    index->courier = true;
    while (next_line(r, &line)) {
        struct maildir_entry entry = {0};
        uint32_t number, v;
        if (!pop_line(line, &entry.base, &number, &v)) {
            broken_line(r);
            continue;
        }
        entry.uidl = number ? number_as_uidl(index, number, v) : name_as_uidl(index, entry.base);
        struct maildir_entry *old =
            known ? bsearch(&entry, index->entries, known, sizeof entry, by_base) : NULL;
        if (old)
            old->uidl = entry.uidl;
        else
            add_entry(index, &entry);
    }
    sort_entries(index);
}

/* --- keywords --------------------------------------------------------------------------------- */

static void read_dovecot_keywords(struct reading *r)
{
    struct slice line;
    uint32_t n;
    if (!open_file(r, "dovecot-keywords"))
        return;
    while (next_line(r, &line)) {
        if (!take_u32(next_word(&line), UINT16_MAX, &n) || !line.len ||
            line.len > KEYWORD_OCTETS_MAX)
            broken_line(r);
        else if (n < MAILDIR_LETTERS)
            r->index->letters[n] = line;
    }
}

/* Names by their number first, then which files have which. */
static void read_courier_keywords(struct reading *r)
{
    struct maildir_index *index = r->index;
    struct slice line;
    uint32_t n = 0, known = index->n;
    if (!open_file(r, "courierimapkeywords/:list"))
        return;
    for (; next_line(r, &line) && line.len; n++)
        if (n < MAILDIR_LETTERS && line.len <= KEYWORD_OCTETS_MAX)
            index->letters[n] = line;
    while (next_line(r, &line)) {
        size_t colon = slice_find(line, ':');
        struct maildir_entry entry = {.base = slice_first(line, colon)};
        struct slice numbers = slice_from(line, colon < line.len ? colon + 1 : colon);
        uint32_t number;
        while (numbers.len && take_u32(next_word(&numbers), UINT16_MAX, &number))
            if (number < MAILDIR_LETTERS)
                entry.keywords |= 1u << number;
        if (!entry.base.len || colon == line.len || numbers.len) {
            broken_line(r);
            continue;
        }
        struct maildir_entry *old =
            known ? bsearch(&entry, index->entries, known, sizeof entry, by_base) : NULL;
        if (old)
            old->keywords |= entry.keywords;
        else
            add_entry(index, &entry);
    }
    sort_entries(index);
}

/* --- all of it -------------------------------------------------------------------------------- */

/* UIDLs are one to 70 octets of 0x21..0x7e, each one message's (RFC 1939 section 7). */
static void settle_uidls(struct reading *r, const char *file)
{
    struct maildir_index *index = r->index;
    struct maildir_entry **order = mem_new_array((size_t)index->n + 1, sizeof *order);
    uint32_t n = 0;
    r->file = file;
    for (uint32_t i = 0; i < index->n; i++) {
        struct maildir_entry *entry = &index->entries[i];
        bool good = entry->uidl.len <= UIDL_OCTETS_MAX;
        for (size_t k = 0; k < entry->uidl.len; k++)
            good &= entry->uidl.ptr[k] > 0x20 && entry->uidl.ptr[k] < 0x7f;
        if (!good) {
            complain(r, "the UIDL of " SLICE_FMT " is none: it gets another",
                     SLICE_ARG(entry->base));
            entry->uidl = SLICE_NONE;
        }
        if (entry->uidl.len)
            order[n++] = entry;
    }
    qsort(order, n, sizeof *order, by_uidl);
    for (uint32_t i = 0; i + 1 < n; i++)
        if (slice_eq(order[i]->uidl, order[i + 1]->uidl)) {
            complain(r, "the UIDL of " SLICE_FMT " is another's too: it gets another",
                     SLICE_ARG(order[i + 1]->base));
            order[i + 1]->uidl = SLICE_NONE;
            order[i + 1] = order[i];
        }
    mem_free(order);
}

void maildir_index_read(struct maildir_index *index, int fd, bool inbox,
                        void (*complain_line)(void *arg, const char *line), void *arg)
{
    struct reading r = {.index = index, .fd = fd, .complain = complain_line, .arg = arg};
    *index = (struct maildir_index){0};
    arena_init(&index->arena, INDEX_MAX);
    read_uids(&r, "dovecot-uidlist");
    const char *uids = index->ntexts ? "dovecot-uidlist" : "courierimapuiddb";
    if (!index->ntexts)
        read_uids(&r, uids);
    settle_uids(&r, uids);
    if (inbox && strcmp(uids, "courierimapuiddb") == 0)
        read_pop_list(&r);
    settle_uidls(&r, index->courier ? "courierpop3dsizelist" : uids);
    read_dovecot_keywords(&r);
    read_courier_keywords(&r);
}

void maildir_index_finish(struct maildir_index *index)
{
    for (unsigned i = 0; i < index->ntexts; i++)
        mem_free(index->texts[i]);
    mem_free(index->entries);
    arena_reset(&index->arena);
}
