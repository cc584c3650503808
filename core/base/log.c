/* Where lines go.
 *
 *      log_end --> ring (1 MiB, under `lock`, a leaf) --> writer thread --> sink
 *          `------------- no thread: at once --------------------------------^
 *
 * A sink is counted, because the writer may be inside write() on it while log_setup puts another
 * in its place. A record in the ring: u16 length, u8 level, the line with its LF. */
#include "core/base/log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/fault.h"
#include "core/base/mem.h"

enum { RING = 1 << 20, RECORD_HEAD = 3, STOP_WAIT_MS = 2000, TIME_LEN = 28 };
/* What one write() may carry without blocking once poll() has said POLLOUT (pipe(7)). */
enum { CHUNK_PIPE = 4096, CHUNK_FILE = 65536, GATHER_MS = 20 };

static const char journal_path[] = "/run/systemd/journal/socket";

struct sink {
    unsigned refs; /* under lock */
    int fd;
    enum log_to to;
    bool owned; /* fd is closed with the sink */
    size_t chunk;
    char *path;
};

static struct sink standard_error = {/* one reference too many: it is never freed */
                                     .refs = 2,
                                     .fd = STDERR_FILENO,
                                     .to = LOG_TO_STDERR,
                                     .chunk = CHUNK_PIPE};

static atomic_int wanted = LOG_INFO;
static atomic_int shape = LOG_KV;
static atomic_uint_fast64_t dropped;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static struct sink *sink = &standard_error;
static char *ring;
static size_t ring_at, ring_len; /* first octet, octets in use */
static bool threaded, sleeping;
static bool hurry;               /* there is a line that does not wait for others */
static uint64_t lost;            /* since the writer last told */
static _Atomic uint64_t stop_at; /* 0, or the monotonic ms after which nothing is waited for */
static pthread_t writer;

bool log_wants(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&wanted, memory_order_relaxed);
}

enum log_format log_format(void)
{
    return (enum log_format)atomic_load_explicit(&shape, memory_order_relaxed);
}

uint64_t log_dropped(void)
{
    return atomic_load(&dropped);
}

static void sink_unref(struct sink *s) /* under lock */
{
    if (--s->refs)
        return;
    if (s->owned)
        close(s->fd);
    mem_free(s->path);
    mem_free(s);
}

static struct sink *sink_take(void)
{
    pthread_mutex_lock(&lock);
    struct sink *s = sink;
    s->refs++;
    pthread_mutex_unlock(&lock);
    return s;
}

static void sink_give(struct sink *s)
{
    pthread_mutex_lock(&lock);
    sink_unref(s);
    pthread_mutex_unlock(&lock);
}

static bool patient(void)
{
    uint64_t until = atomic_load(&stop_at);
    return until == 0 || clock_mono_ms() < until;
}

/* All of it, unless the reader stands still while the log is stopping. */
static bool write_all(const struct sink *s, const char *p, size_t n)
{
    while (n) {
        struct pollfd f = {.fd = s->fd, .events = POLLOUT};
        int ready = poll(&f, 1, 100);
        if (ready == 0) {
            if (!patient())
                return false;
            continue;
        }
        if (ready < 0 && errno != EINTR)
            return false;
        ssize_t put = write(s->fd, p, n);
        if (put < 0 && errno != EINTR && errno != EAGAIN)
            return false;
        if (put > 0) {
            p += put;
            n -= (size_t)put;
        }
    }
    return true;
}

/* One datagram of journald's native protocol; a line has no LF inside, so the text form serves. */
static bool journal_send(const struct sink *s, enum log_level level, const char *p, size_t n)
{
    static const char priority[] = {'3', '4', '6', '7'};
    if (p[0] != '{') { /* the journal keeps time itself */
        p += TIME_LEN;
        n -= TIME_LEN;
    }
    char head[96];
    int len = snprintf(head, sizeof head,
                       "PRIORITY=%c\nSYSLOG_IDENTIFIER=%.40s\nMESSAGE=", priority[level],
                       program_invocation_short_name);
    struct iovec iov[] = {
        {head,      (size_t)len},
        {(char *)p, n          }
    };
    struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};
    if (sendmsg(s->fd, &m, MSG_NOSIGNAL) >= 0)
        return true;
    struct sockaddr_un a = {.sun_family = AF_UNIX}; /* journald was restarted? */
    memcpy(a.sun_path, journal_path, sizeof journal_path);
    return connect(s->fd, (struct sockaddr *)&a, sizeof a) == 0 &&
           sendmsg(s->fd, &m, MSG_NOSIGNAL) >= 0;
}

static bool write_line(const struct sink *s, const struct log_line *l)
{
    if (s->to == LOG_TO_JOURNAL)
        return journal_send(s, l->level, l->text, l->len);
    return write_all(s, l->text, l->len);
}

static void ring_put(const void *p, size_t n)
{
    size_t at = (ring_at + ring_len) % RING;
    size_t first = RING - at < n ? RING - at : n;
    memcpy(ring + at, p, first);
    memcpy(ring, (const char *)p + first, n - first);
    ring_len += n;
}

static void ring_get(void *p, size_t n)
{
    size_t first = RING - ring_at < n ? RING - ring_at : n;
    memcpy(p, ring + ring_at, first);
    memcpy((char *)p + first, ring, n - first);
    ring_at = (ring_at + n) % RING;
    ring_len -= n;
}

static void finish(struct log_line *l)
{
    if (l->format == LOG_JSON)
        l->text[l->len++] = '}';
    l->text[l->len++] = '\n';
    l->on = false;
}

void log_end(struct log_line *l)
{
    if (!l->on)
        return;
    finish(l);
    pthread_mutex_lock(&lock);
    if (threaded) {
        if (RING - ring_len < RECORD_HEAD + (size_t)l->len) {
            lost++;
            atomic_fetch_add(&dropped, 1);
        } else {
            ring_put(&l->len, sizeof l->len);
            ring_put(&l->level, 1);
            ring_put(l->text, l->len);
        }
        bool soon = !hurry && (l->level <= LOG_WARN || ring_len > RING / 2);
        bool tell = sleeping || soon;
        hurry |= soon;
        sleeping = false;
        pthread_mutex_unlock(&lock);
        if (tell) /* without the lock, which the thread takes first of all */
            pthread_cond_signal(&wake);
        return;
    }
    struct sink *s = sink;
    s->refs++;
    pthread_mutex_unlock(&lock);
    if (!write_line(s, l))
        atomic_fetch_add(&dropped, 1);
    sink_give(s);
}

/* One line out of the ring, under lock. */
static void ring_line(struct log_line *l)
{
    ring_get(&l->len, sizeof l->len);
    ring_get(&l->level, 1);
    ring_get(l->text, l->len);
}

/* As many whole lines as one write may carry; the journal takes them one by one. */
static size_t ring_chunk(char *chunk, size_t max)
{
    size_t n = 0;
    while (ring_len) {
        uint16_t len;
        size_t at = ring_at;
        memcpy(&len, (char[]){ring[at], ring[(at + 1) % RING]}, sizeof len);
        if (n + len > max)
            break;
        ring_at = (ring_at + RECORD_HEAD) % RING;
        ring_len -= RECORD_HEAD;
        ring_get(chunk + n, len);
        n += len;
    }
    return n;
}

static void tell_lost(const struct sink *s, uint64_t n)
{
    struct log_line l;
    log_begin(&l, LOG_ERROR, "log-dropped");
    log_u64(&l, "n", n);
    finish(&l);
    if (!write_line(s, &l))
        atomic_fetch_add(&dropped, 1);
}

/* Nobody wakes the thread for the lines of the next moment: under load they go out together, with
 * one write and one switch of threads instead of one for each. Under the lock. */
static void gather(void)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += GATHER_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    while (threaded && !hurry && pthread_cond_timedwait(&wake, &lock, &until) != ETIMEDOUT)
        ;
}

static void *write_lines(void *unused)
{
    (void)unused;
    static char chunk[CHUNK_FILE];
    static struct log_line l;
    pthread_mutex_lock(&lock);
    for (;;) {
        while (ring_len == 0 && threaded) {
            sleeping = true;
            pthread_cond_wait(&wake, &lock);
            sleeping = false;
            gather();
        }
        hurry = false;
        if (ring_len == 0 || !patient())
            break;
        struct sink *s = sink;
        s->refs++;
        size_t n = 0;
        if (s->to == LOG_TO_JOURNAL)
            ring_line(&l);
        else
            n = ring_chunk(chunk, s->chunk);
        uint64_t gone = lost;
        lost = 0;
        pthread_mutex_unlock(&lock);
        bool ok = s->to == LOG_TO_JOURNAL ? write_line(s, &l) : write_all(s, chunk, n);
        if (!ok)
            atomic_fetch_add(&dropped, 1); /* at least */
        if (gone)
            tell_lost(s, gone);
        pthread_mutex_lock(&lock);
        sink_unref(s);
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

void log_start_thread(void)
{
    assert(!threaded);
    ring = mem_resize(ring, RING);
    ring_at = ring_len = 0;
    atomic_store(&stop_at, 0);
    pthread_condattr_t attr; /* gather waits by the clock that nobody sets */
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_destroy(&wake);
    pthread_cond_init(&wake, &attr);
    pthread_condattr_destroy(&attr);
    threaded = true;
    sigset_t all, old; /* signals are for the loops */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int e = pthread_create(&writer, NULL, write_lines, NULL);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (e) {
        threaded = false;
        log_note(LOG_ERROR, "log-thread", "cannot start: %s", strerror(e));
        return;
    }
    pthread_setname_np(writer, "log");
}

void log_stop(void)
{
    pthread_mutex_lock(&lock);
    bool was = threaded;
    threaded = false;
    atomic_store(&stop_at, clock_mono_ms() + STOP_WAIT_MS);
    pthread_cond_signal(&wake);
    pthread_mutex_unlock(&lock);
    if (!was)
        return;
    pthread_join(writer, NULL);
    atomic_store(&stop_at, 0);
    mem_free(ring);
    ring = NULL;
}

static enum err open_file(const char *path, struct sink *s, struct fault *why)
{
    s->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0640);
    if (s->fd < 0)
        return fault(why, ERR_DOWN, "log file '%s': %s", path, strerror(errno));
    struct stat st;
    if (fstat(s->fd, &st) == 0 && S_ISREG(st.st_mode))
        s->chunk = CHUNK_FILE;
    return ERR_OK;
}

static enum err open_journal(struct sink *s, struct fault *why)
{
    s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (s->fd < 0)
        return fault(why, ERR_DOWN, "journal: %s", strerror(errno));
    struct timeval second = {.tv_sec = 1}; /* a journal that stands still must not hold us up */
    setsockopt(s->fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second);
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    memcpy(a.sun_path, journal_path, sizeof journal_path);
    if (connect(s->fd, (struct sockaddr *)&a, sizeof a) == 0)
        return ERR_OK;
    int e = errno;
    close(s->fd);
    return fault(why, ERR_DOWN, "journal socket '%s': %s", journal_path, strerror(e));
}

static void swap(struct sink *s)
{
    pthread_mutex_lock(&lock);
    struct sink *old = sink;
    sink = s;
    sink_unref(old);
    pthread_mutex_unlock(&lock);
}

static enum err sink_new(enum log_to to, const char *path, struct sink **ret, struct fault *why)
{
    struct sink *s = mem_new(sizeof *s);
    *s = (struct sink){.refs = 1, .to = to, .chunk = CHUNK_PIPE};
    enum err e = ERR_OK;
    if (to == LOG_TO_FILE)
        e = open_file(path, s, why);
    else if (to == LOG_TO_JOURNAL)
        e = open_journal(s, why);
    else
        s->fd = STDERR_FILENO;
    if (e) {
        mem_free(s);
        return e;
    }
    s->owned = to != LOG_TO_STDERR;
    s->path = path ? mem_dup(path, strlen(path) + 1) : NULL;
    *ret = s;
    return ERR_OK;
}

enum err log_setup(const struct log_conf *conf, struct fault *why)
{
    struct sink *s;
    enum err e = sink_new(conf->to, conf->path, &s, why);
    if (e)
        return e;
    swap(s);
    atomic_store(&shape, conf->format);
    atomic_store(&wanted, conf->level);
    return ERR_OK;
}

enum err log_reopen(struct fault *why)
{
    struct sink *old = sink_take();
    struct sink *s = NULL;
    enum err e = ERR_OK;
    if (old->to == LOG_TO_FILE)
        e = sink_new(old->to, old->path, &s, why);
    sink_give(old);
    if (!e && s)
        swap(s);
    return e;
}
