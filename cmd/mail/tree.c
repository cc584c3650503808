#include "cmd/mail/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/base/mem.h"
#include "core/base/utf7.h"
#include "core/base/utf8.h"

enum { SUBSCRIBED_MAX = 16 << 20 };

void tree_init(struct tree *tree, int out)
{
    *tree = (struct tree){.fd = -1};
    arena_init(&tree->arena, SIZE_MAX);
    tree->out_fd = out;
    record_out_init(&tree->out, record_write_fd, &tree->out_fd);
}

void tree_finish(struct tree *tree)
{
    record_flush(&tree->out);
    for (size_t i = 0; i < tree->n; i++)
        mem_free(tree->folders[i].dir);
    mem_free(tree->folders);
    arena_reset(&tree->arena);
    if (tree->fd >= 0)
        close(tree->fd);
}

/* --- names ------------------------------------------------------------------------------------ */

/* One component, at the end of `to`. */
static size_t component(const struct tree *tree, struct slice from, char *to, bool *ret_same)
{
    size_t len;
    if (!tree->utf8 && utf7_decode(from, to, &len) == ERR_OK)
        return len;
    memcpy(to, from.ptr, from.len);
    for (size_t i = 0; i < from.len;) {
        unsigned n = utf8_first(slice(to + i, from.len - i), NULL);
        if (n == 0) {
            to[i] = '_';
            *ret_same = false;
        }
        i += n ? n : 1;
    }
    return from.len;
}

struct slice tree_name(struct tree *tree, struct slice name, char separator, bool *ret_same)
{
    char *to = arena_new(&tree->arena, utf7_decoded_max(name.len) + 2 * name.len + 2);
    size_t len = 0;
    for (;;) {
        struct slice now = slice_first(name, slice_find(name, separator));
        if (now.len)
            len += component(tree, now, to + len, ret_same);
        if (now.len == name.len)
            return slice(to, len);
        to[len++] = '/';
        name = slice_from(name, now.len + 1);
    }
}

/* --- folders ---------------------------------------------------------------------------------- */

void tree_add(struct tree *tree, const char *dir, struct slice name, char separator)
{
    if (tree->n == tree->cap) {
        tree->cap = tree->cap ? tree->cap * 2 : 64;
        tree->folders = mem_resize(tree->folders, tree->cap * sizeof *tree->folders);
    }
    struct folder *folder = &tree->folders[tree->n++];
    *folder = (struct folder){.dir = mem_dup(dir, strlen(dir) + 1),
                              .name = arena_dup(&tree->arena, name),
                              .separator = separator};
    tree->utf8 |= !slice_is_ascii(name);
}

static bool is_inbox(const struct folder *folder)
{
    return slice_ieq(folder->path, SLICE("INBOX"));
}

static int by_path(const void *a, const void *b)
{
    const struct folder *x = a, *y = b;
    if (is_inbox(x) != is_inbox(y))
        return is_inbox(x) ? -1 : 1;
    return slice_cmp(x->path, y->path);
}

void tree_sort(struct tree *tree)
{
    if (tree->n == TREE_FOLDERS_MAX)
        record_put_text(&tree->out, RECORD_COMPLAINT, "there are more than %d folders: left out",
                        TREE_FOLDERS_MAX);
    for (size_t i = 0; i < tree->n; i++) {
        struct folder *folder = &tree->folders[i];
        bool same = true;
        folder->path = tree_name(tree, folder->name, folder->separator, &same);
        folder->shown = same ? SLICE_NONE : folder->name;
    }
    if (tree->n)
        qsort(tree->folders, tree->n, sizeof *tree->folders, by_path);
}

/* --- files ------------------------------------------------------------------------------------ */

int tree_open_below(int at, const char *name, int flags)
{
    struct open_how how = {.flags = (uint64_t)flags | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    long fd = syscall(SYS_openat2, at, name, &how, sizeof how);
    if (fd < 0 && errno == ENOSYS) /* before Linux 5.6 */
        fd = openat(at, name, flags | O_CLOEXEC | O_NOFOLLOW);
    return (int)fd;
}

int tree_open(struct tree *tree, int at, const char *name, const char *shown, struct stat *ret)
{
    int fd = tree_open_below(at, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    const char *why = NULL;
    if (fd < 0)
        why = errno == ELOOP    ? "is a link: left out"
              : errno == ENOENT ? "has gone meanwhile"
                                : NULL;
    if (fd < 0 && !why)
        why = strerror(errno);
    else if (fd >= 0 && fstat(fd, ret) != 0)
        why = strerror(errno);
    else if (fd >= 0 && !S_ISREG(ret->st_mode))
        why = "is not a file";
    else if (fd >= 0 && ret->st_nlink > 1 && ret->st_uid != tree->owner)
        why = "is a link to another owner's file: left out";
    if (!why)
        return fd;
    record_put_text(&tree->out, RECORD_COMPLAINT, "%s: %s", shown, why);
    if (fd >= 0)
        close(fd);
    return -1;
}

char *tree_text(int fd, size_t max, size_t *ret_len)
{
    struct stat st;
    char *text = NULL;
    size_t len = 0;
    ssize_t n = 0;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size <= max &&
        (text = mem_try((size_t)st.st_size + 1))) {
        while (
            len < (size_t)st.st_size &&
            ((n = read(fd, text + len, (size_t)st.st_size - len)) > 0 || (n < 0 && errno == EINTR)))
            len += n > 0 ? (size_t)n : 0;
        text[len] = '\0';
        *ret_len = len;
    } else {
        errno = S_ISREG(st.st_mode) ? EFBIG : EISDIR;
    }
    int why = errno;
    if (n < 0) {
        mem_free(text);
        text = NULL;
    }
    close(fd);
    errno = why;
    return text;
}

void tree_send_subscribed(struct tree *tree, int fd, char separator, struct slice prefix)
{
    size_t len;
    bool same;
    char *text = tree_text(fd, SUBSCRIBED_MAX, &len);
    struct slice rest = slice(text, text ? len : 0);
    if (slice_starts(rest, SLICE("V\t2\n"))) {
        rest = slice_from(rest, 4);
        separator = '\t';
    }
    while (rest.len) {
        struct slice line = slice_first(rest, slice_find(rest, '\n'));
        rest = slice_from(rest, line.len < rest.len ? line.len + 1 : line.len);
        if (prefix.len && slice_istarts(line, prefix))
            line = slice_from(line, prefix.len);
        if (line.len)
            record_put(&tree->out, RECORD_SUBSCRIBED, tree_name(tree, line, separator, &same));
    }
    mem_free(text);
}

int8_t tree_zone(uint32_t at)
{
    time_t t = (time_t)at;
    struct tm tm;
    return localtime_r(&t, &tm) ? (int8_t)(tm.tm_gmtoff / 900) : 0;
}
