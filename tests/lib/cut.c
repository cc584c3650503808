#include "tests/lib/cut.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/mem.h"
#include "tests/lib/dirs.h"

enum { SECTOR = 512 };

struct contents {
    char *octets;
    size_t len, cap;
};

struct cut {
    const struct record *record;
    size_t next; /* call */
    const struct call *last;
    struct contents *files; /* what is durable of each */
    size_t nfiles;
    struct name *names; /* durable; paths belong to the record */
    size_t nnames;
    size_t *pending; /* calls that are not, in order */
    size_t npending, cap;
};

/* --- contents ----------------------------------------------------------------------------------
 */

static void contents_resize(struct contents *c, size_t len)
{
    if (len > c->cap) {
        c->cap = len + len / 2 + 4096;
        c->octets = mem_resize(c->octets, c->cap);
    }
    if (len > c->len)
        memset(c->octets + c->len, 0, len - c->len);
    c->len = len;
}

static void write_part(struct contents *c, const struct call *call, size_t from, size_t to)
{
    size_t at = (size_t)call->offset;
    if (c->len < at + to)
        contents_resize(c, at + to);
    memcpy(c->octets + at + from, call->octets + from, to - from);
}

static void apply(struct contents *c, const struct call *call)
{
    if (call->kind == CALL_TRUNCATE)
        contents_resize(c, (size_t)call->offset);
    else if (call->len)
        write_part(c, call, 0, call->len);
}

static uint64_t next_random(uint64_t *seed)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Each sector of the disk is written whole or not at all. */
static void apply_torn(struct contents *c, const struct call *call, uint64_t *seed)
{
    if (call->kind == CALL_TRUNCATE)
        return;
    for (size_t at = 0; at < call->len;) {
        size_t end = at + SECTOR - (size_t)((call->offset + at) % SECTOR);
        end = end < call->len ? end : call->len;
        if (next_random(seed) & 1)
            write_part(c, call, at, end);
        at = end;
    }
}

/* --- names -------------------------------------------------------------------------------------
 */

struct names {
    struct name *list;
    size_t n;
};

static void names_drop(struct names *names, const char *path)
{
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->list[i].path, path) == 0) {
            memmove(&names->list[i], &names->list[i + 1], (names->n - i - 1) * sizeof *names->list);
            names->n--;
            return;
        }
}

static void names_add(struct names *names, char *path, int file)
{
    names_drop(names, path);
    names->list = mem_resize(names->list, (names->n + 1) * sizeof *names->list);
    names->list[names->n++] = (struct name){path, file};
}

static void names_apply(struct names *names, const struct call *call)
{
    switch (call->kind) {
    case CALL_CREATE:
    case CALL_MKDIR:
        names_add(names, call->name, call->file);
        break;
    case CALL_RENAME:
        names_drop(names, call->name);
        names_add(names, call->to, call->file);
        break;
    default:
        names_drop(names, call->name);
    }
}

static bool is_name_call(const struct call *call)
{
    return call->kind >= CALL_CREATE && call->kind <= CALL_UNLINK;
}

static bool lies_in(const char *name, const char *dir)
{
    const char *slash = strrchr(name, '/');
    size_t len = slash ? (size_t)(slash - name) : 0;
    return strlen(dir) == len && strncmp(name, dir, len) == 0;
}

/* --- moving on ---------------------------------------------------------------------------------
 */

struct cut *cut_new(const struct record *record)
{
    struct cut *cut = mem_new(sizeof *cut);
    cut->record = record;
    cut->nfiles = record->nfiles;
    for (size_t i = 0; i < record->n; i++)
        if (record->calls[i].file >= (int)cut->nfiles)
            cut->nfiles = (size_t)record->calls[i].file + 1;
    cut->files = mem_new_array(cut->nfiles ? cut->nfiles : 1, sizeof *cut->files);
    for (size_t i = 0; i < record->nfiles; i++) {
        contents_resize(&cut->files[i], record->files[i].len);
        memcpy(cut->files[i].octets, record->files[i].octets, record->files[i].len);
    }
    struct names names = {0};
    for (size_t i = 0; i < record->nnames; i++)
        names_add(&names, record->names[i].path, record->names[i].file);
    cut->names = names.list;
    cut->nnames = names.n;
    return cut;
}

void cut_free(struct cut *cut)
{
    for (size_t i = 0; i < cut->nfiles; i++)
        mem_free(cut->files[i].octets);
    mem_free(cut->files);
    mem_free(cut->names);
    mem_free(cut->pending);
    mem_free(cut);
}

static bool is_made_durable(const struct call *call, const struct call *by, bool newest)
{
    if (by->kind == CALL_SYNC_DIR)
        return is_name_call(call) && lies_in(call->name, by->name);
    return !is_name_call(call) && call->file == by->file &&
           (by->kind == CALL_SYNC || (newest && by->kind == CALL_SYNC_WRITE));
}

static void make_durable(struct cut *cut, const struct call *by)
{
    struct names names = {cut->names, cut->nnames};
    size_t kept = 0;
    for (size_t i = 0; i < cut->npending; i++) {
        const struct call *call = &cut->record->calls[cut->pending[i]];
        if (!is_made_durable(call, by, i + 1 == cut->npending))
            cut->pending[kept++] = cut->pending[i];
        else if (is_name_call(call))
            names_apply(&names, call);
        else
            apply(&cut->files[call->file], call);
    }
    cut->npending = kept;
    cut->names = names.list;
    cut->nnames = names.n;
}

bool cut_next(struct cut *cut, int *mark)
{
    while (cut->next < cut->record->n && cut->record->calls[cut->next].kind == CALL_MARK)
        *mark = cut->record->calls[cut->next++].mark;
    if (cut->next == cut->record->n)
        return false;
    cut->last = &cut->record->calls[cut->next];
    if (cut_is_sync(cut)) {
        make_durable(cut, cut->last);
    } else {
        if (cut->npending == cut->cap) {
            cut->cap = cut->cap ? cut->cap * 2 : 64;
            cut->pending = mem_resize(cut->pending, cut->cap * sizeof *cut->pending);
        }
        cut->pending[cut->npending++] = cut->next;
    }
    cut->next++;
    while (cut->next < cut->record->n && cut->record->calls[cut->next].kind == CALL_MARK)
        *mark = cut->record->calls[cut->next++].mark;
    return true;
}

bool cut_is_sync(const struct cut *cut)
{
    return cut->last->kind >= CALL_SYNC;
}

unsigned cut_unsynced(const struct cut *cut)
{
    return (unsigned)cut->npending;
}

/* --- writing it out ----------------------------------------------------------------------------
 */

enum fate { LOST, THERE, TORN };

static enum fate fate_of(const struct cut *cut, size_t i, enum cut_choice choice, uint64_t *seed)
{
    bool last = i + 1 == cut->npending;
    switch (choice) {
    case CUT_NOTHING:
        return LOST;
    case CUT_ALL:
        return THERE;
    case CUT_LAST:
        return last ? THERE : LOST;
    case CUT_TORN:
        return last ? TORN : THERE;
    default:
        return (enum fate)(next_random(seed) % 3);
    }
}

static void write_file(const char *path, const struct contents *c)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    for (size_t at = 0; fd >= 0 && at < c->len;) {
        ssize_t n = write(fd, c->octets + at, c->len - at);
        if (n <= 0)
            abort();
        at += (size_t)n;
    }
    if (fd < 0 || close(fd) != 0)
        abort();
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(((const struct name *)a)->path, ((const struct name *)b)->path);
}

void cut_write(const struct cut *cut, enum cut_choice choice, uint64_t seed, const char *dir)
{
    struct contents *changed = mem_new_array(cut->nfiles ? cut->nfiles : 1, sizeof *changed);
    struct names names = {mem_dup(cut->names, cut->nnames * sizeof *cut->names), cut->nnames};
    bool names_end = false; /* the journal of names was cut here */
    for (size_t i = 0; i < cut->npending; i++) {
        const struct call *call = &cut->record->calls[cut->pending[i]];
        enum fate fate = fate_of(cut, i, choice, &seed);
        if (is_name_call(call)) {
            names_end |= fate == LOST;
            if (!names_end)
                names_apply(&names, call);
            continue;
        }
        if (fate == LOST)
            continue;
        struct contents *to = &changed[call->file];
        const struct contents *from = &cut->files[call->file];
        if (!to->octets) {
            contents_resize(to, from->len ? from->len : 1);
            to->len = from->len;
            if (from->len)
                memcpy(to->octets, from->octets, from->len);
        }
        if (fate == TORN)
            apply_torn(to, call, &seed);
        else
            apply(to, call);
    }
    dir_empty(dir);
    qsort(names.list, names.n, sizeof *names.list, compare_paths); /* directories come first */
    for (size_t i = 0; i < names.n; i++) {
        char path[1024];
        struct stat st;
        int file = names.list[i].file;
        snprintf(path, sizeof path, "%s/%s", dir, names.list[i].path);
        char *slash = strrchr(path, '/');
        *slash = '\0';
        bool lost = stat(path, &st) != 0; /* its directory has gone */
        *slash = '/';
        if (lost)
            continue;
        if (file < 0 && mkdir(path, 0700) != 0)
            abort();
        if (file >= 0)
            write_file(path, changed[file].octets ? &changed[file] : &cut->files[file]);
    }
    for (size_t i = 0; i < cut->nfiles; i++)
        mem_free(changed[i].octets);
    mem_free(changed);
    mem_free(names.list);
}
