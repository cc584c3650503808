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

static bool write_request(int fd, const struct verb *verb, int argc, const char **argv)
{
    json_t *args = json_array();
    for (int i = 0; i < argc; i++)
        json_array_append_new(args, json_string(argv[i]));
    json_t *request =
        json_pack("{s:i, s:s, s:o}", "v", CONTROL_VERSION, "verb", verb->name, "args", args);
    char *text = json_dumps(request, JSON_COMPACT);
    json_decref(request);
    bool good = text && write_frame(fd, FRAME_JSON, text, strlen(text));
    free(text);
    return good;
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

/* --- a conversation --------------------------------------------------------------------------- */
/* Input goes out while answers come in: a long verb tells how far it is. */

enum { ALIVE_MS = 20000 };

struct talk {
    int fd, input; /* input -1: its end has been sent, or need not be */
    struct output *output;
    int status; /* -1: the answer has not ended */
    size_t sent, out_len, in_len;
    char out[FRAME_HEAD + FRAME_DATA_MAX];
    char *in; /* FRAME_HEAD + FRAME_JSON_MAX */
};

/* A daemon that refuses closes early; its answer is still to be read. */
static void send_some(struct talk *talk)
{
    ssize_t n = send(talk->fd, talk->out + talk->sent, talk->out_len - talk->sent,
                     MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    talk->sent += n > 0 ? (size_t)n : 0;
    if (n < 0)
        talk->input = -1;
    if (n < 0 || talk->sent == talk->out_len)
        talk->sent = talk->out_len = 0;
}

/* False: it could not be read; complained. */
static bool read_input(struct talk *talk)
{
    static const char end[] = "{\"ok\":true}";
    char *to = talk->out + FRAME_HEAD;
    ssize_t n = read(talk->input, to, FRAME_DATA_MAX);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    if (n < 0) {
        setup_complain("reading the input: %s", strerror(errno));
        return false;
    }
    if (n == 0) {
        talk->input = -1;
        memcpy(to, end, sizeof end - 1);
    }
    size_t len = n ? (size_t)n : sizeof end - 1;
    frame_head(n ? FRAME_DATA : FRAME_END, len, (unsigned char *)talk->out);
    talk->out_len = FRAME_HEAD + len;
    return true;
}

static void take_frame(struct talk *talk, enum frame_type type, struct slice payload)
{
    json_t *json = type == FRAME_DATA ? NULL : json_loadb(payload.ptr, payload.len, 0, NULL);
    if (type == FRAME_DATA)
        output_data(talk->output, payload);
    else if (type == FRAME_JSON)
        output_take(talk->output, json);
    else
        talk->status = end_status(json);
    json_decref(json);
}

/* False: it broke off. */
static bool read_some(struct talk *talk)
{
    ssize_t n = recv(talk->fd, talk->in + talk->in_len, FRAME_HEAD + FRAME_JSON_MAX - talk->in_len,
                     MSG_DONTWAIT);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    if (n <= 0)
        return false;
    talk->in_len += (size_t)n;
    size_t at = 0;
    while (talk->status < 0 && talk->in_len - at >= FRAME_HEAD) {
        enum frame_type type;
        size_t len;
        if (!frame_head_read((const unsigned char *)talk->in + at, &type, &len))
            return false;
        if (talk->in_len - at < FRAME_HEAD + len)
            break;
        take_frame(talk, type, slice(talk->in + at + FRAME_HEAD, len));
        at += FRAME_HEAD + len;
    }
    memmove(talk->in, talk->in + at, talk->in_len - at);
    talk->in_len -= at;
    return true;
}

static int converse(struct talk *talk)
{
    while (talk->status < 0) {
        struct pollfd fds[] = {
            {.fd = talk->fd,                         .events = POLLIN},
            {.fd = talk->out_len ? -1 : talk->input, .events = POLLIN}
        };
        if (talk->out_len)
            fds[0].events |= POLLOUT;
        int n = poll(fds, 2, talk->input >= 0 ? ALIVE_MS : -1);
        if (n < 0 && errno != EINTR)
            return setup_complain("poll: %s", strerror(errno));
        if (n == 0 && !talk->out_len) { /* the input is slow: say that we are here */
            frame_head(FRAME_DATA, 0, (unsigned char *)talk->out);
            talk->out_len = FRAME_HEAD;
        }
        if (fds[0].revents & POLLOUT)
            send_some(talk);
        if (fds[0].revents & (POLLIN | POLLHUP | POLLERR) && !read_some(talk))
            return setup_complain("the daemon broke off");
        if (fds[1].revents && !read_input(talk))
            return EXIT_FAILED;
        if (output_broken(talk->output))
            return EXIT_FAILED; /* nobody takes it: the daemon sees that we have gone */
    }
    return talk->status;
}

/* Without input the request ends at once. */
static int ask(int fd, const struct verb *verb, int argc, const char **argv, int input,
               struct output *output)
{
    int status = EXIT_FAILED;
    struct talk *talk = mem_new(sizeof *talk);
    *talk = (struct talk){.fd = fd, .input = input, .output = output, .status = -1};
    talk->in = mem_try(FRAME_HEAD + FRAME_JSON_MAX);
    if (talk->in && write_request(fd, verb, argc, argv)) {
        /* A daemon that needs no input may have answered and closed already. */
        if (input < 0)
            (void)write_frame(fd, FRAME_END, "{\"ok\":true}", sizeof "{\"ok\":true}" - 1);
        status = converse(talk);
    }
    mem_wipe(talk->out, sizeof talk->out); /* it may have been a password */
    mem_free(talk->in);
    mem_free(talk);
    return status;
}

int client_run(const struct config *config, int fd, const struct verb *verb, int argc,
               const char **argv, const int *fds, size_t n, struct output *output)
{
    int status = EXIT_DONE;
    for (size_t i = 0; i < n || i == 0; i++) {
        if (i && client_connect(config, &fd) != CLIENT_CONNECTED)
            return setup_complain("the daemon has gone");
        int one = ask(fd, verb, argc, argv, n ? fds[i] : -1, output);
        status = status ? status : one;
        close(fd);
    }
    return status;
}
