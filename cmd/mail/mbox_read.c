/* Reads one mbox, or a folder of them: a file is the mailbox of its name, a directory holds those
 * below it (Thunderbird's ends in ".sbd"). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cmd/mail/files.h"
#include "cmd/mail/idset.h"
#include "cmd/mail/mbox.h"
#include "cmd/mail/tree.h"
#include "core/base/hex.h"
#include "core/base/mem.h"

struct list {
    struct mbox_message *messages;
    size_t n, cap;
};

/* One mbox being read. */
struct reading {
    struct tree *tree;
    const struct folder *folder;
    const char *shown;
    struct list list;
    uint32_t uidvalidity, uidnext;
};

/* --- files ------------------------------------------------------------------------------------ */

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n > m && strcmp(name + n - m, end) == 0;
}

static void scan_dir(struct tree *tree, int fd, const char *dir, const char *name, unsigned depth);

/* `path`: of the file below the root; `name`: the mailbox's. */
static void scan_one(struct tree *tree, int at, const char *entry, const char *path,
                     const char *name, unsigned depth)
{
    struct stat st;
    if (fstatat(at, entry, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    if (S_ISREG(st.st_mode)) {
        tree_add(tree, path, slice_str(name), '/');
    } else if (S_ISDIR(st.st_mode) && depth < TREE_DEPTH_MAX) {
        int fd = tree_open_below(at, entry, O_RDONLY | O_DIRECTORY);
        if (fd < 0)
            record_put_text(&tree->out, RECORD_COMPLAINT, "%s: %s", path, strerror(errno));
        else
            scan_dir(tree, fd, path, name, depth + 1);
    } else {
        record_put_text(&tree->out, RECORD_COMPLAINT, "%s: is no file of mail: left out", path);
    }
}

/* Closes `fd`. */
static void scan_dir(struct tree *tree, int fd, const char *dir, const char *name, unsigned depth)
{
    DIR *stream = fdopendir(fd);
    const struct dirent *entry;
    while (stream && (entry = readdir(stream)) && tree->n < TREE_FOLDERS_MAX) {
        char path[PATH_MAX], below[PATH_MAX];
        const char *e = entry->d_name;
        size_t len = strlen(e) - (ends_with(e, ".sbd") ? 4 : 0);
        if (e[0] == '.' || ends_with(e, ".lock") || ends_with(e, ".msf") ||
            (depth == 0 && strcmp(e, "subscriptions") == 0) ||
            snprintf(path, sizeof path, "%s%s%s", dir, dir[0] ? "/" : "", e) >= PATH_MAX ||
            snprintf(below, sizeof below, "%s%s%.*s", name, name[0] ? "/" : "", (int)len, e) >=
                PATH_MAX)
            continue;
        scan_one(tree, fd, e, path, below, depth);
    }
    if (stream)
        closedir(stream);
    else
        close(fd);
}

/* --- messages --------------------------------------------------------------------------------- */

static void hash_piece(void *arg, struct slice octets)
{
    if (gnutls_hash(arg, octets.ptr, octets.len))
        abort();
}

/* What tells a message from others is all that is in it; the second of two that are equal is told
 * apart by being the second. */
static void id_of(const struct mbox_message *message, struct idset *seen, char to[32])
{
    unsigned char digest[32], before[32];
    gnutls_hash_hd_t hash;
    if (gnutls_hash_init(&hash, GNUTLS_DIG_SHA256))
        abort();
    mbox_each(message, hash_piece, hash);
    gnutls_hash_deinit(hash, digest);
    while (idset_has(seen, digest)) {
        memcpy(before, digest, sizeof before);
        if (gnutls_hash_fast(GNUTLS_DIG_SHA256, before, sizeof before, digest))
            abort();
    }
    idset_add(seen, digest);
    hex_encode(slice(digest, 16), to);
}

static void send_piece(void *arg, struct slice octets)
{
    record_put_octets(arg, octets);
}

static void send_message(struct reading *r, const struct mbox_message *message, size_t number,
                         struct idset *seen)
{
    char shown[PATH_MAX + 32], id[32];
    snprintf(shown, sizeof shown, "%s: message %zu", r->shown, number);
    if (message->cut) {
        record_put_text(&r->tree->out, RECORD_COMPLAINT,
                        "%s: half copied: %zu octets of text, its Content-Length says %llu", shown,
                        message->text.len, (unsigned long long)message->announced);
        return;
    }
    id_of(message, seen, id);
    struct record_message m = {.name = slice_str(shown),
                               .id = slice(id, sizeof id),
                               .uid = message->uid,
                               .flags = message->flags,
                               .date = message->date,
                               .zone = message->zone,
                               .recent = message->recent,
                               .size = message->header.len + message->text.len,
                               .nkeywords = message->nkeywords};
    memcpy(m.keywords, message->keywords, sizeof m.keywords);
    record_put_message(&r->tree->out, &m);
    mbox_each(message, send_piece, &r->tree->out);
    record_put(&r->tree->out, RECORD_END, SLICE_NONE);
}

/* --- a mailbox -------------------------------------------------------------------------------- */

static bool is_internal(const struct mbox_message *message)
{
    return message->internal &&
           memmem(message->header.ptr, message->header.len, "FOLDER INTERNAL DATA", 20);
}

static void list_messages(struct reading *r, struct slice rest)
{
    struct mbox_message message;
    struct list *list = &r->list;
    while (mbox_next(&rest, &message)) {
        if (!message.header.len) {
            record_put_text(&r->tree->out, RECORD_COMPLAINT,
                            "%s: text before a From_ line is left out", r->shown);
            continue;
        }
        if (list->n == 0 && message.uidvalidity && !r->uidvalidity) {
            r->uidvalidity = message.uidvalidity;
            r->uidnext = message.uidlast + 1;
        }
        if (is_internal(&message))
            continue;
        if (list->n == list->cap) {
            list->cap = list->cap ? list->cap * 2 : 64;
            list->messages = mem_resize(list->messages, list->cap * sizeof *list->messages);
        }
        list->messages[list->n++] = message;
    }
}

/* UIDs ascend; one that does not is none, and what has none gets the next ones, as the server would
 * have done. */
static void number_messages(struct reading *r)
{
    uint32_t last = 0;
    for (size_t i = 0; i < r->list.n; i++) {
        struct mbox_message *message = &r->list.messages[i];
        if (!r->uidvalidity || message->uid <= last || message->uid >= r->uidnext)
            message->uid = 0;
        if (message->uid)
            last = message->uid;
    }
    size_t first = r->list.n; /* from there on none has one */
    while (first && !r->list.messages[first - 1].uid)
        first--;
    for (size_t i = first; r->uidvalidity && i < r->list.n; i++)
        r->list.messages[i].uid = r->uidnext++;
}

static void send_mailbox(struct reading *r, struct slice text)
{
    struct idset seen;
    list_messages(r, text);
    number_messages(r);
    struct record_mailbox mailbox = {.path = r->folder->path,
                                     .shown = r->folder->shown,
                                     .uidvalidity = r->uidvalidity,
                                     .uidnext = r->uidnext};
    record_put_mailbox(&r->tree->out, &mailbox);
    idset_init(&seen);
    for (size_t i = 0; i < r->list.n && !r->tree->out.broken; i++)
        send_message(r, &r->list.messages[i], i + 1, &seen);
    idset_finish(&seen);
    mem_free(r->list.messages);
}

/* Somebody who is writing has it locked. */
static bool is_locked(int fd)
{
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_SETLK, &lock) != 0 && (errno == EAGAIN || errno == EACCES);
}

static void read_file(struct tree *tree, int at, const struct folder *folder, const char *shown)
{
    struct reading r = {.tree = tree, .folder = folder, .shown = shown};
    struct stat st;
    int fd = tree_open(tree, at, folder->dir, shown, &st);
    if (fd < 0)
        return;
    void *map = st.st_size ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    struct slice text = slice(map, map == MAP_FAILED ? 0 : (size_t)st.st_size);
    const char *why = is_locked(fd)       ? "somebody is writing to it"
                      : map == MAP_FAILED ? strerror(errno)
                      : text.len && !slice_starts(text, SLICE("From "))
                          ? "is no mbox: it does not begin with a From_ line"
                          : NULL;
    if (why)
        record_put_text(&tree->out, RECORD_COMPLAINT, "%s: %s", shown, why);
    else
        send_mailbox(&r, text);
    if (text.len)
        munmap(map, text.len);
    close(fd);
}

/* --- all of it -------------------------------------------------------------------------------- */

static void send_subscriptions(struct tree *tree)
{
    static const char *const files[] = {".subscriptions", "subscriptions"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        int fd = tree_open_below(tree->fd, files[i], O_RDONLY);
        if (fd >= 0)
            tree_send_subscribed(tree, fd, '/', SLICE_NONE);
    }
}

static void read_dir(struct tree *tree)
{
    scan_dir(tree, dup(tree->fd), "", "", 0);
    tree_sort(tree);
    record_put_total(&tree->out, &(struct record_total){0});
    for (size_t i = 0; i < tree->n && !tree->out.broken; i++)
        read_file(tree, tree->fd, &tree->folders[i], tree->folders[i].dir);
    send_subscriptions(tree);
    record_put(&tree->out, RECORD_DONE, SLICE_NONE);
}

/* The caller named this file: it may be a link. */
static void read_one(struct tree *tree, const char *path)
{
    char real[PATH_MAX];
    const char *name = realpath(path, real) ? strrchr(real, '/') + 1 : path;
    tree_add(tree, name, SLICE("INBOX"), '/');
    tree_sort(tree);
    record_put_total(&tree->out, &(struct record_total){0});
    *strrchr(real, '/') = '\0';
    tree->fd = open(real[0] ? real : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    read_file(tree, tree->fd, &tree->folders[0], path);
    record_put(&tree->out, RECORD_DONE, SLICE_NONE);
}

void mbox_read(const char *path, int fd)
{
    struct tree tree;
    struct stat st;
    tree_init(&tree, fd);
    if (stat(path, &st) != 0) {
        record_put_text(&tree.out, RECORD_FAILED, "%s: %s", path, strerror(errno));
    } else {
        tree.owner = st.st_uid;
        if (S_ISDIR(st.st_mode)) {
            tree.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            if (tree.fd < 0)
                record_put_text(&tree.out, RECORD_FAILED, "%s: %s", path, strerror(errno));
            else
                read_dir(&tree);
        } else {
            read_one(&tree, path);
        }
    }
    tree_finish(&tree);
}
