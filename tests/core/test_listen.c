/* core/net/listen.h: who is let in, where sockets come from, reload, drain. */
#include "core/net/listen.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/budget.h"
#include "core/base/fault.h"
#include "core/net/bind.h"
#include "tests/core/rig.h"
#include "tests/lib/unit.h"

static int start(void **state)
{
    (void)state;
    rig_start(NULL, false);
    return 0;
}

static int start_tls(void **state)
{
    (void)state;
    rig_start(NULL, true);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rig_stop();
    return 0;
}

static int greeted(unsigned port)
{
    int fd = rig_connect(port);
    rig_expect(fd, "HI\r\n");
    return fd;
}

static void refused(unsigned port)
{
    int fd = rig_connect(port);
    rig_expect(fd, "REFUSED\r\n");
    close(fd);
}

static int connect_unix(const char *path)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    snprintf(un.sun_path, sizeof un.sun_path, "%s", path);
    if (connect(fd, (struct sockaddr *)&un, sizeof un)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* --- limits ----------------------------------------------------------------------------------- */

static void an_address_has_a_limit(void **state)
{
    (void)state;
    rig.config->limits.per_address = 2;
    int a = greeted(rig.port), b = greeted(rig.port);
    refused(rig.port);
    int c = connect_unix(rig.unix_path); /* is nobody's address */
    rig_expect(c, "HI\r\n");
    close(a);
    rig_for_ms(10);
    a = greeted(rig.port);
    close(a);
    close(b);
    close(c);
    rig_for_ms(10);
}

static void the_server_has_a_limit_and_the_control_socket_a_reserve(void **state)
{
    (void)state;
    rig.config->limits.connections = 1;
    int a = greeted(rig.port);
    refused(rig.port);
    refused(rig.port + 2);
    char path[128];
    snprintf(path, sizeof path, "%s/control", rig.dir);
    int c = connect_unix(path);
    rig_expect(c, "HI\r\n");
    close(a);
    close(c);
    rig_for_ms(10);
}

static int start_with_control(void **state)
{
    struct fault why;
    char path[128];
    start(state);
    server_free(rig.server);
    loop_free(rig.loop);
    static const struct protocol *const protocols[] = {&rig_protocol, NULL};
    struct server_conf conf = {.config = rig.config, .protocols = protocols};
    assert_ok(loop_new(0, &rig.loop));
    assert_ok(server_new(&conf, &rig.server, &why));
    snprintf(path, sizeof path, "%s/control", rig.dir);
    assert_ok(server_listen_control(rig.server, &rig_protocol, path, 0660, &why));
    server_start(rig.server, &rig.loop, 1);
    return 0;
}

static void full_implicit_listeners_just_close(void **state)
{
    (void)state;
    rig.config->limits.connections = 0;
    int fd = rig_connect(rig.port + 1);
    assert_true(rig_at_end(fd));
    close(fd);
}

static void without_descriptors_one_is_told_and_accepting_rests(void **state)
{
    (void)state;
    struct rlimit old, low = {64, 64};
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    low.rlim_max = old.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    int spare[64], n = 0;
    while ((spare[n] = open("/dev/null", O_RDONLY)) >= 0)
        n++;
    close(spare[--n]);
    int fd = rig_connect(rig.port);
    rig_expect(fd, "REFUSED\r\n");
    close(fd);
    fd = rig_connect(rig.port); /* waits in the kernel meanwhile */
    while (n)
        close(spare[--n]);
    rig_expect(fd, "HI\r\n");
    setrlimit(RLIMIT_NOFILE, &old);
    close(fd);
    rig_for_ms(10);
}

static void tight_memory_sheds_strangers_and_full_memory_lets_nobody_in(void **state)
{
    (void)state;
    int friend_fd = greeted(rig.port);
    rig_send(friend_fd, SLICE("LOGIN\r\n"));
    rig_expect(friend_fd, "OK\r\n");
    int stranger = greeted(rig.port);
    struct config_share limit = {0, 1000 * 1000};
    budget_setup(&limit);
    budget_take(BUDGET_CACHES, 850 * 1000);
    rig_expect(stranger, "LEAVE\r\n");
    assert_true(rig_at_end(stranger));
    budget_take(BUDGET_CACHES, 110 * 1000);
    refused(rig.port);
    budget_give(BUDGET_CACHES, 960 * 1000);
    rig_send(friend_fd, SLICE("still here\r\n"));
    rig_expect(friend_fd, "still here\r\n");
    limit.octets = SIZE_MAX;
    budget_setup(&limit);
    close(friend_fd);
    close(stranger);
    rig_for_ms(10);
}

/* --- addresses -------------------------------------------------------------------------------- */

static void a_proxy_names_the_client(void **state)
{
    (void)state;
    int fd = rig_connect(rig.port + 2);
    rig_for_ms(5);
    assert_int_equal(rig.opened, 0);
    rig_send(fd, SLICE("PROXY TCP4 192.0.2.7 198.51.100.1 5555 143\r\nhello\r\n"));
    rig_expect(fd, "HI\r\nhello\r\n");
    assert_slice(conn_peer_text(rig.session->conn), "192.0.2.7");
    assert_slice(conn_local_text(rig.session->conn), "198.51.100.1");
    assert_false(conn_is_local(rig.session->conn));
    close(fd);
    rig_for_ms(10);
    fd = rig_connect(rig.port + 2);
    struct slice header = SLICE("PROXY TCP6 2001:db8::1 2001:db8::2 1 143\r\nx\r\n");
    for (size_t i = 0; i < header.len; i++) {
        rig_send(fd, slice(header.ptr + i, 1));
        rig_turn();
    }
    rig_expect(fd, "HI\r\nx\r\n");
    assert_slice(conn_peer_text(rig.session->conn), "2001:db8::1");
    close(fd);
    rig_for_ms(10);
}

static void the_limit_of_an_address_holds_behind_a_proxy(void **state)
{
    (void)state;
    rig.config->limits.per_address = 1;
    int fds[3];
    for (unsigned i = 0; i < 2; i++) { /* two clients of one proxy */
        fds[i] = rig_connect(rig.port + 2);
        rig_send(fds[i], i ? SLICE("PROXY TCP4 192.0.2.7 192.0.2.1 5555 143\r\n")
                           : SLICE("PROXY TCP4 192.0.2.8 192.0.2.1 5555 143\r\n"));
        rig_expect(fds[i], "HI\r\n");
    }
    fds[2] = rig_connect(rig.port + 2);
    rig_send(fds[2], SLICE("PROXY TCP4 192.0.2.8 192.0.2.1 5555 143\r\n"));
    rig_expect(fds[2], "REFUSED\r\n");
    for (unsigned i = 0; i < 3; i++)
        close(fds[i]);
    rig_for_ms(10);
    fds[0] = rig_connect(rig.port + 2);
    rig_send(fds[0], SLICE("PROXY TCP4 192.0.2.8 192.0.2.1 5555 143\r\n"));
    rig_expect(fds[0], "HI\r\n");
    close(fds[0]);
    rig_for_ms(10);
}

static void without_a_proper_header_a_proxy_is_shut_out(void **state)
{
    (void)state;
    int fd = rig_connect(rig.port + 2);
    rig_send(fd, SLICE("a LOGIN alice secret\r\n"));
    rig_for_ms(20);
    close(fd);
    assert_int_equal(rig.opened, 0);
}

static void unix_sockets_are_local(void **state)
{
    (void)state;
    struct stat st;
    assert_int_equal(stat(rig.unix_path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
    int fd = connect_unix(rig.unix_path);
    rig_expect(fd, "HI\r\n");
    assert_true(conn_is_unix(rig.session->conn));
    assert_true(conn_is_local(rig.session->conn));
    assert_slice(conn_peer_text(rig.session->conn), "local");
    close(fd);
    rig_for_ms(10);
}

static void a_path_is_taken_over_only_from_a_dead_socket(void **state)
{
    (void)state;
    struct fault why;
    char dir[] = "/tmp/tandem-bind-XXXXXX", path[64], address[80];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/s", dir);
    snprintf(address, sizeof address, "unix:%s", path);
    int first, second;
    assert_ok(bind_listen(address, 0600, &first, &why));
    assert_err(bind_listen(address, 0600, &second, &why), ERR_BUSY);
    close(first);
    assert_ok(bind_listen(address, 0600, &second, &why));
    close(second);
    unlink(path);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    assert_err(bind_listen(address, 0600, &second, &why), ERR_BUSY);
    unlink(path);
    rmdir(dir);
}

static void addresses_are_parsed_strictly(void **state)
{
    (void)state;
    struct fault why;
    int fd;
    static const char *const bad[] = {"",         "143",     "*:",      "*:x",
                                      "*:65536",  "::1:143", "[::1]",   "[::1:143",
                                      "host:143", "unix:",   "1.2.3:1", "1.2.3.4.5:1"};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_err(bind_listen(bad[i], 0, &fd, &why), ERR_SYNTAX);
    assert_ok(bind_listen("127.0.0.1:0", 0, &fd, &why));
    struct sockaddr_in in;
    socklen_t len = sizeof in;
    getsockname(fd, (struct sockaddr *)&in, &len);
    char again[32], six[32];
    snprintf(again, sizeof again, "127.0.0.1:%u", ntohs(in.sin_port));
    snprintf(six, sizeof six, "[::1]:%u", ntohs(in.sin_port));
    int other;
    assert_err(bind_listen(again, 0, &other, &why), ERR_BUSY);
    if (bind_listen(six, 0, &other, &why) == ERR_OK) /* a machine may have no IPv6 */
        close(other);
    close(fd);
}

#if TANDEM_SYSTEMD
static void sockets_of_systemd_stand_in_for_addresses(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        struct fault why;
        struct config *config = rig.config;
        struct server *server;
        struct loop *loop;
        char text[32];
        int fd;
        if (bind_listen("127.0.0.1:0", 0, &fd, &why))
            _exit(1);
        struct sockaddr_in in;
        socklen_t len = sizeof in;
        getsockname(fd, (struct sockaddr *)&in, &len);
        dup2(fd, 3);
        close_range(4, ~0u, 0);
        snprintf(text, sizeof text, "%d", (int)getpid());
        setenv("LISTEN_PID", text, 1);
        setenv("LISTEN_FDS", "1", 1);
        setenv("LISTEN_FDNAMES", "plain", 1);
        config->n_listen = 1; /* [listen plain], whose own address is taken by the parent */
        static const struct protocol *const protocols[] = {&rig_protocol, NULL};
        struct server_conf conf = {.config = config, .protocols = protocols};
        if (loop_new(0, &loop) || server_new(&conf, &server, &why))
            _exit(2);
        rig.loop = loop;
        server_start(server, &loop, 1);
        int client = rig_connect(ntohs(in.sin_port));
        _exit(rig_receive(client, 4) == 4 ? 0 : 3);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 0);
}
#endif

/* --- reload ----------------------------------------------------------------------------------- */

static enum err reload(struct config *config, struct fault *why)
{
    struct live *fresh;
    enum err e = server_prepare(config, &fresh, why);
    if (!e)
        server_reload(rig.server, fresh);
    return e;
}

static void reload_opens_and_closes_doors_and_leaves_sessions_alone(void **state)
{
    (void)state;
    struct fault why;
    int old = greeted(rig.port);
    unsigned gone = rig.port, before = rig.opened;
    rig.port += 10;
    struct config *config = rig_config("imap", "[limits]\nper_address = 7\n", false);
    assert_ok(reload(config, &why));
    config_unref(config);
    rig_for_ms(5);
    assert_int_equal(server_config(rig.server)->limits.per_address, 7);
    rig_send(old, SLICE("alive\r\n"));
    rig_expect(old, "alive\r\n");
    int fd = greeted(rig.port);
    close(fd);
    close(old);
    rig_for_ms(10);
    assert_int_equal(rig.opened, before + 1);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)gone),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof in), -1);
    close(fd);
    fd = connect_unix(rig.unix_path); /* kept, not bound anew */
    rig_expect(fd, "HI\r\n");
    close(fd);
    rig_for_ms(10);
}

static void reload_with_a_bad_key_changes_nothing(void **state)
{
    (void)state;
    struct fault why;
    const struct config *before = server_config(rig.server);
    struct config *config = rig_config("imap", NULL, true);
    char path[128];
    snprintf(path, sizeof path, "%s/key.pem", rig.dir);
    assert_int_equal(truncate(path, 100), 0);
    assert_err(reload(config, &why), ERR_SYNTAX);
    assert_non_null(strstr(why.text, "key.pem"));
    config_unref(config);
    assert_ptr_equal(server_config(rig.server), before);
    int fd = greeted(rig.port);
    close(fd);
    rig_for_ms(10);
}

static void a_certificate_that_comes_later_opens_implicit_listeners(void **state)
{
    (void)state;
    struct fault why;
    int old = greeted(rig.port);
    assert_false(conn_can_starttls(rig.session->conn));
    rig_make_certificate(rig.dir);
    struct config *config = rig_config("imap", NULL, true);
    assert_ok(reload(config, &why));
    config_unref(config);
    int fd = rig_connect(rig.port + 1);
    rig_for_ms(10);
    close(fd);
    fd = greeted(rig.port);
    assert_true(conn_can_starttls(rig.session->conn));
    close(fd);
    close(old);
    rig_for_ms(10);
}

/* --- drain ------------------------------------------------------------------------------------ */

static bool stopped;

static void on_stopped(void *arg)
{
    *(bool *)arg = true;
}

static bool is_stopped(void)
{
    return stopped;
}

static void drain_asks_then_closes_then_tells(void **state)
{
    (void)state;
    stopped = false;
    rig.config->tandem.drain_ms = 300;
    int polite = greeted(rig.port);
    server_drain(rig.server, on_stopped, &stopped);
    rig_expect(polite, "LEAVE\r\n");
    assert_true(rig_until(is_stopped));
    assert_int_equal(rig.why, CONN_END_SHUTDOWN);
    close(polite);
}

static void drain_closes_who_does_not_leave(void **state)
{
    (void)state;
    stopped = false;
    rig.config->tandem.drain_ms = 100;
    int fd = greeted(rig.port);
    rig_send(fd, SLICE("BIG 20000000\r\n")); /* cannot say goodbye: nothing is read */
    rig_for_ms(20);
    int silent = rig_connect(rig.port + 2); /* owes a PROXY header */
    rig_for_ms(5);
    server_drain(rig.server, on_stopped, &stopped);
    assert_true(rig_until(is_stopped));
    assert_int_equal(rig.opened, rig.closed);
    close(fd);
    close(silent);
}

static void drain_without_connections_is_over_at_once(void **state)
{
    (void)state;
    stopped = false;
    server_drain(rig.server, on_stopped, &stopped);
    assert_true(rig_until(is_stopped));
}

/* --- several loops
 * -------------------------------------------------------------------------------- */

enum { LOOPS = 3, CLIENTS = 30, ROUNDS = 40 };

static struct loop *loops[LOOPS];
static atomic_uint on_loop[LOOPS], open_on_loop[LOOPS], many_open;

static void many_open_cb(struct conn *conn)
{
    atomic_fetch_add(&on_loop[loop_index(conn_loop(conn))], 1);
    atomic_fetch_add(&open_on_loop[loop_index(conn_loop(conn))], 1);
    atomic_fetch_add(&many_open, 1);
    conn_logged_in(conn);
    conn_send(conn, SLICE("HI\r\n"));
}

static void many_input(struct conn *conn)
{
    struct slice in = conn_input(conn);
    conn_send(conn, in);
    conn_consume(conn, in.len);
    if (conn_eof(conn))
        conn_finish(conn, CONN_END_CLIENT);
}

static void many_leave(struct conn *conn, enum conn_end why)
{
    conn_finish(conn, why);
}

static void many_nothing(struct conn *conn)
{
    (void)conn;
}

static void many_closed(struct conn *conn, enum conn_end why)
{
    (void)why;
    atomic_fetch_sub(&open_on_loop[loop_index(conn_loop(conn))], 1);
    atomic_fetch_sub(&many_open, 1);
}

static const struct protocol many_protocol = {.name = "imap",
                                              .refusal = "REFUSED\r\n",
                                              .open = many_open_cb,
                                              .input = many_input,
                                              .drained = many_nothing,
                                              .secured = many_nothing,
                                              .deadline = many_nothing,
                                              .leave = many_leave,
                                              .closed = many_closed};

static void *run_loop(void *arg)
{
    loop_run(arg);
    return NULL;
}

static void *talk(void *arg)
{
    (void)arg;
    for (unsigned round = 0; round < ROUNDS; round++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        struct timeval patience = {10, 0};
        struct sockaddr_in in = {.sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)rig.port),
                                 .sin_addr = {htonl(INADDR_LOOPBACK)}};
        char text[16];
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        bool ok = !connect(fd, (struct sockaddr *)&in, sizeof in) &&
                  recv(fd, text, 4, MSG_WAITALL) == 4 && send(fd, "ping", 4, MSG_NOSIGNAL) == 4 &&
                  recv(fd, text, 4, MSG_WAITALL) == 4 && !memcmp(text, "ping", 4);
        close(fd);
        if (!ok)
            return (void *)1;
    }
    return NULL;
}

struct reload {
    struct post post;
    struct config *config;
    enum err e;
};

static void do_reload(struct loop *loop, struct post *post)
{
    struct reload *r = (struct reload *)(void *)post;
    struct fault why;
    (void)loop;
    r->e = reload(r->config, &why);
}

static void stop_all(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < LOOPS; i++)
        loop_stop(loops[i]);
}

static pthread_t threads[LOOPS];

static void start_loops(void **state, const struct protocol *protocol)
{
    static const struct protocol *protocols[2];
    struct fault why;
    protocols[0] = protocol;
    start(state);
    server_free(rig.server);
    loop_free(rig.loop);
    rig.config->limits.per_address = 10000;
    struct server_conf conf = {.config = rig.config, .protocols = protocols};
    assert_ok(server_new(&conf, &rig.server, &why));
    for (unsigned i = 0; i < LOOPS; i++) {
        assert_ok(loop_new(i, &loops[i]));
        atomic_store(&on_loop[i], 0);
    }
    server_start(rig.server, loops, LOOPS);
    for (unsigned i = 0; i < LOOPS; i++)
        pthread_create(&threads[i], NULL, run_loop, loops[i]);
}

static void drain_loops(void)
{
    server_drain(rig.server, stop_all, NULL);
    for (unsigned i = 0; i < LOOPS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(many_open, 0);
}

static void free_loops(void)
{
    server_free(rig.server);
    rig.server = NULL;
    for (unsigned i = 0; i < LOOPS; i++)
        loop_free(loops[i]);
    rig.loop = NULL;
    rig_stop();
}

static void loops_share_connections_through_reloads_and_drain(void **state)
{
    start_loops(state, &many_protocol);
    pthread_t clients[CLIENTS];
    for (unsigned i = 0; i < CLIENTS; i++)
        pthread_create(&clients[i], NULL, talk, NULL);
    static struct reload reloads[20];
    for (unsigned i = 0; i < 20; i++) {
        reloads[i] = (struct reload){{.run = do_reload}, rig_config("imap", NULL, false), ERR_BUG};
        reloads[i].config->limits.per_address = 10000;
        loop_post(loops[0], &reloads[i].post);
        usleep(5000);
    }
    unsigned failed = 0;
    for (unsigned i = 0; i < CLIENTS; i++) {
        void *complaint;
        pthread_join(clients[i], &complaint);
        failed += complaint != NULL;
    }
    assert_int_equal(failed, 0);
    drain_loops();
    for (unsigned i = 0; i < 20; i++) {
        assert_ok(reloads[i].e);
        config_unref(reloads[i].config);
    }
    unsigned all = 0;
    for (unsigned i = 0; i < LOOPS; i++) {
        assert_true(on_loop[i] > CLIENTS * ROUNDS / LOOPS / 4);
        all += on_loop[i];
    }
    assert_int_equal(all, CLIENTS * ROUNDS);
    free_loops();
}

static void *keep_talking(void *arg)
{
    const atomic_bool *enough = arg;
    void *complaint = NULL;
    while (!complaint && !atomic_load(enough))
        complaint = talk(NULL);
    return complaint;
}

/* Beside one client after the other that is gone in a moment. Each that is held would go where
 * fewest are; only whether the loop that accepts had time is a matter of the machine. */
static void while_sessions_are_brief_they_stay_on_the_loop_that_accepts(void **state)
{
    enum { HELD = 24 };
    atomic_bool enough = false;
    pthread_t talker;
    void *complaint;
    int held[HELD];
    start_loops(state, &many_protocol);
    pthread_create(&talker, NULL, keep_talking, &enough);
    usleep(600000); /* more than twice as long as it takes to be seen */
    for (unsigned i = 0; i < HELD; i++) {
        char text[4];
        held[i] = rig_connect(rig.port);
        fcntl(held[i], F_SETFL, 0); /* wait for it */
        assert_int_equal(recv(held[i], text, 4, MSG_WAITALL), 4);
    }
    atomic_store(&enough, true);
    pthread_join(talker, &complaint);
    assert_null(complaint);
    assert_true(open_on_loop[0] > HELD / 2);
    for (unsigned i = 0; i < HELD; i++)
        close(held[i]);
    drain_loops();
    free_loops();
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
#define TLS_CASE(name) cmocka_unit_test_setup_teardown(name, start_tls, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_address_has_a_limit),
        cmocka_unit_test_setup_teardown(the_server_has_a_limit_and_the_control_socket_a_reserve,
                                        start_with_control, stop),
        TLS_CASE(full_implicit_listeners_just_close),
        CASE(without_descriptors_one_is_told_and_accepting_rests),
        CASE(tight_memory_sheds_strangers_and_full_memory_lets_nobody_in),
        CASE(a_proxy_names_the_client),
        CASE(the_limit_of_an_address_holds_behind_a_proxy),
        CASE(without_a_proper_header_a_proxy_is_shut_out),
        CASE(unix_sockets_are_local),
        cmocka_unit_test(a_path_is_taken_over_only_from_a_dead_socket),
        cmocka_unit_test(addresses_are_parsed_strictly),
#if TANDEM_SYSTEMD
        CASE(sockets_of_systemd_stand_in_for_addresses),
#endif
        CASE(reload_opens_and_closes_doors_and_leaves_sessions_alone),
        TLS_CASE(reload_with_a_bad_key_changes_nothing),
        CASE(a_certificate_that_comes_later_opens_implicit_listeners),
        CASE(drain_asks_then_closes_then_tells),
        CASE(drain_closes_who_does_not_leave),
        CASE(drain_without_connections_is_over_at_once),
        cmocka_unit_test(loops_share_connections_through_reloads_and_drain),
        cmocka_unit_test(while_sessions_are_brief_they_stay_on_the_loop_that_accepts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
