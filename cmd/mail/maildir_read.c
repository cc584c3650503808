/* Reads a Maildir: INBOX is the root, folders are ".Sub.Folder" (Maildir++) or plain directories
 * (Dovecot's LAYOUT=fs), messages are the files of cur/ and new/. Flags stand in the names of
 * files, the rest in index files (cmd/mail/maildir_index.h). tmp/ holds what never arrived. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/mail/files.h"
#include "cmd/mail/maildir_index.h"
#include "cmd/mail/tree.h"
#include "core/base/hex.h"
#include "core/base/mem.h"
#include "core/base/utf8.h"
#include "store/store.h"

enum { DATE_SLACK_S = 3600 };

struct file {
    char *name;
    bool is_new;
    uint32_t uid;
    const struct maildir_entry *entry; /* NULL: the index does not know it */
};

struct list {
    struct file *files;
    size_t n, cap;
};

/* A folder being read. */
struct reading {
    struct tree *tree;
    const struct folder *folder;
    struct maildir_index index;
    struct list list;
    int fd;
};

static const char *label(const struct folder *folder)
{
    return folder->dir[0] ? folder->dir : "INBOX";
}

/* --- folders ---------------------------------------------------------------------------------- */

static int open_dir(int at, const char *name)
{
    return tree_open_below(at, name, O_RDONLY | O_DIRECTORY);
}

static bool has_dir(int fd, const char *name)
{
    struct stat st;
    return fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static bool is_maildir(int fd)
{
    return has_dir(fd, "cur") || has_dir(fd, "new");
}

static bool is_own_dir(const char *name)
{
    return strcmp(name, "cur") == 0 || strcmp(name, "new") == 0 || strcmp(name, "tmp") == 0;
}

/* A directory stream of its own over `fd`. NULL: complained. */
static DIR *list_dir(struct tree *tree, int fd, const char *shown)
{
    int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    if (!dir) {
        record_put_text(&tree->out, RECORD_COMPLAINT, "%s: cannot be read: %s", shown,
                        strerror(errno));
        if (copy >= 0)
            close(copy);
    }
    return dir;
}

static void scan_dirs(struct tree *tree, int fd, const char *dir, unsigned depth);

/* A directory below `dir`: a folder, or one of LAYOUT=fs that only holds others. */
static void scan_one(struct tree *tree, int parent, const char *dir, const char *name,
                     unsigned depth)
{
    char path[PATH_MAX];
    bool plus = name[0] == '.';
    if (snprintf(path, sizeof path, "%s%s%s", dir, dir[0] ? "/" : "", name) >= (int)sizeof path)
        return;
    int fd = open_dir(parent, name);
    if (fd < 0) {
        record_put_text(&tree->out, RECORD_COMPLAINT, "%s: %s", path, strerror(errno));
        return;
    }
    if (is_maildir(fd))
        tree_add(tree, path, slice_str(plus ? name + 1 : path), plus ? '.' : '/');
    if (!plus && depth < TREE_DEPTH_MAX)
        scan_dirs(tree, fd, path, depth + 1);
    close(fd);
}

/* A folder elsewhere is not ours to read. */
static void complain_of_link(struct tree *tree, int fd, const char *dir, const char *name)
{
    struct stat link, to;
    if (fstatat(fd, name, &link, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(link.st_mode) &&
        fstatat(fd, name, &to, 0) == 0 && S_ISDIR(to.st_mode))
        record_put_text(&tree->out, RECORD_COMPLAINT, "%s%s%s: is a link: left out", dir,
                        dir[0] ? "/" : "", name);
}

static void scan_dirs(struct tree *tree, int fd, const char *dir, unsigned depth)
{
    DIR *stream = list_dir(tree, fd, dir[0] ? dir : ".");
    const struct dirent *entry;
    while (stream && (entry = readdir(stream)) && tree->n < TREE_FOLDERS_MAX) {
        const char *name = entry->d_name;
        bool plus = name[0] == '.';
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || is_own_dir(name) ||
            (plus && (depth || !name[1])) || !has_dir(fd, name)) {
            complain_of_link(tree, fd, dir, name);
            continue;
        }
        scan_one(tree, fd, dir, name, depth);
    }
    if (stream)
        closedir(stream);
}

/* --- the files of a folder -------------------------------------------------------------------- */

static uint64_t count_files(struct tree *tree, const struct folder *folder)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < 2; i++) {
        char path[PATH_MAX];
        const struct dirent *entry;
        snprintf(path, sizeof path, "%s%s%s", folder->dir, folder->dir[0] ? "/" : "",
                 i ? "new" : "cur");
        int fd = open_dir(tree->fd, path);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        while (dir && (entry = readdir(dir)))
            n += entry->d_name[0] != '.';
        if (dir)
            closedir(dir);
        else if (fd >= 0)
            close(fd);
    }
    return n;
}

static void list_files(struct reading *r, const char *sub)
{
    char shown[PATH_MAX];
    const struct dirent *entry;
    snprintf(shown, sizeof shown, "%s/%s", label(r->folder), sub);
    int fd = open_dir(r->fd, sub);
    DIR *dir = fd < 0 ? NULL : list_dir(r->tree, fd, shown);
    if (fd < 0 && (errno != ENOENT || strcmp(sub, "cur") == 0))
        record_put_text(&r->tree->out, RECORD_COMPLAINT, "%s: %s", shown,
                        errno == ENOENT ? "is not there: half copied?" : strerror(errno));
    if (fd >= 0)
        close(fd);
    while (dir && (entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            continue;
        struct list *list = &r->list;
        if (list->n == list->cap) {
            list->cap = list->cap ? list->cap * 2 : 256;
            list->files = mem_resize(list->files, list->cap * sizeof *list->files);
        }
        struct file *file = &list->files[list->n++];
        struct slice base = maildir_base(slice_str(entry->d_name), NULL);
        *file = (struct file){.name = mem_dup(entry->d_name, strlen(entry->d_name) + 1),
                              .is_new = strcmp(sub, "new") == 0,
                              .entry = maildir_index_find(&r->index, base)};
        file->uid = file->entry ? file->entry->uid : 0;
    }
    if (dir)
        closedir(dir);
}

static int by_name(const void *a, const void *b)
{
    return maildir_name_cmp(slice_str(((const struct file *)a)->name),
                            slice_str(((const struct file *)b)->name));
}

/* Those without a UID come last, by name. */
static int by_uid(const void *a, const void *b)
{
    uint32_t x = ((const struct file *)a)->uid - 1, y = ((const struct file *)b)->uid - 1;
    return x != y ? x < y ? -1 : 1 : by_name(a, b);
}

/* As the server would have done when it next looked: what has no UID gets the next ones. */
static void number_files(struct reading *r)
{
    struct list *list = &r->list;
    if (list->n)
        qsort(list->files, list->n, sizeof *list->files, by_uid);
    for (size_t i = 0; r->index.uidvalidity && i < list->n; i++)
        if (!list->files[i].uid && r->index.uidnext < MAILDIR_UID_MAX)
            list->files[i].uid = r->index.uidnext++;
}

/* Courier's maildrop is in the order of file names: said by its place if UIDs are in another. */
static bool needs_places(const struct reading *r)
{
    const struct list *list = &r->list;
    for (size_t i = 0; r->index.courier && i + 1 < list->n; i++)
        if (by_name(&list->files[i], &list->files[i + 1]) > 0)
            return true;
    return false;
}

static uint32_t place_of(const struct reading *r, char *const *names, const struct file *file)
{
    size_t lo = 0, hi = r->list.n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (maildir_name_cmp(slice_str(names[mid]), slice_str(file->name)) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return (uint32_t)lo + 1;
}

/* --- a message -------------------------------------------------------------------------------- */

/* The number behind ",S=" or ",W=" in a name. */
static bool size_in_name(struct slice base, char letter, uint64_t *ret)
{
    const char tag[] = {',', letter, '='};
    const char *at = memmem(base.ptr, base.len, tag, sizeof tag);
    if (!at)
        return false;
    struct slice rest = slice_from(base, (size_t)(at - base.ptr) + sizeof tag);
    return slice_u64(slice_first(rest, slice_find(rest, ',')), INT64_MAX, ret);
}

static void take_flags(const struct reading *r, const struct file *file, struct slice letters,
                       struct record_message *m)
{
    static const struct {
        char letter;
        uint8_t flag;
    } flags[] = {
        {'D', FLAG_DRAFT   },
        {'F', FLAG_FLAGGED },
        {'R', FLAG_ANSWERED},
        {'S', FLAG_SEEN    },
        {'T', FLAG_DELETED }
    };
    uint32_t keywords = file->entry ? file->entry->keywords : 0;
    if (slice_find(letters, 'P') < letters.len) /* passed on */
        m->keywords[m->nkeywords++] = SLICE("$Forwarded");
    for (size_t i = 0; i < letters.len; i++) {
        for (size_t k = 0; k < sizeof flags / sizeof *flags; k++)
            if (letters.ptr[i] == flags[k].letter)
                m->flags |= flags[k].flag;
        if (letters.ptr[i] >= 'a' && letters.ptr[i] <= 'z')
            keywords |= 1u << (letters.ptr[i] - 'a');
    }
    for (unsigned i = 0; i < MAILDIR_LETTERS; i++)
        if (keywords >> i & 1 && r->index.letters[i].len)
            m->keywords[m->nkeywords++] = r->index.letters[i];
}

/* Dovecot and Courier keep INTERNALDATE as the file's time, and a name begins with the time at
 * which the message was stored. A file that is much younger than its name was copied without its
 * time. */
static uint32_t date_of(const struct stat *st, const char *name)
{
    int64_t date = st->st_mtime;
    char *end;
    long long named = strtoll(name, &end, 10);
    if (end != name && *end == '.' && named > 0 && named <= UINT32_MAX &&
        date > named + DATE_SLACK_S)
        date = named;
    return date > 0 && date <= UINT32_MAX ? (uint32_t)date : 0;
}

/* NULL: it is as its name says. */
static const char *size_trouble(struct slice base, int fd, uint64_t size, uint64_t with_cr,
                                char why[128])
{
    uint64_t said = 0;
    unsigned char magic[2];
    bool s = size_in_name(base, 'S', &said);
    if (s ? said == size : !with_cr || !size_in_name(base, 'W', &said) || said == with_cr)
        return size ? NULL : "is empty";
    if (pread(fd, magic, 2, 0) == 2 && magic[0] == 0x1f && magic[1] == 0x8b)
        return "is compressed; have the old server store it plainly first";
    snprintf(why, 128, "half copied: %llu octets, its name says %llu",
             (unsigned long long)(s ? size : with_cr), (unsigned long long)said);
    return why;
}

/* Its octets. Returns what keeps the message from being whole, or NULL. */
static const char *send_octets(struct reading *r, int fd, struct slice base, uint64_t size,
                               char why[128])
{
    static char octets[RECORD_MAX];
    uint64_t sent = 0, with_cr = 0;
    ssize_t n;
    bool cr = false;
    while ((n = read(fd, octets, sizeof octets)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return strerror(errno);
        for (ssize_t i = 0; i < n; i++) {
            with_cr += octets[i] == '\n' && !cr;
            cr = octets[i] == '\r';
        }
        record_put_octets(&r->tree->out, slice(octets, (size_t)n));
        sent += (uint64_t)n;
    }
    if (sent != size)
        return "changed while it was read";
    return size_trouble(base, fd, size, with_cr + sent, why);
}

static void send_message(struct reading *r, const struct file *file, uint32_t place)
{
    struct stat st;
    char shown[PATH_MAX], inside[NAME_MAX + 8], hex[2 * NAME_MAX + 8] = "hex:", why[128];
    struct slice flags, base = maildir_base(slice_str(file->name), &flags);
    snprintf(inside, sizeof inside, "%s/%s", file->is_new ? "new" : "cur", file->name);
    snprintf(shown, sizeof shown, "%s/%s", label(r->folder), inside);
    int fd = tree_open(r->tree, r->fd, inside, shown, &st);
    if (fd < 0)
        return;
    struct record_message m = {.name = slice_str(shown),
                               .id = base,
                               .uid = file->uid,
                               .order = place,
                               .recent = file->is_new,
                               .date = date_of(&st, file->name),
                               .size = (uint64_t)st.st_size,
                               .guid = base};
    if (!utf8_valid(base)) {
        hex_encode(base, hex + 4);
        m.id = slice(hex, 4 + 2 * base.len);
    }
    if (file->entry) {
        m.uidl = file->entry->uidl;
        m.order = place ? place : file->entry->order;
        m.guid = file->entry->guid.len ? file->entry->guid : base;
    }
    m.zone = tree_zone(m.date);
    take_flags(r, file, flags, &m);
    const char *trouble = size_trouble(base, fd, m.size, 0, why);
    if (trouble) {
        record_put_text(&r->tree->out, RECORD_COMPLAINT, "%s: %s", shown, trouble);
    } else {
        record_put_message(&r->tree->out, &m);
        trouble = send_octets(r, fd, base, m.size, why);
        record_put(&r->tree->out, RECORD_END, slice_str(trouble));
    }
    close(fd);
}

/* --- a folder --------------------------------------------------------------------------------- */

static void complain(void *arg, const char *line)
{
    struct reading *r = arg;
    record_put_text(&r->tree->out, RECORD_NOTE, "%s/%s", label(r->folder), line);
}

static void send_files(struct reading *r)
{
    char **names = NULL;
    if (needs_places(r)) {
        struct file *sorted = mem_dup(r->list.files, r->list.n * sizeof *sorted);
        names = mem_new_array(r->list.n, sizeof *names);
        qsort(sorted, r->list.n, sizeof *sorted, by_name);
        for (size_t i = 0; i < r->list.n; i++)
            names[i] = sorted[i].name;
        mem_free(sorted);
    }
    for (size_t i = 0; i < r->list.n && !r->tree->out.broken; i++) {
        const struct file *file = &r->list.files[i];
        send_message(r, file, names ? place_of(r, names, file) : 0);
    }
    mem_free(names);
}

static void send_folder(struct tree *tree, const struct folder *folder)
{
    struct reading r = {.tree = tree, .folder = folder};
    r.fd = open_dir(tree->fd, folder->dir[0] ? folder->dir : ".");
    if (r.fd < 0) {
        record_put_text(&tree->out, RECORD_COMPLAINT, "%s: %s", label(folder), strerror(errno));
        return;
    }
    maildir_index_read(&r.index, r.fd, !folder->dir[0], complain, &r);
    list_files(&r, "cur");
    list_files(&r, "new");
    number_files(&r);
    struct record_mailbox mailbox = {.path = folder->path,
                                     .shown = folder->shown,
                                     .uidvalidity = r.index.uidvalidity,
                                     .uidnext = r.index.uidnext};
    record_put_mailbox(&tree->out, &mailbox);
    send_files(&r);
    for (size_t i = 0; i < r.list.n; i++)
        mem_free(r.list.files[i].name);
    mem_free(r.list.files);
    maildir_index_finish(&r.index);
    close(r.fd);
}

/* --- subscriptions ---------------------------------------------------------------------------- */

/* Dovecot 2.3 writes names by component; before that, and in Courier's file, they have the folders'
 * separator. Courier's begin with "INBOX.". */
static void send_subscriptions(struct tree *tree, const char *file, struct slice prefix)
{
    bool plus = true;
    int fd = tree_open_below(tree->fd, file, O_RDONLY);
    for (size_t i = 0; i < tree->n; i++)
        plus &= !tree->folders[i].dir[0] || tree->folders[i].dir[0] == '.';
    if (fd >= 0)
        tree_send_subscribed(tree, fd, plus ? '.' : '/', prefix);
    else if (errno != ENOENT)
        record_put_text(&tree->out, RECORD_NOTE, "%s: cannot be read: %s", file, strerror(errno));
}

void maildir_read(const char *path, int fd)
{
    struct tree tree;
    struct stat st;
    tree_init(&tree, fd);
    tree.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (tree.fd < 0 || fstat(tree.fd, &st) != 0) {
        record_put_text(&tree.out, RECORD_FAILED, "%s: %s", path, strerror(errno));
        tree_finish(&tree);
        return;
    }
    tree.owner = st.st_uid;
    if (is_maildir(tree.fd))
        tree_add(&tree, "", SLICE("INBOX"), '/');
    scan_dirs(&tree, tree.fd, "", 0);
    tree_sort(&tree);
    if (tree.n == 0) {
        record_put_text(&tree.out, RECORD_FAILED, "%s: no Maildir: there is no cur/ in it or below",
                        path);
    } else {
        struct record_total total = {0};
        for (size_t i = 0; i < tree.n; i++)
            total.messages += count_files(&tree, &tree.folders[i]);
        record_put_total(&tree.out, &total);
        for (size_t i = 0; i < tree.n && !tree.out.broken; i++)
            send_folder(&tree, &tree.folders[i]);
        send_subscriptions(&tree, "subscriptions", SLICE_NONE);
        send_subscriptions(&tree, "courierimapsubscribed", SLICE("INBOX."));
        record_put(&tree.out, RECORD_DONE, SLICE_NONE);
    }
    tree_finish(&tree);
}
