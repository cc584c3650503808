#include "core/mime/sort.h"

#include "core/base/buf.h"
#include "core/base/utf8.h"
#include "core/mime/address.h"
#include "core/mime/casemap.h"
#include "core/mime/cfws.h"
#include "core/mime/charset.h"
#include "core/mime/header.h"

/* --- base subject --------------------------------------------------------------------------- */

/* Step 1, on what is decoded: every run of blanks is one space. */
static size_t join_blanks(char *text, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (is_blank(text[i]) && n && text[n - 1] == ' ')
            continue;
        text[n++] = is_blank(text[i]) ? ' ' : text[i];
    }
    return n;
}

static bool ends_with(struct slice s, struct slice tail)
{
    return s.len >= tail.len && slice_ieq(slice_from(s, s.len - tail.len), tail);
}

/* Step 2: subj-trailer = "(fwd)" / WSP, again and again. */
static struct slice without_trailers(struct slice s, bool *reply)
{
    for (;;) {
        if (s.len && s.ptr[s.len - 1] == ' ')
            s.len--;
        else if (ends_with(s, SLICE("(fwd)")))
            s.len -= 5, *reply = true;
        else
            return s;
    }
}

/* subj-blob = "[" *BLOBCHAR "]" *WSP; 0: there is none. */
static size_t blob_length(struct slice s)
{
    size_t n = 1;
    if (!s.len || s.ptr[0] != '[')
        return 0;
    while (n < s.len && s.ptr[n] != '[' && s.ptr[n] != ']')
        n++;
    if (n == s.len || s.ptr[n] != ']')
        return 0;
    for (n++; n < s.len && s.ptr[n] == ' ';)
        n++;
    return n;
}

/* subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":" */
static size_t refwd_length(struct slice s)
{
    size_t n = slice_istarts(s, SLICE("re"))    ? 2
               : slice_istarts(s, SLICE("fwd")) ? 3
               : slice_istarts(s, SLICE("fw"))  ? 2
                                                : 0;
    if (!n)
        return 0;
    while (n < s.len && s.ptr[n] == ' ')
        n++;
    n += blob_length(slice_from(s, n));
    return n < s.len && s.ptr[n] == ':' ? n + 1 : 0;
}

/* Steps 3 to 5. A run of blobs goes when a refwd follows it; else all of it but what must stay so
 * that something is left. Either way it is passed over once. */
static struct slice without_leaders(struct slice s, bool *reply)
{
    for (;;) {
        while (s.len && s.ptr[0] == ' ')
            s = slice_from(s, 1);
        size_t run = 0, last = 0, n;
        while ((n = blob_length(slice_from(s, run))) > 0) {
            last = run;
            run += n;
        }
        size_t refwd = refwd_length(slice_from(s, run));
        if (refwd) {
            s = slice_from(s, run + refwd);
            *reply = true;
        } else {
            return slice_from(s, run < s.len ? run : last);
        }
    }
}

enum err sort_base_subject(struct slice value, struct buf *to, bool *ret_reply)
{
    size_t at = to->len;
    bool reply = false;
    enum err e = charset_header(slice_trim(value), to);
    if (e || to->len == at) {
        to->len = at;
        if (!e)
            *ret_reply = false;
        return e;
    }
    struct slice s = slice(to->ptr + at, join_blanks(to->ptr + at, to->len - at));
    for (;;) {
        s = without_leaders(without_trailers(s, &reply), &reply);
        if (!slice_istarts(s, SLICE("[fwd:")) || !ends_with(s, SLICE("]")))
            break;
        s = slice(s.ptr + 5, s.len - 6); /* step 6 */
        reply = true;
    }
    memmove(to->ptr + at, s.ptr, s.len);
    to->len = at + s.len;
    *ret_reply = reply;
    return ERR_OK;
}

/* --- keys ----------------------------------------------------------------------------------- */

/* Cut between characters. */
static struct slice cut(struct slice s)
{
    if (s.len <= SORT_KEY_MAX)
        return s;
    s.len = SORT_KEY_MAX;
    while (s.len && ((unsigned char)s.ptr[s.len] & 0xc0) == 0x80)
        s.len--;
    return s;
}

static enum err put_key(struct slice text, struct buf *to)
{
    struct buf folded;
    buf_init(&folded, SIZE_MAX);
    enum err e = casemap_append(cut(text), &folded);
    struct slice key = cut(buf_slice(&folded));
    if (!e)
        e = buf_append_c(to, (char)key.len);
    if (!e)
        e = buf_append(to, key);
    buf_finish(&folded);
    return e;
}

static enum err put_subject(struct slice fields, struct buf *to)
{
    struct header_field field;
    struct buf subject;
    bool reply = false;
    enum err e = ERR_OK;
    buf_init(&subject, SIZE_MAX);
    if (header_find(fields, fields.len, SLICE("Subject"), &field))
        e = sort_base_subject(field.value, &subject, &reply);
    if (!e)
        e = buf_append_c(to, reply);
    if (!e)
        e = put_key(buf_slice(&subject), to);
    buf_finish(&subject);
    return e;
}

/* Of the first address of that field, a group's name included (RFC 5256 section 3: it is the first
 * element of the ENVELOPE's list): mailbox, or what is displayed. */
static enum err put_address(struct slice fields, struct slice name, bool shown, struct buf *to)
{
    struct header_field field;
    struct address_walk walk;
    struct address a = {0};
    struct buf text;
    enum err e = ERR_OK;
    if (!header_find(fields, fields.len, name, &field))
        return put_key(SLICE_NONE, to);
    buf_init(&text, SIZE_MAX);
    address_walk_init(&walk, field.value);
    bool found = address_next(&walk, &a);
    bool group = found && a.kind == ADDRESS_GROUP;
    if (group || (shown && a.name.len)) {
        e = charset_header(a.name, &text);
    } else {
        e = charset_header(a.mailbox, &text);
        if (!e && shown && a.host.len)
            e = buf_append_c(&text, '@');
        if (!e && shown)
            e = charset_header(a.host, &text);
    }
    if (!e)
        e = put_key(buf_slice(&text), to);
    address_walk_finish(&walk);
    buf_finish(&text);
    return e;
}

enum err sort_keys_append(const struct mime_tree *tree, struct buf *to)
{
    static const struct {
        struct slice name;
        bool shown;
    } keys[] = {
        {{"From", 4}, false},
        {{"To", 2},   false},
        {{"Cc", 2},   false},
        {{"From", 4}, true },
        {{"To", 2},   true },
    };
    struct slice fields = mime_fields(tree, 0);
    size_t before = to->len;
    enum err e = put_subject(fields, to);
    for (size_t i = 0; !e && i < sizeof keys / sizeof *keys; i++)
        e = put_address(fields, keys[i].name, keys[i].shown, to);
    if (e)
        to->len = before;
    return e;
}

enum err sort_keys_read(struct slice stored, struct sort_keys *ret)
{
    struct slice *const keys[] = {&ret->subject, &ret->from,       &ret->to,
                                  &ret->cc,      &ret->shown_from, &ret->shown_to};
    if (!stored.len)
        return ERR_CORRUPT;
    ret->reply = stored.ptr[0] != 0;
    stored = slice_from(stored, 1);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        size_t n = stored.len ? (unsigned char)stored.ptr[0] : 0;
        if (stored.len < 1 + n)
            return ERR_CORRUPT;
        *keys[i] = slice(stored.ptr + 1, n);
        stored = slice_from(stored, 1 + n);
    }
    return stored.len ? ERR_CORRUPT : ERR_OK;
}
