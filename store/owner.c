#include "store/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/base/fault.h"
#include "store/files.h"

enum err owner_lock(const char *dir, int *ret_fd, struct owner *ret, struct fault *why)
{
    char path[4096], text[32] = "";
    snprintf(path, sizeof path, "%s/OWNER", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return fault(why, files_error(errno), "%s: %s: check the directory's owner, mode and room",
                     path, strerror(errno));
    *ret_fd = fd;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return fault(why, ERR_BUSY, "%s: another daemon or tool owns this store: stop it first",
                     path);
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    *ret = (struct owner){.generation = strtoull(text, NULL, 10),
                          .known = n > 0 && text[0] >= '0' && text[0] <= '9'};
    return ERR_OK;
}

enum err owner_write(int fd, uint64_t generation, const char *dir, struct fault *why)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%" PRIu64 "\n", generation);
    errno = ENOSPC; /* of a write that ends in its middle */
    if (pwrite(fd, text, (size_t)n, 0) != n || fdatasync(fd) != 0)
        return fault(why, files_error(errno), "%s/OWNER: %s", dir, strerror(errno));
    return ERR_OK;
}

enum err owner_forget(int fd, const char *dir, struct fault *why)
{
    if (ftruncate(fd, 0) != 0 || fdatasync(fd) != 0)
        return fault(why, files_error(errno), "%s/OWNER: %s", dir, strerror(errno));
    return ERR_OK;
}
