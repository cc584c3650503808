#include "cmd/offline.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/output.h"
#include "cmd/privileges.h"
#include "cmd/setup.h"
#include "core/base/mem.h"

enum { CALL_MEMORY = 16 << 20 };

struct local_io {
    struct verb_io io;
    int fd; /* -1: no input */
    struct output *output;
};

static void emit(struct verb_io *io, struct json_t *message)
{
    output_take(((struct local_io *)(void *)io)->output, message);
    json_decref(message);
}

static void data(struct verb_io *io, struct slice octets)
{
    output_data(((struct local_io *)(void *)io)->output, octets);
}

static bool is_gone(struct verb_io *io)
{
    return output_broken(((struct local_io *)(void *)io)->output);
}

static ssize_t read_some(struct verb_io *io, char *to, size_t cap)
{
    ssize_t n;
    int fd = ((struct local_io *)(void *)io)->fd;
    if (fd < 0)
        return 0;
    while ((n = read(fd, to, cap)) < 0 && errno == EINTR)
        ;
    return n;
}

static int run_once(const struct verb *verb, struct verb_call *call, int argc, const char **argv,
                    int fd, struct output *output)
{
    struct local_io io = {
        .io = {.emit = emit, .data = data, .read = read_some, .gone = is_gone},
        .fd = fd,
        .output = output
    };
    const char **copy = mem_new_array((size_t)argc + 1, sizeof *copy); /* options are taken out */
    for (int i = 0; i < argc; i++)
        copy[i] = argv[i];
    call->io = &io.io;
    call->verb = verb;
    call->argc = argc;
    call->argv = copy;
    arena_init(&call->arena, CALL_MEMORY);
    int status = verb->run(call);
    arena_wipe(&call->arena);
    if (call->reader)
        store_reader_idle(call->reader);
    mem_free(copy);
    return status;
}

/* Each input its own run. */
static int run_all(const struct verb *verb, struct verb_call *call, int argc, const char **argv,
                   const int *fds, size_t n, struct output *output)
{
    int status = EXIT_DONE;
    for (size_t i = 0; i < n || i == 0; i++) {
        int one = run_once(verb, call, argc, argv, n ? fds[i] : -1, output);
        status = status ? status : one;
    }
    return status;
}

int offline_run(const struct config *config, const struct verb *verb, int argc, const char **argv,
                const int *fds, size_t n, struct output *output)
{
    struct identity owner;
    struct verb_call call = {.config = config};
    int status;
    if (verb->down == DOWN_REFUSES)
        return setup_complain("the daemon is down");
    if (verb->down == DOWN_LOOKS && access(config->store.path, F_OK) && errno == ENOENT)
        return run_all(verb, &call, argc, argv, fds, n, output);
    if (!identity_of_store(config, &owner) || !privileges_drop(&owner))
        return EXIT_FAILED;
    umask(0077);
    if (verb->down == DOWN_ALONE)
        return run_all(verb, &call, argc, argv, fds, n, output);
    if (!setup_store_open(config, verb->down == DOWN_READS || verb->down == DOWN_LOOKS,
                          &call.store))
        return EXIT_FAILED;
    enum err e = store_reader_new(call.store, NULL, &call.reader);
    if (e) {
        status = setup_complain("cannot read the store: %s", err_text(e));
    } else {
        status = run_all(verb, &call, argc, argv, fds, n, output);
        store_reader_free(call.reader);
    }
    store_close(call.store);
    return status;
}
