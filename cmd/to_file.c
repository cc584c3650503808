#include "cmd/to_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/setup.h"

static bool forget(struct to_file *file)
{
    free(file->path);
    free(file->part);
    *file = (struct to_file){0};
    return false;
}

bool to_file_open(struct to_file *file, const char *path)
{
    *file = (struct to_file){.to = stdout};
    if (strcmp(path, "-") == 0) {
        if (isatty(STDOUT_FILENO))
            setup_complain("this is nothing to look at: name a file, or pipe it somewhere");
        return !isatty(STDOUT_FILENO);
    }
    struct stat st;
    bool beside = stat(path, &st) != 0 || S_ISREG(st.st_mode); /* not beside a tape */
    file->path = strdup(path);
    if (!file->path || asprintf(&file->part, "%s%s", path, beside ? ".part" : "") < 0)
        abort();
    int fd = open(file->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    file->to = fd < 0 ? NULL : fdopen(fd, "w");
    if (file->to)
        return true;
    setup_complain("%s: %s", file->part, strerror(errno));
    return forget(file);
}

/* The name outlives a power cut. */
static bool sync_directory(const char *path)
{
    char *copy = strdup(path);
    int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    free(copy);
    return good;
}

bool to_file_close(struct to_file *file, bool good)
{
    if (!file->path)
        return good;
    bool flushed = fflush(file->to) == 0 && (fsync(fileno(file->to)) == 0 || errno == EINVAL);
    int why = errno;
    flushed = fclose(file->to) == 0 && flushed;
    bool beside = strcmp(file->part, file->path) != 0;
    if (good && flushed && beside) {
        flushed = rename(file->part, file->path) == 0 && sync_directory(file->path);
        why = errno;
    }
    if (good && !flushed)
        setup_complain("%s: %s", file->path, strerror(why));
    if (beside && !(good && flushed))
        unlink(file->part);
    forget(file);
    return good && flushed;
}
