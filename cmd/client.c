#include "cmd/client.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cmd/frame.h"
#include "cmd/output.h"
#include "cmd/setup.h"
#include "core/base/mem.h"

enum client_result client_connect(const struct config *config, int *ret_fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = config->daemon.control;
    if (strlen(path) >= sizeof address.sun_path) {
        setup_complain("%s: too long for the path of a socket", path);
        return CLIENT_REFUSED;
    }
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        setup_complain("socket: %s", strerror(errno));
        return CLIENT_REFUSED;
    }
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        *ret_fd = fd;
        return CLIENT_CONNECTED;
    }
    int why = errno;
    close(fd);
    if (why == ENOENT || why == ECONNREFUSED) /* never made, or left behind */
        return CLIENT_NO_DAEMON;
    setup_complain("%s: %s; be root, or in the group of the daemon's user", path, strerror(why));
    return CLIENT_REFUSED;
}

/* --- frames ----------------------------------------------------------------------------------- */

static bool write_all(int fd, const void *octets, size_t len)
{
    const char *at = octets;
    while (len) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static bool write_frame(int fd, enum frame_type type, const void *payload, size_t len)
{
    unsigned char head[FRAME_HEAD];
    frame_head(type, len, head);
    return write_all(fd, head, sizeof head) && write_all(fd, payload, len);
}

static bool read_all(int fd, void *to, size_t len)
{
    char *at = to;
    while (len) {
        ssize_t n = recv(fd, at, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static bool write_request(int fd, const struct verb *verb, int argc, const char **argv)
{
    json_t *args = json_array();
    for (int i = 0; i < argc; i++) {
        json_t *arg = json_string(argv[i]);
        if (!arg) {
            setup_complain("'%s' is not UTF-8", argv[i]);
            json_decref(args);
            return false;
        }
        json_array_append_new(args, arg);
    }
    json_t *request =
        json_pack("{s:i, s:s, s:o}", "v", CONTROL_VERSION, "verb", verb->name, "args", args);
    char *text = json_dumps(request, JSON_COMPACT);
    json_decref(request);
    bool good = text && write_frame(fd, FRAME_JSON, text, strlen(text));
    free(text);
    return good;
}

/* Has the daemon something to say before it has had all of the input? Then it is a refusal. */
static bool answered(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) > 0;
}

static bool write_input(int fd, int input)
{
    char octets[FRAME_DATA_MAX];
    ssize_t n = 0;
    bool good = true;
    while (good && input >= 0 && !answered(fd) && (n = read(input, octets, sizeof octets)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            setup_complain("reading the input: %s", strerror(errno));
            return false;
        }
        good = write_frame(fd, FRAME_DATA, octets, (size_t)n);
    }
    mem_wipe(octets, sizeof octets); /* it may have been a password */
    /* A daemon that refuses closes early; its answer is still to be read. */
    (void)(good && write_frame(fd, FRAME_END, "{\"ok\":true}", sizeof "{\"ok\":true}" - 1));
    return true;
}

/* --- the answer ------------------------------------------------------------------------------- */

static int end_status(const json_t *end)
{
    const char *text = json_string_value(json_object_get(end, "text"));
    const json_t *status = json_object_get(end, "status");
    if (text)
        setup_complain("%s", text);
    if (json_is_integer(status))
        return (int)json_integer_value(status);
    return json_is_true(json_object_get(end, "ok")) ? EXIT_DONE : EXIT_FAILED;
}

static int read_answer(int fd, struct output *output)
{
    unsigned char head[FRAME_HEAD];
    char *payload = mem_try(FRAME_JSON_MAX);
    enum frame_type type = FRAME_JSON;
    size_t len;
    int status = -1;
    while (payload && status < 0 && read_all(fd, head, sizeof head) &&
           frame_head_read(head, &type, &len) && read_all(fd, payload, len)) {
        json_t *json = type == FRAME_DATA ? NULL : json_loadb(payload, len, 0, NULL);
        if (type == FRAME_DATA)
            output_data(output, slice(payload, len));
        else if (type == FRAME_JSON)
            output_take(output, json);
        else
            status = end_status(json);
        json_decref(json);
    }
    mem_free(payload);
    return status < 0 ? setup_complain("the daemon broke off") : status;
}

int client_run(const struct config *config, int fd, const struct verb *verb, int argc,
               const char **argv, const int *fds, size_t n, struct output *output)
{
    int status = EXIT_DONE;
    for (size_t i = 0; i < n || i == 0; i++) {
        if (i && client_connect(config, &fd) != CLIENT_CONNECTED)
            return setup_complain("the daemon has gone");
        int one = EXIT_FAILED;
        if (write_request(fd, verb, argc, argv) && write_input(fd, n ? fds[i] : -1))
            one = read_answer(fd, output);
        status = status ? status : one;
        close(fd);
    }
    return status;
}
