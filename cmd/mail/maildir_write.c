/* Writes a Maildir++ as Dovecot has it: UIDs, UIDLs and order in dovecot-uidlist, keywords as
 * letters of dovecot-keywords, the date of arrival as the time of the file, LF line ends. A file's
 * name is made of the message's UID and UIDVALIDITY: one that is there is not written again, so a
 * second run completes the first. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/mail/files.h"
#include "cmd/mail/maildir_index.h"
#include "cmd/mail/writer.h"
#include "cmd/setup.h"
#include "core/base/buf.h"
#include "core/base/mem.h"
#include "store/store.h"

enum { NAME_OCTETS = 256, LIST_MAX = 1 << 30 };
static const char scratch[] = "tmp/tandem-export";

struct there { /* a file of an earlier run */
    char *name;
    bool is_new;
};

struct maildir {
    int root, fd; /* of the mailbox; -1 */
    char shown[512];
    struct arena arena;
    struct buf subscriptions;
    /* The mailbox. */
    uint32_t uidvalidity, uidnext;
    struct buf uidlist;
    struct slice letters[MAILDIR_LETTERS]; /* owned */
    bool keyword_dropped;
    struct there *there;
    size_t nthere, there_cap;
    /* The message. */
    struct record_message message; /* its texts in `about`, flags */
    char base[64], flags[64], about[128];
    int file;                  /* -1: it is there already */
    const struct there *known; /* then */
    uint64_t size, full_size;  /* as written; with CRLF */
    struct line_ends ends;
};

/* --- what is there ---------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct there *)a)->name, ((const struct there *)b)->name);
}

static bool list_there(struct maildir *md, const char *sub)
{
    int fd = writer_directory(md->fd, sub);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        if (!strstr(entry->d_name, ".tandem,"))
            continue;
        if (md->nthere == md->there_cap) {
            md->there_cap = md->there_cap ? md->there_cap * 2 : 256;
            md->there = mem_resize(md->there, md->there_cap * sizeof *md->there);
        }
        md->there[md->nthere++] =
            (struct there){.name = mem_dup(entry->d_name, strlen(entry->d_name) + 1),
                           .is_new = strcmp(sub, "new") == 0};
    }
    if (dir)
        closedir(dir);
    return dir;
}

/* A file whose name begins with `base`. */
static const struct there *find_there(const struct maildir *md, const char *base)
{
    size_t lo = 0, hi = md->nthere, len = strlen(base);
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (strncmp(md->there[mid].name, base, len) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < md->nthere && strncmp(md->there[lo].name, base, len) == 0 ? &md->there[lo] : NULL;
}

/* All of it? A crash may leave less than its name says. What is not whole goes away. */
static const struct there *whole_there(const struct maildir *md, const char *base)
{
    const struct there *known = find_there(md, base);
    const char *size = known ? strstr(known->name, ",S=") : NULL;
    char path[NAME_OCTETS + 8];
    struct stat st;
    if (!known)
        return NULL;
    snprintf(path, sizeof path, "%s/%s", known->is_new ? "new" : "cur", known->name);
    if (size && fstatat(md->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        (unsigned long long)st.st_size == strtoull(size + 3, NULL, 10))
        return known;
    unlinkat(md->fd, path, 0);
    return NULL;
}

static void ignore_line(void *arg, const char *line)
{
    (void)arg;
    (void)line;
}

/* A folder that another mailbox has is not ours to write to. */
static bool is_free(const struct maildir *md)
{
    struct maildir_index index;
    maildir_index_read(&index, md->fd, false, ignore_line, NULL);
    bool is = !index.uidvalidity || index.uidvalidity == md->uidvalidity;
    maildir_index_finish(&index);
    if (!is)
        setup_complain("%s: holds another mailbox; export into an empty folder", md->shown);
    return is;
}

/* --- a mailbox -------------------------------------------------------------------------------- */

static bool mailbox(void *arg, const struct record_mailbox *mailbox)
{
    struct maildir *md = arg;
    bool inbox = slice_eq(mailbox->path, SLICE("INBOX"));
    struct slice name = writer_name(&md->arena, mailbox->path, '.');
    snprintf(md->shown, sizeof md->shown, "%s" SLICE_FMT, inbox ? "" : ".",
             SLICE_ARG(inbox ? SLICE(".") : name));
    arena_reset(&md->arena);
    md->uidvalidity = mailbox->uidvalidity;
    md->uidnext = mailbox->uidnext;
    md->keyword_dropped = false;
    md->fd = writer_directory(md->root, md->shown);
    if (md->fd < 0 || !is_free(md) || !list_there(md, "cur") || !list_there(md, "new"))
        return false;
    int tmp = writer_directory(md->fd, "tmp");
    if (tmp < 0 || (!inbox && !writer_file(md->fd, "maildirfolder", SLICE_NONE)))
        return false;
    close(tmp);
    if (md->nthere)
        qsort(md->there, md->nthere, sizeof *md->there, by_name);
    return true;
}

static bool mailbox_end(void *arg)
{
    struct maildir *md = arg;
    struct buf list, keywords;
    buf_init(&list, LIST_MAX);
    buf_init(&keywords, LIST_MAX);
    enum err e = buf_printf(&list, "3 V%u N%u\n", md->uidvalidity, md->uidnext);
    if (!e)
        e = buf_append(&list, buf_slice(&md->uidlist));
    for (unsigned i = 0; !e && i < MAILDIR_LETTERS && md->letters[i].len; i++)
        e = buf_printf(&keywords, "%u " SLICE_FMT "\n", i, SLICE_ARG(md->letters[i]));
    if (e)
        setup_complain("%s: %s", md->shown, err_text(e));
    /* All messages are on the disk before the list that names them. */
    bool good = !e && syncfs(md->fd) == 0 &&
                writer_file(md->fd, "dovecot-uidlist", buf_slice(&list)) &&
                (!keywords.len || writer_file(md->fd, "dovecot-keywords", buf_slice(&keywords)));
    buf_finish(&list);
    buf_finish(&keywords);
    buf_finish(&md->uidlist);
    for (unsigned i = 0; i < MAILDIR_LETTERS; i++) {
        mem_free((char *)(uintptr_t)md->letters[i].ptr);
        md->letters[i] = SLICE_NONE;
    }
    for (size_t i = 0; i < md->nthere; i++)
        mem_free(md->there[i].name);
    md->nthere = 0;
    close(md->fd);
    md->fd = -1;
    return good;
}

/* --- a message -------------------------------------------------------------------------------- */

static char letter_of(struct maildir *md, struct slice keyword)
{
    for (unsigned i = 0; i < MAILDIR_LETTERS; i++) {
        if (!md->letters[i].len)
            md->letters[i] = slice(mem_dup(keyword.ptr, keyword.len), keyword.len);
        if (slice_ieq(md->letters[i], keyword))
            return (char)('a' + i);
    }
    if (!md->keyword_dropped)
        setup_complain("%s: a Maildir has 26 keywords; some are left out", md->shown);
    md->keyword_dropped = true;
    return 0;
}

static int by_letter(const void *a, const void *b)
{
    return *(const char *)a - *(const char *)b;
}

/* In the order of their octets, as Maildir has it. */
static void write_flags(struct maildir *md, const struct record_message *m, char *to)
{
    static const struct {
        uint8_t flag;
        char letter;
    } flags[] = {
        {FLAG_DRAFT,    'D'},
        {FLAG_FLAGGED,  'F'},
        {FLAG_ANSWERED, 'R'},
        {FLAG_SEEN,     'S'},
        {FLAG_DELETED,  'T'}
    };
    size_t n = 0;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (m->flags & flags[i].flag)
            to[n++] = flags[i].letter;
    size_t first = n;
    for (size_t i = 0; i < m->nkeywords && n < MAILDIR_LETTERS + 6; i++) {
        char letter = letter_of(md, m->keywords[i]);
        if (letter)
            to[n++] = letter;
    }
    qsort(to + first, n - first, 1, by_letter);
    to[n] = '\0';
}

static bool message(void *arg, const struct record_message *m)
{
    struct maildir *md = arg;
    md->message = *m;
    snprintf(md->base, sizeof md->base, "%u.U%uV%u.tandem,", m->date, m->uid, md->uidvalidity);
    write_flags(md, m, md->flags);
    size_t n = 0;
    md->about[0] = '\0';
    if (m->uidl.len)
        n = (size_t)snprintf(md->about, sizeof md->about, " P" SLICE_FMT, SLICE_ARG(m->uidl));
    if (m->order)
        snprintf(md->about + n, sizeof md->about - n, " O%u", m->order);
    md->known = whole_there(md, md->base);
    md->size = md->full_size = 0;
    md->ends = (struct line_ends){0};
    md->file = -1;
    if (md->known)
        return true;
    md->file = openat(md->fd, scratch, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (md->file < 0)
        setup_complain("%s/%s: %s", md->shown, scratch, strerror(errno));
    return md->file >= 0;
}

static bool octets(void *arg, struct slice in)
{
    static char out[RECORD_MAX + 1];
    struct maildir *md = arg;
    if (md->file < 0)
        return true;
    size_t n = line_ends_to_lf(&md->ends, in, out);
    md->size += n;
    md->full_size += in.len;
    return writer_write(md->file, slice(out, n), md->shown);
}

/* Under its name, where its flags stand; `from` is below the mailbox. */
static bool place(struct maildir *md, const char *from, const char *base)
{
    char to[NAME_OCTETS];
    bool fresh = md->message.recent && !md->flags[0];
    snprintf(to, sizeof to, fresh ? "new/%s" : "cur/%s:2,%s", base, md->flags);
    if (strcmp(from, to) == 0 || renameat(md->fd, from, md->fd, to) == 0)
        return true;
    setup_complain("%s/%s: %s", md->shown, to, strerror(errno));
    return false;
}

static bool end(void *arg, bool whole)
{
    struct maildir *md = arg;
    char from[NAME_OCTETS], base[NAME_OCTETS];
    bool good = true;
    if (md->file >= 0) {
        struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = md->message.date}};
        good = octets(md, SLICE_NONE) && futimens(md->file, times) == 0;
        close(md->file);
        snprintf(from, sizeof from, "%s", scratch);
        snprintf(base, sizeof base, "%sS=%llu,W=%llu", md->base, (unsigned long long)md->size,
                 (unsigned long long)md->full_size);
    } else {
        struct slice name = maildir_base(slice_str(md->known->name), NULL);
        snprintf(from, sizeof from, "%s/%s", md->known->is_new ? "new" : "cur", md->known->name);
        snprintf(base, sizeof base, SLICE_FMT, SLICE_ARG(name));
    }
    if (!whole) /* the complaint is the export's */
        return good;
    if (!good || !place(md, from, base))
        return false;
    enum err e = buf_printf(&md->uidlist, "%u%s :%s\n", md->message.uid, md->about, base);
    if (e)
        setup_complain("%s: %s", md->shown, err_text(e));
    return !e;
}

/* --- all of it -------------------------------------------------------------------------------- */

static bool subscribed(void *arg, struct slice path)
{
    struct maildir *md = arg;
    struct slice name = writer_name(&md->arena, path, '\t');
    enum err e = md->subscriptions.len ? ERR_OK : buf_append(&md->subscriptions, SLICE("V\t2\n\n"));
    if (!e)
        e = buf_printf(&md->subscriptions, SLICE_FMT "\n", SLICE_ARG(name));
    arena_reset(&md->arena);
    if (e)
        setup_complain("subscriptions: %s", err_text(e));
    return !e;
}

static bool begin(void *arg, const struct record_total *total)
{
    return writer_claim(((struct maildir *)arg)->root, total->account);
}

static bool done(void *arg)
{
    struct maildir *md = arg;
    return !md->subscriptions.len ||
           writer_file(md->root, "subscriptions", buf_slice(&md->subscriptions));
}

bool maildir_write(const char *path, int fd)
{
    static const struct writer writer = {.begin = begin,
                                         .mailbox = mailbox,
                                         .message = message,
                                         .octets = octets,
                                         .end = end,
                                         .mailbox_end = mailbox_end,
                                         .subscribed = subscribed,
                                         .done = done};
    struct maildir *md = mem_new(sizeof *md);
    md->fd = -1;
    arena_init(&md->arena, SIZE_MAX);
    buf_init(&md->uidlist, LIST_MAX);
    buf_init(&md->subscriptions, LIST_MAX);
    md->root = writer_directory(AT_FDCWD, path);
    bool good = md->root >= 0 && writer_run(&writer, md, fd);
    mem_free(md->there);
    buf_finish(&md->uidlist);
    buf_finish(&md->subscriptions);
    arena_reset(&md->arena);
    mem_free(md);
    return good;
}
