/* A request's life:
 *
 *   loop 0: accept -> J {v, verb, args} -> [thread] -> D ... E -> close
 *   thread:                   read() <- input, <= 256 KiB   output -> posts, held back while the
 *                                                           client does not read
 *
 * The conn and the thread share a `struct run`, counted by both; either may end first. A connection
 * that closes is a cancelled request: what the verb reads breaks off. */
#include "cmd/control.h"

#include <assert.h>
#include <errno.h>
#include <grp.h>
#include <jansson.h>
#include <pthread.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/frame.h"
#include "cmd/reload.h"
#include "cmd/setup.h"
#include "cmd/verb.h"
#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/config.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/net/listen.h"
#include "core/net/loop.h"

enum {
    INPUT_MAX = 256 << 10,
    OUTPUT_MAX = 256 << 10, /* posted and not yet with the conn */
    CALL_MEMORY = 16 << 20,
    REQUEST_MS = 60000 /* for a request to come, and for each piece of its input */
};

struct run {
    struct verb_io io;
    atomic_uint refs; /* the conn's and the thread's */
    struct loop *loop;
    uint64_t id; /* of the conn */
    const struct config *config;
    const struct verb *verb;
    json_t *request; /* owns argv's strings */
    const char **argv;
    int argc;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct buf input;
    size_t output; /* octets posted */
    bool input_end, full, gone;
};

struct session {
    struct conn *conn;
    struct run *run; /* NULL: the request has not come */
    bool input_end;
};

struct piece { /* of output, on its way to the loop */
    struct post post;
    struct run *run;
    bool last;
    size_t len;
    char octets[];
};

static struct server *the_server;
static struct store *the_store;
static pthread_mutex_t running_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t running_changed = PTHREAD_COND_INITIALIZER;
static unsigned running;

void control_setup(struct server *server, struct store *store)
{
    the_server = server;
    the_store = store;
}

bool control_finish(unsigned timeout_s)
{
    struct timespec until;
    int rc = 0;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += timeout_s;
    pthread_mutex_lock(&running_lock);
    while (running && rc == 0)
        rc = pthread_cond_timedwait(&running_changed, &running_lock, &until);
    bool none = running == 0;
    pthread_mutex_unlock(&running_lock);
    return none;
}

static void run_unref(struct run *run)
{
    if (atomic_fetch_sub(&run->refs, 1) > 1)
        return;
    buf_wipe(&run->input);
    pthread_mutex_destroy(&run->lock);
    pthread_cond_destroy(&run->changed);
    json_decref(run->request);
    config_unref(run->config);
    mem_free(run->argv);
    mem_free(run);
}

/* --- the thread ------------------------------------------------------------------------------- */

/* On the loop. */
static void on_piece(struct loop *loop, struct post *post)
{
    struct piece *piece = (struct piece *)post; /* its first member */
    struct run *run = piece->run;
    struct conn *conn = loop_id_find(loop, run->id);
    if (conn && !conn_closing(conn)) {
        conn_send(conn, slice(piece->octets, piece->len));
        if (piece->last)
            conn_finish(conn, CONN_END_LOGOUT);
    }
    pthread_mutex_lock(&run->lock);
    run->output -= piece->len;
    run->full = conn && !conn_closing(conn) && conn_full(conn);
    run->gone = run->gone || !conn;
    pthread_cond_signal(&run->changed);
    pthread_mutex_unlock(&run->lock);
    mem_free(piece);
    run_unref(run);
}

static void post_frame(struct run *run, enum frame_type type, const char *text, size_t len)
{
    struct piece *piece = mem_resize(NULL, sizeof *piece + FRAME_HEAD + len);
    *piece = (struct piece){
        .post = {.run = on_piece}, .run = run, .last = type == FRAME_END, .len = FRAME_HEAD + len};
    frame_head(type, len, (unsigned char *)piece->octets);
    memcpy(piece->octets + FRAME_HEAD, text, len);
    pthread_mutex_lock(&run->lock);
    while (!run->gone && (run->full || run->output > OUTPUT_MAX))
        pthread_cond_wait(&run->changed, &run->lock);
    run->output += piece->len;
    pthread_mutex_unlock(&run->lock);
    atomic_fetch_add(&run->refs, 1);
    loop_post(run->loop, &piece->post);
}

static void post_json(struct run *run, enum frame_type type, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    if (text)
        post_frame(run, type, text, strlen(text));
    free(text);
}

static void emit(struct verb_io *io, struct json_t *message)
{
    post_json((struct run *)(void *)io, FRAME_JSON, message);
}

static void data(struct verb_io *io, struct slice octets)
{
    while (octets.len) {
        struct slice piece = slice_first(octets, FRAME_DATA_MAX);
        post_frame((struct run *)(void *)io, FRAME_DATA, piece.ptr, piece.len);
        octets = slice_from(octets, piece.len);
    }
}

static bool is_gone(struct verb_io *io)
{
    struct run *run = (struct run *)(void *)io;
    pthread_mutex_lock(&run->lock);
    bool gone = run->gone;
    pthread_mutex_unlock(&run->lock);
    return gone;
}

struct wake {
    struct post post;
    struct run *run;
};

/* On the loop: the thread has taken what was buffered. */
static void on_room(struct loop *loop, struct post *post)
{
    struct wake *wake = (struct wake *)post;
    struct conn *conn = loop_id_find(loop, wake->run->id);
    if (conn && !conn_closing(conn))
        conn_again(conn);
    run_unref(wake->run);
    mem_free(wake);
}

static ssize_t read_some(struct verb_io *io, char *to, size_t cap)
{
    struct run *run = (struct run *)(void *)io;
    pthread_mutex_lock(&run->lock);
    while (run->input.len == 0 && !run->input_end && !run->gone)
        pthread_cond_wait(&run->changed, &run->lock);
    size_t n = run->input.len < cap ? run->input.len : cap;
    bool broken = n == 0 && !run->input_end;
    if (n) {
        memcpy(to, run->input.ptr, n);
        buf_consume(&run->input, n);
    }
    pthread_mutex_unlock(&run->lock);
    if (n) {
        struct wake *wake = mem_new(sizeof *wake);
        wake->post.run = on_room;
        wake->run = run;
        atomic_fetch_add(&run->refs, 1);
        loop_post(run->loop, &wake->post);
    }
    return broken ? -1 : (ssize_t)n;
}

static int run_verb(struct run *run)
{
    struct verb_call call = {.config = run->config,
                             .store = the_store,
                             .io = &run->io,
                             .verb = run->verb,
                             .argc = run->argc,
                             .argv = run->argv,
                             .reload = reload_verb};
    enum err e = store_reader_new(the_store, NULL, &call.reader);
    if (e)
        return verb_complain(&call, "cannot read the store: %s", err_text(e));
    arena_init(&call.arena, CALL_MEMORY);
    int status = run->verb->run(&call);
    arena_wipe(&call.arena);
    store_reader_free(call.reader);
    return status;
}

static void *thread(void *arg)
{
    struct run *run = arg;
    pthread_setname_np(pthread_self(), "tandem-control");
    int status = run_verb(run);
    post_json(run, FRAME_END, json_pack("{s:b, s:i}", "ok", status == EXIT_DONE, "status", status));
    run_unref(run);
    pthread_mutex_lock(&running_lock);
    running--;
    pthread_cond_signal(&running_changed);
    pthread_mutex_unlock(&running_lock);
    return NULL;
}

static bool thread_start(struct run *run)
{
    pthread_t id;
    pthread_mutex_lock(&running_lock);
    running++;
    pthread_mutex_unlock(&running_lock);
    if (pthread_create(&id, NULL, thread, run) == 0) {
        pthread_detach(id);
        return true;
    }
    pthread_mutex_lock(&running_lock);
    running--;
    pthread_mutex_unlock(&running_lock);
    return false;
}

/* --- the connection --------------------------------------------------------------------------- */

static void refuse(struct conn *conn, const char *code, const char *text)
{
    json_t *json = json_pack("{s:b, s:s, s:s}", "ok", 0, "code", code, "text", text);
    char *line = json_dumps(json, JSON_COMPACT);
    unsigned char head[FRAME_HEAD];
    json_decref(json);
    frame_head(FRAME_END, strlen(line), head);
    conn_send(conn, slice(head, sizeof head));
    conn_send(conn, slice_str(line));
    free(line);
    conn_finish(conn, CONN_END_CLIENT);
}

/* Root, the daemon's user, or a member of its group (its own group or one of /etc/group). */
static bool allowed(const struct conn *conn)
{
    uid_t uid;
    gid_t gid;
    if (!conn_peer_user(conn, &uid, &gid))
        return false;
    if (uid == 0 || uid == geteuid() || gid == getegid())
        return true;
    const struct passwd *pw = getpwuid(uid);
    const struct group *group = getgrgid(getegid());
    for (char **member = pw && group ? group->gr_mem : NULL; member && *member; member++)
        if (strcmp(*member, pw->pw_name) == 0)
            return true;
    return false;
}

static void on_open(struct conn *conn)
{
    struct session *s = mem_new(sizeof *s);
    s->conn = conn;
    conn_set_session(conn, s);
    if (!allowed(conn)) {
        refuse(conn, "perm", "not for you: be root, or in the group of the daemon's user");
        return;
    }
    conn_logged_in(conn);
    conn_set_input_max(conn, FRAME_HEAD + FRAME_JSON_MAX);
    conn_set_deadline(conn, REQUEST_MS);
}

/* NULL: the refusal has been sent. */
static struct run *run_new(struct conn *conn, struct slice payload)
{
    json_t *request = json_loadb(payload.ptr, payload.len, 0, NULL);
    const char *name = json_string_value(json_object_get(request, "verb"));
    const json_t *args = json_object_get(request, "args");
    const struct verb *verb = name ? verb_find(name) : NULL;
    if (!verb || !json_is_array(args) ||
        json_integer_value(json_object_get(request, "v")) != CONTROL_VERSION) {
        json_decref(request);
        refuse(conn, "bad", "the daemon does not know this: are both of the same version?");
        return NULL;
    }
    struct run *run = mem_new(sizeof *run);
    run->io = (struct verb_io){.emit = emit, .data = data, .read = read_some, .gone = is_gone};
    run->refs = 2;
    run->loop = conn_loop(conn);
    run->id = conn_loop_id(conn);
    run->config = config_ref(server_config(the_server));
    run->verb = verb;
    run->request = request;
    run->argc = (int)json_array_size(args);
    run->argv = mem_new_array((size_t)run->argc + 1, sizeof *run->argv);
    for (int i = 0; i < run->argc; i++) {
        const char *text = json_string_value(json_array_get(args, (size_t)i));
        run->argv[i] = text ? text : "";
    }
    pthread_mutex_init(&run->lock, NULL);
    pthread_cond_init(&run->changed, NULL);
    buf_init(&run->input, INPUT_MAX);
    return run;
}

static void start(struct session *s, struct slice payload)
{
    struct run *run = run_new(s->conn, payload);
    if (!run)
        return;
    struct log_line l;
    log_begin(&l, LOG_INFO, "control");
    log_str(&l, "proto", "control");
    log_str(&l, "verb", run->verb->name);
    log_str(&l, "arg", run->argc ? run->argv[0] : "");
    log_hex64(&l, "session", conn_id(s->conn));
    log_end(&l);
    if (thread_start(run)) {
        s->run = run;
        return;
    }
    run->refs = 1;
    run_unref(run);
    refuse(s->conn, "limit", "no thread can be started");
}

/* False: no room for it now; on_room asks again. */
static bool take_data(struct run *run, struct slice payload)
{
    pthread_mutex_lock(&run->lock);
    enum err e = buf_append(&run->input, payload);
    pthread_cond_signal(&run->changed);
    pthread_mutex_unlock(&run->lock);
    return !e;
}

static void end_input(struct run *run)
{
    pthread_mutex_lock(&run->lock);
    run->input_end = true;
    pthread_cond_signal(&run->changed);
    pthread_mutex_unlock(&run->lock);
}

/* False: wait for more input, or for room. */
static bool take_frame(struct session *s)
{
    struct slice in = conn_input(s->conn);
    enum frame_type type;
    size_t len;
    if (in.len < FRAME_HEAD)
        return false;
    if (s->input_end || !frame_head_read((const unsigned char *)in.ptr, &type, &len) ||
        (type == FRAME_JSON) != !s->run) {
        refuse(s->conn, "bad", "a frame that does not belong here");
        return false;
    }
    if (in.len < FRAME_HEAD + len)
        return false;
    struct slice payload = slice(in.ptr + FRAME_HEAD, len);
    if (type == FRAME_DATA && !take_data(s->run, payload)) {
        conn_set_deadline(s->conn, 0); /* the verb is busy: nobody's fault */
        return false;
    }
    if (type == FRAME_JSON)
        start(s, payload);
    else if (type == FRAME_END)
        s->input_end = true;
    conn_consume(s->conn, FRAME_HEAD + len);
    if (s->run && s->input_end)
        end_input(s->run);
    conn_set_deadline(s->conn, s->input_end ? 0 : REQUEST_MS);
    return !conn_closing(s->conn);
}

static void on_input(struct conn *conn)
{
    while (!conn_closing(conn) && take_frame(conn_session(conn)))
        ;
    if (conn_eof(conn))
        conn_close(conn, CONN_END_CLIENT);
}

static void on_drained(struct conn *conn)
{
    struct session *s = conn_session(conn);
    if (!s->run)
        return;
    pthread_mutex_lock(&s->run->lock);
    s->run->full = false;
    pthread_cond_signal(&s->run->changed);
    pthread_mutex_unlock(&s->run->lock);
}

static void on_deadline(struct conn *conn)
{
    conn_close(conn, CONN_END_IDLE);
}

static void on_leave(struct conn *conn, enum conn_end why)
{
    conn_close(conn, why);
}

static void on_closed(struct conn *conn, enum conn_end why)
{
    (void)why;
    struct session *s = conn_session(conn);
    if (s->run) {
        pthread_mutex_lock(&s->run->lock);
        s->run->gone = true;
        pthread_cond_signal(&s->run->changed);
        pthread_mutex_unlock(&s->run->lock);
        run_unref(s->run);
    }
    mem_free(s);
}

const struct protocol control_protocol = {.name = "control",
                                          .refusal = "",
                                          .open = on_open,
                                          .input = on_input,
                                          .drained = on_drained,
                                          .deadline = on_deadline,
                                          .leave = on_leave,
                                          .closed = on_closed};
