#include "cmd/outside.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/setup.h"

static void work(const struct verb *verb, const char *path, int fd)
{
    bool good = true;
    if (verb->reader)
        verb->reader(path, fd);
    else
        good = verb->writer(path, fd);
    close(fd);
    exit(good ? EXIT_DONE : EXIT_FAILED);
}

bool outside_start(struct outside *outside, const struct verb *verb, const char *path)
{
    int ends[2];
    *outside = (struct outside){.input = -1};
    signal(SIGPIPE, SIG_IGN); /* either side may end first */
    if (pipe2(ends, O_CLOEXEC)) {
        setup_complain("pipe: %s", strerror(errno));
        return false;
    }
    int ours = ends[verb->reader ? 0 : 1], theirs = ends[verb->reader ? 1 : 0];
    fflush(NULL);
    outside->pid = fork();
    if (outside->pid == 0) {
        close(ours);
        work(verb, path, theirs);
    }
    close(theirs);
    if (outside->pid < 0 || (verb->writer && !(outside->data = fdopen(ours, "w")))) {
        setup_complain("fork: %s", strerror(errno));
        close(ours);
        return false;
    }
    if (verb->reader)
        outside->input = ours;
    return true;
}

bool outside_end(struct outside *outside)
{
    int status = 0;
    if (outside->data)
        fclose(outside->data); /* what it did not take, it complained of */
    while (outside->pid > 0 && waitpid(outside->pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFSIGNALED(status))
        setup_complain("the process beside us was killed by signal %d", WTERMSIG(status));
    return status == 0;
}
