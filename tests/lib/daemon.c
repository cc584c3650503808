#include "tests/lib/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/mem.h"

extern char **environ;

enum { PATH_ROOM = 256, START_MS = 60000, STOP_MS = 30000, LOG_SHOWN = 16000, SETTINGS_MAX = 128 };

struct daemon {
    char dir[PATH_ROOM];
    char address[32];
    pid_t pid;
    int out; /* its stdout, read up to the banner */
};

/* Below the ports that connect() takes by itself. */
static const unsigned ports[WIRE_PROTOCOLS] = {
    [WIRE_IMAP] = 10143,  [WIRE_POP3] = 10110,  [WIRE_LMTP] = 10024,
    [WIRE_IMAPS] = 10993, [WIRE_POP3S] = 10995,
};

unsigned daemon_port(enum wire_protocol protocol)
{
    return ports[protocol];
}

const char *daemon_address(const struct daemon *d)
{
    return d->address;
}

static void note(struct buf *why, const char *text)
{
    if (why && (buf_append(why, slice_str(text)) || buf_append_c(why, '\n')))
        why->len = 0;
}

static const char *path_of(const struct daemon *d, const char *name, char ret[PATH_ROOM])
{
    snprintf(ret, PATH_ROOM, "%.200s/%s", d->dir, name);
    return ret;
}

/* --- files ------------------------------------------------------------------------------------ */

/* Started as root, the daemon becomes this user. */
static const struct passwd *service_user(void)
{
    const struct passwd *pw = getpwnam("tandem");
    return pw ? pw : getpwnam("nobody");
}

static FILE *file_new(const struct daemon *d, const char *name)
{
    char path[PATH_ROOM];
    FILE *f = fopen(path_of(d, name, path), "w");
    if (!f) {
        perror(path);
        exit(1);
    }
    return f;
}

static bool setting_is(const struct script_setting *s, const char *section, const char *key)
{
    return strcmp(s->section, section) == 0 && strcmp(s->key, key) == 0;
}

static void setting_put(struct script_setting *all, size_t *n, struct script_setting s)
{
    size_t i = 0;
    while (i < *n && !setting_is(&all[i], s.section, s.key))
        i++;
    if (i == SETTINGS_MAX) {
        fprintf(stderr, "too many settings\n");
        exit(1);
    }
    all[i] = s;
    *n += i == *n;
}

/* Each section once, with all its keys. */
static void ini_write(const struct daemon *d, const struct script_setting *all, size_t n)
{
    FILE *f = file_new(d, "tandem.ini");
    for (size_t i = 0; i < n; i++) {
        bool first = true;
        for (size_t j = 0; j < i && first; j++)
            first = strcmp(all[j].section, all[i].section) != 0;
        if (!first)
            continue;
        fprintf(f, "[%s]\n", all[i].section);
        for (size_t j = i; j < n; j++)
            if (strcmp(all[j].section, all[i].section) == 0)
                fprintf(f, "%s = %s\n", all[j].key, all[j].value);
        fputc('\n', f);
    }
    fclose(f);
}

static void config_write(const struct daemon *d, const struct daemon_conf *conf)
{
    static const struct {
        enum wire_protocol protocol;
        const char *section, *name, *tls;
    } listeners[] = {
        {WIRE_IMAP,  "listen imap",  "imap", "starttls"},
        {WIRE_POP3,  "listen pop3",  "pop3", "starttls"},
        {WIRE_LMTP,  "listen lmtp",  "lmtp", "none"    },
        {WIRE_IMAPS, "listen imaps", "imap", "implicit"},
        {WIRE_POP3S, "listen pop3s", "pop3", "implicit"},
    };
    struct script_setting all[SETTINGS_MAX];
    char store[PATH_ROOM], addresses[WIRE_PROTOCOLS][64];
    size_t n = 0;
    path_of(d, "store", store);
    setting_put(all, &n, (struct script_setting){"tandem", "version", "1"});
    setting_put(all, &n, (struct script_setting){"tandem", "hostname", "mail.example.org"});
    setting_put(all, &n, (struct script_setting){"tandem", "default_domain", "example.org"});
    setting_put(all, &n, (struct script_setting){"tandem", "loops", "2"});
    setting_put(all, &n, (struct script_setting){"tandem", "workers", "2"});
    if (geteuid() == 0)
        setting_put(all, &n, (struct script_setting){"tandem", "user", service_user()->pw_name});
    setting_put(all, &n, (struct script_setting){"store", "path", store});
    setting_put(all, &n, (struct script_setting){"store", "map_size", "1G"});
    setting_put(all, &n, (struct script_setting){"tls", "certificate", conf->certificate});
    setting_put(all, &n, (struct script_setting){"tls", "key", conf->key});
    for (size_t i = 0; i < sizeof listeners / sizeof *listeners; i++) {
        snprintf(addresses[i], sizeof *addresses, "%s:%u", d->address,
                 ports[listeners[i].protocol]);
        setting_put(all, &n,
                    (struct script_setting){listeners[i].section, "protocol", listeners[i].name});
        setting_put(all, &n,
                    (struct script_setting){listeners[i].section, "address", addresses[i]});
        setting_put(all, &n,
                    (struct script_setting){listeners[i].section, "tls", listeners[i].tls});
    }
    /* Sanitizers report through a symbolizer that they start: not possible in the sandbox. */
    if (TANDEM_SANITIZED)
        setting_put(all, &n, (struct script_setting){"daemon", "sandbox", "no"});
    for (size_t i = 0; i < conf->nsettings; i++)
        setting_put(all, &n, conf->settings[i]);
    ini_write(d, all, n);
}

static int entry_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void log_note(const struct daemon *d, struct buf *why)
{
    char path[PATH_ROOM], text[LOG_SHOWN + 1];
    FILE *f = fopen(path_of(d, "log", path), "r");
    if (!f)
        return;
    if (fseek(f, -(long)LOG_SHOWN, SEEK_END))
        rewind(f);
    text[fread(text, 1, LOG_SHOWN, f)] = '\0';
    fclose(f);
    note(why, text);
}

/* --- processes -------------------------------------------------------------------------------- */

/* Its stderr goes to the log; *ret_out, if wanted, is the read end of its stdout. */
static pid_t spawn(const struct daemon *d, const char *const argv[], int *ret_out)
{
    posix_spawn_file_actions_t actions;
    char path[PATH_ROOM];
    int out[2] = {-1, -1};
    pid_t pid = -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, path_of(d, "log", path),
                                     O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (ret_out) {
        if (pipe2(out, O_CLOEXEC))
            return -1;
        posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    } else {
        posix_spawn_file_actions_adddup2(&actions, 2, 1);
    }
    if (posix_spawn(&pid, argv[0], &actions, NULL, (char *const *)argv, environ))
        pid = -1;
    posix_spawn_file_actions_destroy(&actions);
    if (ret_out) {
        close(out[1]);
        *ret_out = out[0];
    }
    return pid;
}

static bool exited_well(pid_t pid, struct buf *why)
{
    int status = 0;
    char text[80] = "";
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        snprintf(text, sizeof text, "could not be started: %s", strerror(errno));
    else if (WIFSIGNALED(status))
        snprintf(text, sizeof text, "ended by signal %d", WTERMSIG(status));
    else if (WEXITSTATUS(status))
        snprintf(text, sizeof text, "exit status %d", WEXITSTATUS(status));
    if (text[0])
        note(why, text);
    return text[0] == '\0';
}

static bool accounts_make(const struct daemon *d, const struct daemon_conf *conf, const char *ini,
                          struct buf *why)
{
    char users[PATH_ROOM];
    if (conf->naccounts == 0)
        return true;
    FILE *f = file_new(d, "users");
    for (size_t i = 0; i < conf->naccounts; i++)
        fprintf(f, "%s:secret\n", conf->accounts[i]);
    fclose(f);
    const char *argv[] = {conf->tandem, "-c",       ini,       "user",
                          "import",     "--scheme", "ssha512", path_of(d, "users", users),
                          NULL};
    return exited_well(spawn(d, argv, NULL), why);
}

/* The banner, one line on its stdout, says that it serves. */
static bool ready_wait(int out)
{
    struct pollfd p = {.fd = out, .events = POLLIN};
    char c = '\0';
    while (c != '\n')
        if (poll(&p, 1, START_MS) != 1 || read(out, &c, 1) != 1)
            return false;
    return true;
}

static void dir_make(struct daemon *d)
{
    static unsigned count;
    char path[PATH_ROOM];
    const char *tmp = getenv("TMPDIR");
    snprintf(d->dir, sizeof d->dir, "%.100s/tandem-test-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(d->dir) || chmod(d->dir, 0755) || mkdir(path_of(d, "store", path), 0750)) {
        perror(d->dir);
        exit(1);
    }
    if (geteuid() == 0 && chown(path, service_user()->pw_uid, service_user()->pw_gid)) {
        perror(path);
        exit(1);
    }
    unsigned pid = (unsigned)getpid();
    d->out = -1;
    snprintf(d->address, sizeof d->address, "127.%u.%u.%u", 16 + pid % 200, pid / 200 % 250,
             1 + count++ % 250);
}

static void dir_remove(struct daemon *d)
{
    if (d->out >= 0)
        close(d->out);
    nftw(d->dir, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
    mem_free(d);
}

struct daemon *daemon_start(const struct daemon_conf *conf, struct buf *why)
{
    struct daemon *d = mem_new(sizeof *d);
    char ini[PATH_ROOM], banner[PATH_ROOM];
    dir_make(d);
    config_write(d, conf);
    FILE *f = file_new(d, "banner");
    fputs("ready\n", f);
    fclose(f);
    path_of(d, "tandem.ini", ini);
    if (!accounts_make(d, conf, ini, why)) {
        note(why, "tandem user import failed; its log:");
        log_note(d, why);
        dir_remove(d);
        return NULL;
    }
    const char *argv[] = {conf->tandemd, "-c", ini, "--banner", path_of(d, "banner", banner), NULL};
    d->pid = spawn(d, argv, &d->out);
    if (d->pid > 0 && ready_wait(d->out))
        return d;
    note(why, "the daemon does not serve; its log:");
    log_note(d, why);
    if (d->pid > 0)
        kill(d->pid, SIGKILL);
    (void)exited_well(d->pid, NULL);
    dir_remove(d);
    return NULL;
}

bool daemon_stop(struct daemon *d, struct buf *why)
{
    if (!d)
        return true;
    uint64_t until = clock_mono_ms() + STOP_MS;
    siginfo_t info = {0};
    kill(d->pid, SIGTERM);
    while (clock_mono_ms() < until && info.si_pid == 0) {
        if (waitid(P_PID, (id_t)d->pid, &info, WEXITED | WNOWAIT | WNOHANG))
            break;
        if (info.si_pid == 0)
            usleep(2000);
    }
    if (info.si_pid == 0) {
        note(why, "the daemon does not stop");
        kill(d->pid, SIGKILL);
    }
    bool well = exited_well(d->pid, why);
    if (!well) {
        note(why, "the daemon did not end well; its log:");
        log_note(d, why);
    }
    dir_remove(d);
    return well;
}
