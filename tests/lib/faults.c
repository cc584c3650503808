/* The definitions below replace libc's in the whole program, so they bear its plain names. */
#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE

#include "tests/lib/faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/base/mem.h"

_Static_assert(sizeof(off_t) == 8, "off_t and off64_t are one type here");

enum { FDS = 4096 };

static struct {
    int (*open)(const char *, int, ...);
    int (*close)(int);
    int (*mkdir)(const char *, mode_t);
    int (*rename)(const char *, const char *);
    int (*unlink)(const char *);
    ssize_t (*write)(int, const void *, size_t);
    ssize_t (*pwrite)(int, const void *, size_t, off_t);
    ssize_t (*writev)(int, const struct iovec *, int);
    ssize_t (*pwritev)(int, const struct iovec *, int, off_t);
    int (*fdatasync)(int);
    int (*fsync)(int);
    int (*msync)(void *, size_t, int);
    int (*ftruncate)(int, off_t);
    int (*fstatvfs)(int, struct statvfs *);
} real;

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void find_real(void)
{
#define FIND(name) *(void **)&real.name = dlsym(RTLD_NEXT, #name)
    FIND(open);
    FIND(close);
    FIND(mkdir);
    FIND(rename);
    FIND(unlink);
    FIND(write);
    FIND(pwrite);
    FIND(writev);
    FIND(pwritev);
    FIND(fdatasync);
    FIND(fsync);
    FIND(msync);
    FIND(ftruncate);
    FIND(fstatvfs);
#undef FIND
}

/* Held over each watched call, so that the record has them in the order in which they happened. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char root[512];
static size_t root_len; /* 0: nothing is watched */
static uint64_t calls, hit, arm_first, arm_end;
static enum fault_kind arm_kind;
static struct record *record;
static struct name *names; /* as they are now, while recording */
static size_t nnames;
static int nfiles;
static struct {
    bool watched, sync, dir;
    int file;
    char *name;
} fds[FDS];

/* --- names -------------------------------------------------------------------------------------
 */

/* Below the root: the name, else NULL. */
static const char *below(const char *path)
{
    if (!root_len || strncmp(path, root, root_len) != 0)
        return NULL;
    if (path[root_len] == '\0')
        return path + root_len;
    if (path[root_len] != '/')
        return NULL;
    size_t len = strlen(path);
    const char *base = strrchr(path, '/') + 1;
    if (strcmp(base, "ballast") == 0 || (len > 5 && strcmp(path + len - 5, "-lock") == 0))
        return NULL;
    return path + root_len + 1;
}

static struct name *name_find(const char *name)
{
    for (size_t i = 0; i < nnames; i++)
        if (strcmp(names[i].path, name) == 0)
            return &names[i];
    return NULL;
}

static void name_remove(const char *name)
{
    struct name *at = name_find(name);
    if (!at)
        return;
    free(at->path);
    *at = names[--nnames];
}

static void name_add(const char *name, int file)
{
    name_remove(name);
    names = mem_resize(names, (nnames + 1) * sizeof *names);
    names[nnames++] = (struct name){strdup(name), file};
}

/* --- the record --------------------------------------------------------------------------------
 */

static struct call *note(enum call_kind kind, int file)
{
    struct record *r = record;
    if (r->n == r->cap) {
        r->cap = r->cap ? r->cap * 2 : 1024;
        r->calls = mem_resize(r->calls, r->cap * sizeof *r->calls);
    }
    struct call *call = &r->calls[r->n++];
    *call = (struct call){.kind = kind, .file = file};
    return call;
}

static void note_name(enum call_kind kind, int file, const char *name, const char *to)
{
    if (!record)
        return;
    struct call *call = note(kind, file);
    call->name = strdup(name);
    call->to = to ? strdup(to) : NULL;
}

static void note_write(int fd, const struct iovec *iov, int n, off_t offset, size_t written)
{
    if (!record || fds[fd].file < 0)
        return;
    struct call *call = note(CALL_WRITE, fds[fd].file);
    call->offset = (uint64_t)offset;
    call->octets = mem_new(written ? written : 1);
    for (int i = 0; i < n && call->len < written; i++) {
        size_t part = written - call->len < iov[i].iov_len ? written - call->len : iov[i].iov_len;
        memcpy(call->octets + call->len, iov[i].iov_base, part);
        call->len += part;
    }
    if (fds[fd].sync)
        note(CALL_SYNC_WRITE, fds[fd].file);
}

static int see_name(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)ftw;
    const char *name = below(path);
    struct record *r = record;
    if (!name || !*name)
        return 0;
    int file = -1;
    if (type != FTW_D) {
        r->files = mem_resize(r->files, (r->nfiles + 1) * sizeof *r->files);
        struct file *f = &r->files[file = (int)r->nfiles++];
        *f = (struct file){.octets = mem_new((size_t)st->st_size + 1), .len = (size_t)st->st_size};
        FILE *in = fopen(path, "r");
        if (!in || fread(f->octets, 1, f->len, in) != f->len)
            abort();
        fclose(in);
    }
    r->names = mem_resize(r->names, (r->nnames + 1) * sizeof *r->names);
    r->names[r->nnames++] = (struct name){strdup(name), file};
    name_add(name, file);
    return 0;
}

void faults_record(void)
{
    record = mem_new(sizeof *record);
    while (nnames)
        name_remove(names[0].path);
    if (nftw(root, see_name, 16, FTW_PHYS) != 0)
        abort();
    nfiles = (int)record->nfiles;
}

void faults_mark(int mark)
{
    pthread_mutex_lock(&lock);
    if (record)
        note(CALL_MARK, -1)->mark = mark;
    pthread_mutex_unlock(&lock);
}

struct record *faults_record_end(void)
{
    struct record *done = record;
    record = NULL;
    while (nnames)
        name_remove(names[0].path);
    return done;
}

void record_free(struct record *r)
{
    for (size_t i = 0; i < r->n; i++) {
        mem_free(r->calls[i].octets);
        free(r->calls[i].name);
        free(r->calls[i].to);
    }
    for (size_t i = 0; i < r->nfiles; i++)
        mem_free(r->files[i].octets);
    for (size_t i = 0; i < r->nnames; i++)
        free(r->names[i].path);
    mem_free(r->calls);
    mem_free(r->files);
    mem_free(r->names);
    mem_free(r);
}

/* --- counting, failing -------------------------------------------------------------------------
 */

void faults_watch(const char *path)
{
    pthread_once(&once, find_real);
    pthread_mutex_lock(&lock);
    snprintf(root, sizeof root, "%s", path ? path : "");
    root_len = strlen(root);
    calls = hit = arm_first = arm_end = 0;
    arm_kind = FAULT_NONE;
    for (int fd = 0; fd < FDS; fd++) {
        free(fds[fd].name);
        fds[fd].name = NULL;
        fds[fd].watched = false;
    }
    pthread_mutex_unlock(&lock);
}

uint64_t faults_calls(void)
{
    pthread_mutex_lock(&lock);
    uint64_t n = calls;
    pthread_mutex_unlock(&lock);
    return n;
}

void faults_arm(enum fault_kind kind, uint64_t nth, uint64_t n)
{
    pthread_mutex_lock(&lock);
    arm_kind = kind;
    arm_first = nth;
    arm_end = nth + n;
    hit = 0;
    pthread_mutex_unlock(&lock);
}

uint64_t faults_hit(void)
{
    pthread_mutex_lock(&lock);
    uint64_t n = hit;
    pthread_mutex_unlock(&lock);
    return n;
}

/* Under the lock: what is to happen to this call? FAULT_EIO and FAULT_ENOSPC: errno is set. */
static enum fault_kind next_call(bool is_write, bool in_place)
{
    calls++;
    if (calls < arm_first || calls >= arm_end)
        return FAULT_NONE;
    switch (arm_kind) {
    case FAULT_KILL:
        _exit(FAULT_KILLED);
    case FAULT_SHORT:
        if (!is_write || in_place)
            return FAULT_NONE;
        break;
    case FAULT_ENOSPC:
        if (in_place)
            return FAULT_NONE;
        errno = ENOSPC;
        break;
    case FAULT_EIO:
        errno = EIO;
        break;
    case FAULT_NONE:
        return FAULT_NONE;
    }
    hit++;
    return arm_kind;
}

static bool fails(void)
{
    enum fault_kind kind = next_call(false, false);
    return kind == FAULT_EIO || kind == FAULT_ENOSPC;
}

static bool watched(int fd)
{
    pthread_once(&once, find_real);
    return fd >= 0 && fd < FDS && fds[fd].watched;
}

/* --- calls on names ----------------------------------------------------------------------------
 */

static void opened(int fd, const char *name, int flags)
{
    if (fd < 0 || fd >= FDS)
        return;
    struct stat st;
    struct name *at = record ? name_find(name) : NULL;
    bool dir = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
    free(fds[fd].name);
    fds[fd].watched = true;
    fds[fd].dir = dir;
    fds[fd].sync = (flags & O_DSYNC) != 0;
    fds[fd].file = at && !dir ? at->file : -1;
    fds[fd].name = strdup(name);
}

static int do_open(const char *path, int flags, mode_t mode)
{
    pthread_once(&once, find_real);
    const char *name = below(path);
    if (!name)
        return real.open(path, flags, mode);
    pthread_mutex_lock(&lock);
    struct stat st;
    bool creates = (flags & O_CREAT) && stat(path, &st) != 0;
    int fd = creates && fails() ? -1 : real.open(path, flags, mode);
    if (fd >= 0 && creates) {
        note_name(CALL_CREATE, nfiles, name, NULL);
        name_add(name, nfiles++);
    }
    if (fd >= 0)
        opened(fd, name, flags);
    pthread_mutex_unlock(&lock);
    return fd;
}

static mode_t mode_of(int flags, va_list ap)
{
    return flags & O_CREAT ? va_arg(ap, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    mode_t mode = mode_of(flags, ap);
    va_end(ap);
    return do_open(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    mode_t mode = mode_of(flags, ap);
    va_end(ap);
    return do_open(path, flags, mode);
}

int close(int fd)
{
    if (watched(fd)) {
        pthread_mutex_lock(&lock);
        fds[fd].watched = false;
        pthread_mutex_unlock(&lock);
    }
    return real.close(fd);
}

int mkdir(const char *path, mode_t mode)
{
    pthread_once(&once, find_real);
    const char *name = below(path);
    struct stat st;
    if (!name || !*name || stat(path, &st) == 0)
        return real.mkdir(path, mode);
    pthread_mutex_lock(&lock);
    int rc = fails() ? -1 : real.mkdir(path, mode);
    if (rc == 0) {
        note_name(CALL_MKDIR, -1, name, NULL);
        name_add(name, -1);
    }
    pthread_mutex_unlock(&lock);
    return rc;
}

int rename(const char *from, const char *to)
{
    pthread_once(&once, find_real);
    const char *name = below(from), *to_name = below(to);
    if (!name || !to_name)
        return real.rename(from, to);
    pthread_mutex_lock(&lock);
    int rc = fails() ? -1 : real.rename(from, to);
    struct name *at = record ? name_find(name) : NULL;
    if (rc == 0 && at) {
        int file = at->file;
        note_name(CALL_RENAME, file, name, to_name);
        name_remove(name);
        name_add(to_name, file);
    }
    pthread_mutex_unlock(&lock);
    return rc;
}

int unlink(const char *path)
{
    pthread_once(&once, find_real);
    const char *name = below(path);
    struct stat st;
    if (!name || stat(path, &st) != 0)
        return real.unlink(path);
    pthread_mutex_lock(&lock);
    int rc = fails() ? -1 : real.unlink(path);
    if (rc == 0) {
        note_name(CALL_UNLINK, -1, name, NULL);
        name_remove(name);
    }
    pthread_mutex_unlock(&lock);
    return rc;
}

/* --- calls on contents -------------------------------------------------------------------------
 */

static bool is_in_place(int fd, off_t offset, size_t len)
{
    struct stat st;
    return fds[fd].sync && fstat(fd, &st) == 0 && offset + (off_t)len <= st.st_size;
}

/* `offset` < 0: where the descriptor stands. */
static ssize_t do_write(int fd, const struct iovec *iov, int n, off_t offset)
{
    pthread_mutex_lock(&lock);
    off_t at = offset < 0 ? lseek(fd, 0, SEEK_CUR) : offset;
    size_t len = 0;
    for (int i = 0; i < n; i++)
        len += iov[i].iov_len;
    ssize_t written = -1;
    enum fault_kind kind = next_call(true, is_in_place(fd, at, len));
    if (kind == FAULT_SHORT) /* of the first piece */
        written = real.pwrite(fd, iov[0].iov_base, iov[0].iov_len / 2, at);
    else if (kind == FAULT_NONE)
        written = offset < 0 ? real.writev(fd, iov, n) : real.pwritev(fd, iov, n, offset);
    if (written >= 0)
        note_write(fd, iov, n, at, (size_t)written);
    pthread_mutex_unlock(&lock);
    return written;
}

static ssize_t write_one(int fd, const void *octets, size_t len, off_t offset)
{
    struct iovec iov = {(void *)(uintptr_t)octets, len};
    return do_write(fd, &iov, 1, offset);
}

ssize_t write(int fd, const void *octets, size_t len)
{
    return watched(fd) ? write_one(fd, octets, len, -1) : real.write(fd, octets, len);
}

ssize_t pwrite(int fd, const void *octets, size_t len, off_t offset)
{
    return watched(fd) ? write_one(fd, octets, len, offset) : real.pwrite(fd, octets, len, offset);
}

ssize_t pwrite64(int fd, const void *octets, size_t len, off64_t offset)
{
    return pwrite(fd, octets, len, offset);
}

ssize_t writev(int fd, const struct iovec *iov, int n)
{
    return watched(fd) ? do_write(fd, iov, n, -1) : real.writev(fd, iov, n);
}

ssize_t pwritev(int fd, const struct iovec *iov, int n, off_t offset)
{
    return watched(fd) ? do_write(fd, iov, n, offset) : real.pwritev(fd, iov, n, offset);
}

ssize_t pwritev64(int fd, const struct iovec *iov, int n, off64_t offset)
{
    return pwritev(fd, iov, n, offset);
}

static int do_sync(int fd, int (*sync)(int))
{
    if (!watched(fd))
        return sync(fd);
    pthread_mutex_lock(&lock);
    int rc = fails() ? -1 : sync(fd);
    if (rc == 0 && fds[fd].dir)
        note_name(CALL_SYNC_DIR, -1, fds[fd].name, NULL);
    else if (rc == 0 && record && fds[fd].file >= 0)
        note(CALL_SYNC, fds[fd].file);
    pthread_mutex_unlock(&lock);
    return rc;
}

int fdatasync(int fd)
{
    pthread_once(&once, find_real);
    return do_sync(fd, real.fdatasync);
}

int fsync(int fd)
{
    pthread_once(&once, find_real);
    return do_sync(fd, real.fsync);
}

static bool says_full(int fd)
{
    pthread_once(&once, find_real);
    if (!watched(fd))
        return false;
    pthread_mutex_lock(&lock);
    bool full = arm_kind == FAULT_SHORT && hit > 0;
    pthread_mutex_unlock(&lock);
    return full;
}

int fstatvfs(int fd, struct statvfs *fs)
{
    int rc = says_full(fd) ? 0 : real.fstatvfs(fd, fs);
    if (rc == 0 && says_full(fd))
        *fs = (struct statvfs){.f_bsize = 4096, .f_frsize = 4096};
    return rc;
}

int fstatvfs64(int fd, struct statvfs64 *fs)
{
    return fstatvfs(fd, (struct statvfs *)fs);
}

/* The store maps its files for reading only. */
int msync(void *at, size_t len, int flags)
{
    pthread_once(&once, find_real);
    if (record)
        abort();
    return real.msync(at, len, flags);
}

int ftruncate(int fd, off_t size)
{
    if (!watched(fd))
        return real.ftruncate(fd, size);
    pthread_mutex_lock(&lock);
    int rc = fails() ? -1 : real.ftruncate(fd, size);
    if (rc == 0 && record && fds[fd].file >= 0)
        note(CALL_TRUNCATE, fds[fd].file)->offset = (uint64_t)size;
    pthread_mutex_unlock(&lock);
    return rc;
}

int ftruncate64(int fd, off64_t size)
{
    return ftruncate(fd, size);
}

/* Only the ballast is allocated so, which costs time that thousands of opens have not got: it stays
 * empty. */
int posix_fallocate(int fd, off_t offset, off_t len)
{
    (void)fd;
    (void)offset;
    (void)len;
    return 0;
}

int posix_fallocate64(int fd, off64_t offset, off64_t len)
{
    return posix_fallocate(fd, offset, len);
}
