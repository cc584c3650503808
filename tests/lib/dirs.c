#include "tests/lib/dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void failed(const char *what)
{
    perror(what);
    abort();
}

void dir_make(char *to, size_t room)
{
    const char *tmp = getenv("TMPDIR");
    if (!tmp)
        tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(to, room, "%s/tandem-XXXXXX", tmp);
    if (!mkdtemp(to))
        failed(to);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int remove_below(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    return ftw->level == 0 ? 0 : remove(path);
}

void dir_remove(const char *dir)
{
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void dir_empty(const char *dir)
{
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        failed(dir);
    nftw(dir, remove_below, 16, FTW_DEPTH | FTW_PHYS);
}

void file_copy(const char *from, const char *to)
{
    static char octets[1 << 16];
    ssize_t n = -1;
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    while (in >= 0 && out >= 0 && (n = read(in, octets, sizeof octets)) > 0)
        if (write(out, octets, (size_t)n) != n)
            failed(to);
    if (n < 0)
        failed(from);
    close(in);
    close(out);
}

static const char *copy_to;
static size_t copy_skip;

static int copy_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    char to[1024];
    (void)st;
    (void)ftw;
    if (ftw->level == 0)
        return 0;
    snprintf(to, sizeof to, "%s%s", copy_to, path + copy_skip);
    if (type == FTW_D)
        return mkdir(to, 0700);
    file_copy(path, to);
    return 0;
}

void dir_copy(const char *from, const char *to)
{
    dir_empty(to);
    copy_to = to;
    copy_skip = strlen(from);
    if (nftw(from, copy_one, 16, FTW_PHYS) != 0)
        failed(to);
}
