#include "cmd/mail/mbox.h"

#include <string.h>

#include "cmd/mail/mbox_from.h"
#include "store/store.h"

/* --- lines ------------------------------------------------------------------------------------ */

/* The first line of `s` with its end. */
static struct slice line_of(struct slice s)
{
    size_t at = slice_find(s, '\n');
    return slice_first(s, at < s.len ? at + 1 : at);
}

static struct slice without_end(struct slice line)
{
    if (line.len && line.ptr[line.len - 1] == '\n')
        line.len--;
    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

static bool begins_message(struct slice s)
{
    uint32_t date;
    int8_t zone;
    return slice_starts(s, SLICE("From ")) &&
           mbox_from_parse(without_end(line_of(s)), &date, &zone);
}

/* Where the next From_ line begins, or s.len; `s` begins at a line. */
static size_t next_message(struct slice s)
{
    size_t at = 0;
    while (at < s.len) {
        struct slice rest = slice_from(s, at);
        if (begins_message(rest))
            return at;
        const char *found = memmem(rest.ptr, rest.len, "\nFrom ", 6);
        if (!found)
            return s.len;
        at += (size_t)(found - rest.ptr) + 1;
    }
    return s.len;
}

static bool is_blank(struct slice line)
{
    return without_end(line).len == 0;
}

/* --- the header ------------------------------------------------------------------------------- */

bool mbox_field_is_ours(struct slice name)
{
    static const struct slice ours[] = {
        {"Content-Length", 14},
        {"Status",         6 },
        {"X-IMAP",         6 },
        {"X-IMAPbase",     10},
        {"X-Keywords",     10},
        {"X-Status",       8 },
        {"X-UID",          5 }
    };
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (slice_ieq(name, ours[i]))
            return true;
    return false;
}

/* One field with its continuation lines and its end off the front of *rest. */
static struct slice next_field(struct slice *rest, struct slice *ret_name, struct slice *ret_value)
{
    struct slice field = line_of(*rest);
    for (;;) {
        struct slice more = slice_from(*rest, field.len);
        if (is_blank(field) || !more.len || (more.ptr[0] != ' ' && more.ptr[0] != '\t'))
            break;
        field.len += line_of(more).len;
    }
    size_t colon = slice_find(field, ':');
    *ret_name = slice_trim(slice_first(field, colon < field.len ? colon : 0));
    *ret_value =
        colon < field.len ? slice_trim(without_end(slice_from(field, colon + 1))) : SLICE_NONE;
    *rest = slice_from(*rest, field.len);
    return field;
}

static struct slice next_word(struct slice *rest)
{
    *rest = slice_trim(*rest);
    size_t at = 0;
    while (at < rest->len && !memchr(" \t\r\n", rest->ptr[at], 4))
        at++;
    struct slice word = slice_first(*rest, at);
    *rest = slice_from(*rest, at);
    while (rest->len && memchr(" \t\r\n", rest->ptr[0], 4))
        *rest = slice_from(*rest, 1);
    return word;
}

static uint32_t word_number(struct slice *rest)
{
    uint64_t n;
    struct slice word = next_word(rest);
    return word.len && slice_u64(word, UINT32_MAX, &n) ? (uint32_t)n : 0;
}

static bool has(struct slice value, char c)
{
    return slice_find(value, c) < value.len;
}

/* Of several the last counts: servers write theirs at the end. */
static void take_field(struct mbox_message *m, struct slice name, struct slice value,
                       uint64_t *length)
{
    uint64_t n;
    if (slice_ieq(name, SLICE("Status"))) {
        m->flags = (uint8_t)((m->flags & ~FLAG_SEEN) | (has(value, 'R') ? FLAG_SEEN : 0));
        m->recent = !has(value, 'O');
    } else if (slice_ieq(name, SLICE("X-Status"))) {
        m->flags =
            (uint8_t)((m->flags & FLAG_SEEN) | (has(value, 'A') ? FLAG_ANSWERED : 0) |
                      (has(value, 'F') ? FLAG_FLAGGED : 0) | (has(value, 'D') ? FLAG_DELETED : 0) |
                      (has(value, 'T') ? FLAG_DRAFT : 0));
    } else if (slice_ieq(name, SLICE("X-Keywords"))) {
        m->nkeywords = 0;
        while (value.len && m->nkeywords < MBOX_KEYWORDS_MAX) {
            m->keywords[m->nkeywords] = next_word(&value);
            size_t len = m->keywords[m->nkeywords].len;
            m->nkeywords += len > 0 && len <= MBOX_KEYWORD_OCTETS;
        }
    } else if (slice_ieq(name, SLICE("X-UID"))) {
        m->uid = word_number(&value);
    } else if (slice_ieq(name, SLICE("X-IMAPbase")) || slice_ieq(name, SLICE("X-IMAP"))) {
        m->internal = slice_ieq(name, SLICE("X-IMAP"));
        m->uidvalidity = word_number(&value);
        m->uidlast = word_number(&value);
    } else if (slice_ieq(name, SLICE("Content-Length")) && value.len &&
               slice_u64(value, INT64_MAX, &n)) {
        *length = n;
    }
}

/* --- a message -------------------------------------------------------------------------------- */

/* Is the text `length` octets long? Then the end of the file comes, or blank lines and a From_
 * line. */
static bool is_right(struct slice text, uint64_t length)
{
    if (length > text.len)
        return false;
    struct slice rest = slice_from(text, (size_t)length);
    for (unsigned i = 0; i < 2 && rest.len && is_blank(line_of(rest)); i++)
        rest = slice_from(rest, line_of(rest).len);
    return rest.len == 0 || begins_message(rest);
}

/* The blank line before the next From_ line is not of the text. */
static struct slice without_separator(struct slice text)
{
    struct slice shorter = text;
    if (shorter.len && shorter.ptr[shorter.len - 1] == '\n')
        shorter.len--;
    if (shorter.len < text.len && shorter.len && shorter.ptr[shorter.len - 1] == '\r')
        shorter.len--;
    bool blank = shorter.len == 0 || shorter.ptr[shorter.len - 1] == '\n';
    return blank ? shorter : text;
}

bool mbox_next(struct slice *rest, struct mbox_message *ret)
{
    uint64_t length = UINT64_MAX;
    struct slice name, value;
    *ret = (struct mbox_message){.recent = true};
    while (rest->len && is_blank(line_of(*rest)))
        *rest = slice_from(*rest, line_of(*rest).len);
    if (!rest->len)
        return false;
    struct slice from = line_of(*rest);
    if (!mbox_from_parse(without_end(from), &ret->date, &ret->zone)) {
        *rest = slice_from(*rest, next_message(*rest));
        return true;
    }
    struct slice after = slice_from(*rest, from.len), all = after;
    for (bool blank = false; after.len && !blank && !begins_message(after);) {
        struct slice field = next_field(&after, &name, &value);
        blank = is_blank(field);
        take_field(ret, name, value, &length);
    }
    ret->header = slice_first(all, all.len - after.len);
    ret->counted = length != UINT64_MAX && is_right(after, length);
    size_t end = ret->counted ? (size_t)length : next_message(after);
    ret->text = slice_first(after, end);
    if (!ret->counted)
        ret->text = without_separator(ret->text);
    ret->cut = length != UINT64_MAX && length > after.len && end == after.len;
    ret->announced = length;
    *rest = slice_from(after, end);
    return true;
}

/* A line of text that was quoted: one or more '>', then "From ". */
static bool is_quoted(struct slice s)
{
    size_t at = 0;
    while (at < s.len && s.ptr[at] == '>')
        at++;
    return at && slice_starts(slice_from(s, at), SLICE("From "));
}

void mbox_each(const struct mbox_message *message, void (*piece)(void *arg, struct slice octets),
               void *arg)
{
    struct slice rest = message->header, name, value;
    while (rest.len) {
        struct slice field = next_field(&rest, &name, &value);
        if (!mbox_field_is_ours(name))
            piece(arg, field);
    }
    rest = message->text;
    while (rest.len) {
        if (!message->counted && is_quoted(rest))
            rest = slice_from(rest, 1);
        const char *next = message->counted ? NULL : memmem(rest.ptr, rest.len, "\n>", 2);
        size_t n = next ? (size_t)(next - rest.ptr) + 1 : rest.len;
        piece(arg, slice_first(rest, n));
        rest = slice_from(rest, n);
    }
}
