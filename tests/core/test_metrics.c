#include "core/base/metrics.h"

#include <pthread.h>

#include "core/base/budget.h"
#include "core/base/buf.h"
#include "tests/lib/unit.h"

static struct buf text;

static void print(void)
{
    buf_finish(&text);
    buf_init(&text, 1 << 20);
    assert_ok(metrics_print(&text));
    assert_ok(buf_append_c(&text, '\0'));
}

static void assert_has(const char *line)
{
    if (!strstr(text.ptr, line))
        fail_msg("no line '%s' in\n%s", line, text.ptr);
}

static void assert_lacks(const char *line)
{
    if (strstr(text.ptr, line))
        fail_msg("line '%s'", line);
}

static void before_anything_happened(void **state)
{
    (void)state;
    print();
    assert_has("# TYPE tandem_connections gauge\n# HELP tandem_connections Open connections.\n"
               "tandem_connections{proto=\"imap\",tls=\"no\",state=\"preauth\"} 0\n");
    assert_has("tandem_reloads_total{result=\"failed\"} 0\n");
    assert_has("tandem_memory_bytes{class=\"input\"} 0\n");
    assert_has("# TYPE tandem_up gauge\n# HELP tandem_up 1 while the daemon serves.\n# EOF\n");
    assert_lacks("verb=");
    assert_lacks("loop=");
    assert_lacks("shard=");
}

static void values_and_labels(void **state)
{
    (void)state;
    static const char *const names[] = {"APPEND", "FETCH"};
    metrics_verbs(METRIC_IMAP, names, 2);
    metrics_connection(METRIC_POP3, true, METRIC_AUTHED, 1);
    metrics_connection(METRIC_POP3, true, METRIC_AUTHED, 1);
    metrics_connection(METRIC_POP3, true, METRIC_AUTHED, -1);
    metrics_login(METRIC_IMAP, METRIC_LOGIN_FAILED);
    metrics_command(METRIC_IMAP, 1, METRIC_OK, 1500000);
    metrics_command(METRIC_IMAP, 1, METRIC_OK, 9000000000);
    metrics_command(METRIC_IMAP, 7, METRIC_BAD, 1);
    metrics_bytes(METRIC_LMTP, METRIC_IN, METRIC_APP, 12345678901);
    metrics_delivery(METRIC_DEFERRED);
    metrics_limit(METRIC_LIMIT_PER_USER);
    metrics_set(METRIC_UP, 0, 0, 1);
    metrics_set(METRIC_POOL_QUEUE, 0, 0, 0);
    metrics_set(METRIC_STORE_PAGES, 3, METRIC_FREE, 77);
    metrics_set(METRIC_READER_AGE, 0, 0, 2500000000);
    metrics_cert_expiry("", -5);
    metrics_cert_expiry("sni", 86400);
    metrics_cert_expiry("sni", 86399);
    metrics_observe(METRIC_COMMIT_OPS, 0, 0, 3);
    budget_take(BUDGET_TLS, 10);
    print();
    assert_has("tandem_connections{proto=\"pop3\",tls=\"yes\",state=\"authed\"} 1\n");
    assert_has("tandem_logins_total{proto=\"imap\",result=\"failed\"} 1\n");
    assert_has("tandem_commands_total{proto=\"imap\",verb=\"FETCH\",result=\"ok\"} 2\n");
    assert_has("tandem_commands_total{proto=\"imap\",verb=\"other\",result=\"bad\"} 1\n");
    assert_lacks("APPEND");
    assert_has("tandem_command_seconds_bucket{proto=\"imap\",verb=\"FETCH\",le=\"0.001\"} 0\n"
               "tandem_command_seconds_bucket{proto=\"imap\",verb=\"FETCH\",le=\"0.0025\"} 1\n");
    assert_has("tandem_command_seconds_bucket{proto=\"imap\",verb=\"FETCH\",le=\"5\"} 1\n"
               "tandem_command_seconds_bucket{proto=\"imap\",verb=\"FETCH\",le=\"+Inf\"} 2\n"
               "tandem_command_seconds_count{proto=\"imap\",verb=\"FETCH\"} 2\n"
               "tandem_command_seconds_sum{proto=\"imap\",verb=\"FETCH\"} 9.0015\n");
    assert_has("tandem_bytes_total{proto=\"lmtp\",dir=\"in\",layer=\"app\"} 12345678901\n");
    assert_has("tandem_deliveries_total{result=\"deferred\"} 1\n");
    assert_has("tandem_limit_hits_total{name=\"per_user\"} 1\n");
    assert_has("tandem_up 1\n");
    assert_has("tandem_pool_queue 0\n");
    assert_has("tandem_store_pages{shard=\"3\",kind=\"free\"} 77\n");
    assert_has("tandem_reader_age_seconds 2.5\n");
    assert_has("tandem_cert_expiry_seconds{name=\"default\"} -5\n"
               "tandem_cert_expiry_seconds{name=\"sni\"} 86399\n");
    assert_has("tandem_commit_ops_bucket{le=\"2\"} 0\ntandem_commit_ops_bucket{le=\"4\"} 1\n");
    assert_has("tandem_commit_ops_sum 3\n");
    assert_has("tandem_memory_bytes{class=\"tls\"} 10\n");
    budget_give(BUDGET_TLS, 10);
}

enum { THREADS = 12, TIMES = 20000 };

static void *count(void *unused)
{
    (void)unused;
    for (int i = 0; i < TIMES; i++) {
        metrics_delivery(METRIC_REFUSED);
        metrics_connection(METRIC_IMAP, false, METRIC_PREAUTH, i % 2 ? -1 : 1);
    }
    return NULL;
}

static void threads_lose_no_count(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    print();
    assert_has("tandem_deliveries_total{result=\"refused\"} 240000\n");
    assert_has("tandem_connections{proto=\"imap\",tls=\"no\",state=\"preauth\"} 0\n");
}

static void full_buffer_is_an_error(void **state)
{
    (void)state;
    struct buf small;
    buf_init(&small, 100);
    assert_err(metrics_print(&small), ERR_LIMIT);
    buf_finish(&small);
    buf_finish(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_anything_happened),
        cmocka_unit_test(values_and_labels),
        cmocka_unit_test(threads_lose_no_count),
        cmocka_unit_test(full_buffer_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
