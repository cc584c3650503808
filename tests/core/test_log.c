#include "core/base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <regex.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/fault.h"
#include "tests/lib/unit.h"

static char directory[] = "/tmp/tandem-log-XXXXXX";
static char path[64], rotated[64];

static void setup(enum log_format format, enum log_level level)
{
    struct log_conf conf = {
        .to = LOG_TO_FILE, .level = level, .format = format, .path = path, .rate = 50};
    unlink(path);
    struct fault why;
    assert_ok(log_setup(&conf, &why));
}

static char text[8 << 20];

static const char *written(const char *from)
{
    int fd = open(from, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    assert_true(n >= 0);
    text[n] = '\0';
    return text;
}

static void assert_matches(const char *s, const char *pattern)
{
    regex_t re;
    assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
    if (regexec(&re, s, 0, NULL, 0) != 0)
        fail_msg("'%s' does not match '%s'", s, pattern);
    regfree(&re);
}

static void line_is_exactly_as_agreed(void **state)
{
    (void)state;
    setup(LOG_KV, LOG_INFO);
    struct log_line l;
    log_begin(&l, LOG_WARN, "auth-failed");
    log_str(&l, "proto", "imap");
    log_slice(&l, "user", SLICE("a b=\"\\\r\n\x7f\xc3\xa4\0!"));
    log_str(&l, "rip", "192.0.2.1");
    log_u64(&l, "n", UINT64_MAX);
    log_i64(&l, "d", -3);
    log_bool(&l, "tls", true);
    log_str(&l, "none", NULL);
    log_hex64(&l, "session", 0x65a1b2c300000007);
    log_end(&l);
    assert_matches(written(path),
                   "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}Z warn "
                   "auth-failed: proto=imap "
                   "user=a\\\\x20b\\\\x3d\\\\x22\\\\x5c\\\\x0d\\\\x0a\\\\x7f\\\\xc3\\\\xa4\\\\x00! "
                   "rip=192\\.0\\.2\\.1 n=18446744073709551615 d=-3 tls=yes none= "
                   "session=65a1b2c300000007\n$");
}

static void json_has_the_same_keys(void **state)
{
    (void)state;
    setup(LOG_JSON, LOG_INFO);
    struct log_line l;
    log_begin(&l, LOG_INFO, "login");
    log_slice(&l, "user", SLICE("a\"\\\n\xc3\xa4\xff"));
    log_u64(&l, "n", 7);
    log_bool(&l, "tls", false);
    log_hex64(&l, "session", 1);
    log_end(&l);
    assert_matches(
        written(path),
        "^\\{\"time\":\"[^\"]{27}\",\"level\":\"info\",\"event\":\"login\","
        "\"user\":\"a\\\\\"\\\\\\\\\\\\u000a\xc3\xa4\xef\xbf\xbd\",\"n\":7,\"tls\":false,"
        "\"session\":\"0000000000000001\"\\}\n$");
}

static void long_values_are_cut_and_the_line_stays_whole(void **state)
{
    (void)state;
    static char big[9000];
    for (int format = LOG_KV; format <= LOG_JSON; format++) {
        for (int c = 0; c < 256; c += 5) {
            setup((enum log_format)format, LOG_INFO);
            memset(big, c, sizeof big);
            struct log_line l;
            log_begin(&l, LOG_INFO, "auth-failed");
            for (int i = 0; i < 10; i++)
                log_slice(&l, "v", slice(big, sizeof big));
            log_u64(&l, "n", 5);
            log_hex64(&l, "session", 2);
            log_end(&l);
            const char *s = written(path);
            size_t n = strlen(s);
            assert_true(n > 3000 && n <= LOG_LINE_MAX);
            assert_non_null(strstr(s, "..."));
            assert_matches(s, format == LOG_KV ? " n=5 session=0000000000000002\n$"
                                               : ",\"n\":5,\"session\":\"0000000000000002\"\\}\n$");
        }
    }
}

static void foreign_user_cannot_hide_the_address(void **state)
{
    (void)state;
    setup(LOG_KV, LOG_INFO);
    static char big[9000];
    memset(big, ' ', sizeof big);
    struct log_line l;
    log_begin(&l, LOG_WARN, "auth-failed");
    log_slice(&l, "user", slice(big, sizeof big));
    log_str(&l, "rip", "192.0.2.1");
    log_slice(&l, "mech", slice(big, sizeof big));
    log_str(&l, "reason", "unknown");
    log_end(&l);
    assert_matches(written(path),
                   "\\.\\.\\. rip=192\\.0\\.2\\.1 mech=.*\\.\\.\\. reason=unknown\n$");
}

static void level_filters(void **state)
{
    (void)state;
    setup(LOG_KV, LOG_WARN);
    log_note(LOG_INFO, "ready", "x");
    log_note(LOG_WARN, "config", "why %d", 3);
    assert_false(log_wants(LOG_INFO));
    assert_matches(written(path), "^[^\n]* warn config: why=why\\\\x203\n$");
}

static void fault_gives_code_and_text(void **state)
{
    (void)state;
    setup(LOG_KV, LOG_INFO);
    struct fault why;
    fault(&why, ERR_CORRUPT, "row %d", 4);
    struct log_line l;
    log_begin(&l, LOG_ERROR, "command-failed");
    log_fault(&l, &why);
    log_end(&l);
    assert_matches(written(path), "command-failed: code=corrupt why=row\\\\x204\n$");
}

static void reopen_follows_rotation(void **state)
{
    (void)state;
    setup(LOG_KV, LOG_INFO);
    log_note(LOG_INFO, "ready", "one");
    assert_int_equal(rename(path, rotated), 0);
    log_note(LOG_INFO, "ready", "two");
    struct fault why;
    assert_ok(log_reopen(&why));
    log_note(LOG_INFO, "ready", "three");
    assert_matches(written(path), "^[^\n]*three\n$");
    assert_matches(written(rotated), "one\n[^\n]*two\n$");
}

static void setup_that_fails_changes_nothing(void **state)
{
    (void)state;
    setup(LOG_KV, LOG_INFO);
    struct log_conf bad = {.to = LOG_TO_FILE, .level = LOG_DEBUG, .path = "/nowhere/at/all"};
    struct fault why;
    assert_err(log_setup(&bad, &why), ERR_DOWN);
    assert_non_null(strstr(why.text, "/nowhere/at/all"));
    assert_false(log_wants(LOG_DEBUG));
    log_note(LOG_INFO, "ready", "still here");
    assert_matches(written(path), "still");
}

enum { WRITERS = 4, LINES = 5000 };

static void *write_many(void *arg)
{
    for (int i = 0; i < LINES; i++) {
        struct log_line l;
        log_begin(&l, LOG_INFO, "login");
        log_u64(&l, "writer", (uint64_t)(uintptr_t)arg);
        log_u64(&l, "i", (uint64_t)i);
        log_end(&l);
    }
    return NULL;
}

static void threads_lose_nothing_untold(void **state)
{
    (void)state;
    setup(LOG_KV, LOG_INFO);
    uint64_t before = log_dropped();
    log_start_thread();
    pthread_t threads[WRITERS];
    for (uintptr_t i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, (void *)i), 0);
    for (int i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    log_stop();
    log_note(LOG_INFO, "stop", "after");
    int next[WRITERS] = {0};
    unsigned long seen = 0;
    unsigned long told = 0;
    char *save = NULL;
    written(path);
    for (char *s = strtok_r(text, "\n", &save); s; s = strtok_r(NULL, "\n", &save)) {
        int w;
        int i;
        if (sscanf(s, "%*s info login: writer=%d i=%d", &w, &i) == 2) {
            assert_true(w >= 0 && w < WRITERS && i >= next[w]); /* in the order of each writer */
            next[w] = i + 1;
            seen++;
        } else if (strstr(s, "log-dropped: n=")) {
            told += strtoul(strstr(s, "n=") + 2, NULL, 10);
        } else {
            assert_non_null(strstr(s, "stop: why=after"));
        }
    }
    assert_int_equal(seen + (log_dropped() - before), WRITERS * LINES);
    assert_true(told <= log_dropped() - before);
}

/* stderr is a pipe that nobody reads: callers go on, lines are counted, stopping does not hang. */
static void reader_that_stands_still_blocks_nobody(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    int saved = dup(STDERR_FILENO);
    fflush(stderr);
    dup2(ends[1], STDERR_FILENO);
    struct log_conf conf = {.to = LOG_TO_STDERR, .level = LOG_INFO};
    struct fault why;
    assert_ok(log_setup(&conf, &why));
    uint64_t before = log_dropped();
    log_start_thread();
    char wide[900];
    memset(wide, 'x', sizeof wide);
    for (int i = 0; i < 4000; i++) {
        struct log_line l;
        log_begin(&l, LOG_INFO, "login");
        log_slice(&l, "v", slice(wide, sizeof wide));
        log_end(&l);
    }
    assert_true(log_dropped() > before);
    log_stop();
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[0]);
    close(ends[1]);
    setup(LOG_KV, LOG_INFO);
}

int main(void)
{
    if (!mkdtemp(directory))
        return 1;
    snprintf(path, sizeof path, "%s/log", directory);
    snprintf(rotated, sizeof rotated, "%s/log.1", directory);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_is_exactly_as_agreed),
        cmocka_unit_test(json_has_the_same_keys),
        cmocka_unit_test(long_values_are_cut_and_the_line_stays_whole),
        cmocka_unit_test(foreign_user_cannot_hide_the_address),
        cmocka_unit_test(level_filters),
        cmocka_unit_test(fault_gives_code_and_text),
        cmocka_unit_test(reopen_follows_rotation),
        cmocka_unit_test(setup_that_fails_changes_nothing),
        cmocka_unit_test(threads_lose_nothing_untold),
        cmocka_unit_test(reader_that_stands_still_blocks_nobody),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    unlink(rotated);
    rmdir(directory);
    return failed;
}
