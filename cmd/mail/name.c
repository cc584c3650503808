#include "cmd/mail/name.h"

#include <string.h>

#include "core/base/buf.h"
#include "store/store.h"

enum { NAME_OCTETS_MAX = 2048 };

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool cannot(struct slice name, size_t i)
{
    unsigned char c = (unsigned char)name.ptr[i];
    bool c1 = c >= 0x80 && c < 0xa0 && i && (unsigned char)name.ptr[i - 1] == 0xc2;
    return c < 0x20 || c == 0x7f || c == '%' || c == '*' || c1;
}

/* U+0080..U+009F are control characters of two octets, which become one '_'. */
static enum err component(struct slice name, struct buf *to, bool *ret_mended)
{
    enum err e = name.len ? ERR_OK : buf_append_c(to, '_');
    *ret_mended |= !name.len;
    for (size_t i = 0; !e && i < name.len; i++) {
        bool end = blank(name.ptr[i]) && (i == 0 || i + 1 == name.len);
        if (i + 1 < name.len && (unsigned char)name.ptr[i] == 0xc2 && cannot(name, i + 1))
            continue; /* its second octet writes the '_' */
        bool mend = end || cannot(name, i);
        *ret_mended |= mend;
        e = buf_append_c(to, mend ? '_' : name.ptr[i]);
    }
    return e;
}

static enum err mend(struct slice name, struct buf *to, bool *ret_mended)
{
    enum err e = ERR_OK;
    for (;;) {
        struct slice now = slice_first(name, slice_find(name, '/'));
        e = component(now, to, ret_mended);
        if (e || now.len == name.len)
            return e;
        e = buf_append_c(to, '/');
        if (e)
            return e;
        name = slice_from(name, now.len + 1);
    }
}

/* Names that the server itself uses at the top: "Shared" becomes "Shared_". */
static enum err give_way(struct buf *path)
{
    struct slice all = buf_slice(path);
    size_t at = slice_find(all, '/');
    enum err e = buf_append_c(path, '_');
    if (e)
        return e;
    memmove(path->ptr + at + 1, path->ptr + at, path->len - at - 1);
    path->ptr[at] = '_';
    return ERR_OK;
}

enum name_fit name_fit(struct slice prefix, struct slice name, struct arena *arena,
                       struct slice *ret)
{
    struct buf path;
    bool mended = false;
    buf_init(&path, NAME_OCTETS_MAX);
    enum err e = ERR_OK;
    if (prefix.len)
        e = mend(prefix, &path, &mended);
    /* The old server's INBOX is the prefix itself. */
    if (!e && prefix.len && !slice_ieq(name, SLICE("INBOX"))) {
        e = buf_append_c(&path, '/');
        if (!e)
            e = mend(name, &path, &mended);
    } else if (!e && !prefix.len) {
        e = mend(name, &path, &mended);
    }
    if (!e)
        e = store_path_check(buf_slice(&path), arena, ret);
    if (e == ERR_CANNOT && !give_way(&path)) {
        mended = true;
        e = store_path_check(buf_slice(&path), arena, ret);
    }
    buf_finish(&path);
    return e ? NAME_CANNOT : mended ? NAME_MENDED : NAME_SAME;
}
