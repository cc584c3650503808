#include "cmd/mail/writer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/setup.h"
#include "core/base/mem.h"
#include "core/base/utf7.h"

enum { TEXTS_MAX = 1 << 20 };

/* --- records ---------------------------------------------------------------------------------- */

struct walk {
    const struct writer *writer;
    void *arg;
    struct arena arena; /* of a record */
    bool in_mailbox;
};

static bool end_mailbox(struct walk *w)
{
    bool was = w->in_mailbox;
    w->in_mailbox = false;
    return !was || w->writer->mailbox_end(w->arg);
}

static bool take(struct walk *w, const struct record *record)
{
    struct record_mailbox mailbox;
    struct record_message message;
    struct record_total total;
    switch (record->type) {
    case RECORD_TOTAL:
        return record_get_total(record->payload, &w->arena, &total) &&
               w->writer->begin(w->arg, &total);
    case RECORD_MAILBOX:
        if (!record_get_mailbox(record->payload, &w->arena, &mailbox) || !end_mailbox(w))
            return false;
        w->in_mailbox = true;
        return w->writer->mailbox(w->arg, &mailbox);
    case RECORD_MESSAGE:
        return w->in_mailbox && record_get_message(record->payload, &w->arena, &message) &&
               w->writer->message(w->arg, &message);
    case RECORD_OCTETS:
        return w->writer->octets(w->arg, record->payload);
    case RECORD_END:
        return w->writer->end(w->arg, record->payload.len == 0);
    case RECORD_SUBSCRIBED:
        return end_mailbox(w) && w->writer->subscribed(w->arg, record->payload);
    case RECORD_DONE:
        return end_mailbox(w) && w->writer->done(w->arg);
    default:
        return true;
    }
}

bool writer_run(const struct writer *writer, void *arg, int fd)
{
    struct record_in *in = mem_new(sizeof *in);
    struct walk w = {.writer = writer, .arg = arg};
    struct record record = {.type = RECORD_TOTAL};
    bool good = true;
    arena_init(&w.arena, TEXTS_MAX);
    record_in_init(in, record_read_fd, &fd);
    while (good && record.type != RECORD_DONE) {
        good = record_next(in, &record) && take(&w, &record);
        arena_reset(&w.arena);
    }
    mem_free(in);
    return good;
}

/* --- files ------------------------------------------------------------------------------------ */

int writer_directory(int at, const char *name)
{
    if (mkdirat(at, name, 0700) != 0 && errno != EEXIST) {
        setup_complain("%s: %s", name, strerror(errno));
        return -1;
    }
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        setup_complain("%s: %s", name, strerror(errno));
    return fd;
}

static bool is_empty(int fd)
{
    int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    const struct dirent *entry = NULL;
    bool empty = dir;
    while (empty && (entry = readdir(dir)))
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    if (dir)
        closedir(dir);
    else if (copy >= 0)
        close(copy);
    return empty;
}

bool writer_claim(int root, struct slice account)
{
    static const char name[] = ".tandem-export";
    char owner[512];
    int fd = openat(root, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n = fd < 0 ? -1 : read(fd, owner, sizeof owner);
    if (fd >= 0)
        close(fd);
    if (n < 0 && !is_empty(root)) {
        setup_complain("there are other files; export into an empty folder");
        return false;
    }
    if (n < 0)
        return writer_file(root, name, account);
    if (slice_eq(slice(owner, (size_t)n), account))
        return true;
    setup_complain("there is the mail of " SLICE_FMT "; export into an empty folder",
                   SLICE_ARG(slice(owner, (size_t)n)));
    return false;
}

bool writer_write(int fd, struct slice octets, const char *name)
{
    if (record_write_fd(&fd, octets))
        return true;
    setup_complain("%s: %s", name, strerror(errno));
    return false;
}

bool writer_file(int at, const char *name, struct slice octets)
{
    char part[256];
    snprintf(part, sizeof part, "%s.part", name);
    int fd = openat(at, part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        setup_complain("%s: %s", part, strerror(errno));
        return false;
    }
    bool good = writer_write(fd, octets, part);
    if (good && (fsync(fd) != 0 || renameat(at, part, at, name) != 0)) {
        setup_complain("%s: %s", name, strerror(errno));
        good = false;
    }
    close(fd);
    return good;
}

struct slice writer_name(struct arena *arena, struct slice path, char separator)
{
    char *to = arena_new(arena, utf7_encoded_max(path.len) + path.len + 1);
    size_t len = 0;
    bool mended = false;
    for (struct slice rest = path;;) {
        struct slice now = slice_first(rest, slice_find(rest, '/'));
        size_t n = utf7_encode(now, to + len);
        for (size_t i = 0; i < n; i++)
            if (to[len + i] == separator || (i == 0 && to[len] == '.')) {
                to[len + i] = '_';
                mended = true;
            }
        len += n;
        if (now.len == rest.len)
            break;
        to[len++] = separator;
        rest = slice_from(rest, now.len + 1);
    }
    if (mended)
        setup_complain("'" SLICE_FMT "' becomes '%.*s'", SLICE_ARG(path), (int)len, to);
    return slice(to, len);
}

/* --- line ends -------------------------------------------------------------------------------- */

size_t line_ends_to_lf(struct line_ends *state, struct slice in, char *to)
{
    size_t n = 0;
    if (!in.len && state->cr) {
        to[n++] = '\r';
        *state = (struct line_ends){0};
    }
    for (size_t i = 0; i < in.len; i++) {
        char c = in.ptr[i];
        if (state->cr && (c != '\n' || state->cr_before))
            to[n++] = '\r';
        state->cr_before = state->cr && c == '\r';
        state->cr = c == '\r';
        if (c != '\r')
            to[n++] = c;
    }
    return n;
}
