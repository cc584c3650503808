#include "cmd/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cmd/setup.h"
#include "core/base/log.h"

/* --- files (Landlock) ------------------------------------------------------------------------- */

#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13) /* ABI 2 */
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14) /* ABI 3 */
#endif

enum {
    READ = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
    WRITE = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
            LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
            LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REFER |
            LANDLOCK_ACCESS_FS_TRUNCATE,
    SOCKETS = LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE,
    /* Never ours: programs, devices, links. Handled, so denied wherever no rule says otherwise. */
    NEVER = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
            LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
            LANDLOCK_ACCESS_FS_MAKE_SYM,
    OF_FILES =
        LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE
};

struct ruleset {
    int fd;
    uint64_t handled;
};

/* A path that is not there needs no rule. */
static void allow(const struct ruleset *rules, const char *path, uint64_t access)
{
    struct stat st;
    int fd = path ? open(path, O_PATH | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
        access &= OF_FILES;
    struct landlock_path_beneath_attr attr = {.allowed_access = access & rules->handled,
                                              .parent_fd = fd};
    (void)syscall(SYS_landlock_add_rule, rules->fd, LANDLOCK_RULE_PATH_BENEATH, &attr, 0);
    close(fd);
}

static void allow_directory_of(const struct ruleset *rules, const char *path, uint64_t access)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (!slash)
        snprintf(directory, sizeof directory, ".");
    else
        snprintf(directory, sizeof directory, "%.*s", slash == path ? 1 : (int)(slash - path),
                 path);
    allow(rules, directory, access);
}

/* The directory it lies in, for what replaces the file at a reload or a rotation is a new file; and
 * the one that a link leads to. */
static void allow_around(const struct ruleset *rules, const char *path, uint64_t access)
{
    char target[PATH_MAX];
    if (!path)
        return;
    allow_directory_of(rules, path, access);
    if (realpath(path, target) && strcmp(target, path) != 0)
        allow_directory_of(rules, target, access);
}

static void allow_all(const struct ruleset *rules, const struct config *config)
{
    /* Character sets, time zones, message catalogs; random numbers; limits of the cgroup. */
    static const char *const system[] = {
        "/usr/lib",    "/usr/lib64",    "/usr/share",         "/lib",
        "/lib64",      "/etc/gnutls",   "/etc/localtime",     "/etc/ld.so.cache",
        "/etc/passwd", "/etc/group",    "/etc/nsswitch.conf", "/dev/urandom",
        "/proc/self",  "/proc/meminfo", "/sys/fs/cgroup"};
    for (size_t i = 0; i < sizeof system / sizeof *system; i++)
        allow(rules, system[i], READ);
    allow(rules, "/dev/null", READ | LANDLOCK_ACCESS_FS_WRITE_FILE);
    allow(rules, config->store.path, READ | WRITE);
    allow_around(rules, config->daemon.control, READ | WRITE);
    allow_around(rules, config->file, READ);
    allow_around(rules, config->log.path, READ | WRITE);
    for (unsigned i = 0; i < config->n_listen; i++)
        for (unsigned j = 0; j < config->listen[i].address.n; j++)
            if (strncmp(config->listen[i].address.items[j], "unix:", 5) == 0)
                allow_around(rules, config->listen[i].address.items[j] + 5, SOCKETS);
    for (unsigned i = 0; i < config->n_tls; i++) {
        allow_around(rules, config->tls[i].certificate, READ);
        allow_around(rules, config->tls[i].key, READ);
        allow_around(rules, config->tls[i].ocsp, READ);
        allow_around(rules, config->tls[i].client_ca, READ);
    }
}

static bool landlock_enter(const struct config *config)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 1) {
        log_note(LOG_WARN, "sandbox", "the kernel has no Landlock (%s): files are not confined",
                 strerror(errno));
        return true;
    }
    struct ruleset rules = {.handled = READ | WRITE | NEVER};
    if (abi < 2)
        rules.handled &= ~(uint64_t)LANDLOCK_ACCESS_FS_REFER;
    if (abi < 3)
        rules.handled &= ~(uint64_t)LANDLOCK_ACCESS_FS_TRUNCATE;
    struct landlock_ruleset_attr attr = {.handled_access_fs = rules.handled};
    rules.fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
    if (rules.fd < 0) {
        setup_complain("Landlock: %s; '[daemon] sandbox = no' goes on without", strerror(errno));
        return false;
    }
    allow_all(&rules, config);
    bool good = syscall(SYS_landlock_restrict_self, rules.fd, 0) == 0;
    if (!good)
        setup_complain("Landlock: %s; '[daemon] sandbox = no' goes on without", strerror(errno));
    close(rules.fd);
    return good;
}

/* --- system calls (seccomp) ------------------------------------------------------------------- */

/* What the daemon, libev, LMDB, GnuTLS and glibc's threads ask for, by name: libseccomp knows the
 * numbers, and leaves out what an architecture does not have. No program, no process, no mount, no
 * module, no tracing, no keyring, no raw socket. */
static const char *const calls[] = {
    /* files */
    "read", "readv", "pread64", "preadv", "preadv2", "write", "writev", "pwrite64", "pwritev",
    "pwritev2", "open", "openat", "close", "close_range", "lseek", "stat", "fstat", "lstat",
    "newfstatat", "statx", "statfs", "fstatfs", "access", "faccessat", "faccessat2", "readlink",
    "readlinkat", "getdents64", "getcwd", "fcntl", "flock", "fsync", "fdatasync", "sync_file_range",
    "ftruncate", "fallocate", "fadvise64", "rename", "renameat", "renameat2", "unlink", "unlinkat",
    "mkdir", "mkdirat", "rmdir", "chmod", "fchmod", "fchmodat", "umask", "dup", "dup2", "dup3",
    "ioctl", "copy_file_range", "sendfile",
    /* memory */
    "brk", "mmap", "munmap", "mremap", "mprotect", "madvise", "mincore", "msync", "membarrier",
    "memfd_create",
    /* sockets */
    "socketpair", "bind", "listen", "accept", "accept4", "connect", "shutdown", "getsockname",
    "getpeername", "getsockopt", "setsockopt", "sendto", "sendmsg", "sendmmsg", "recvfrom",
    "recvmsg", "recvmmsg",
    /* events and time */
    "epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2",
    "eventfd2", "signalfd4", "timerfd_create", "timerfd_settime", "timerfd_gettime", "poll",
    "ppoll", "select", "pselect6", "pipe", "pipe2", "clock_gettime", "clock_getres",
    "clock_nanosleep", "nanosleep", "gettimeofday", "time",
    /* threads, signals, this process */
    "futex", "set_robust_list", "get_robust_list", "rseq", "set_tid_address", "gettid", "getpid",
    "getppid", "getuid", "geteuid", "getgid", "getegid", "getgroups", "exit", "exit_group",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait", "sigaltstack", "tgkill",
    "restart_syscall", "sched_yield", "sched_getaffinity", "sched_getparam", "sched_getscheduler",
    "getcpu", "getrandom", "getrusage", "times", "sysinfo", "uname", "getrlimit", "prlimit64",
    "prctl", "arch_prctl"};

static int add_call(scmp_filter_ctx filter, const char *name)
{
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR)
        return 0; /* not of this kernel's or this libseccomp's time */
    int result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
    return result == -EDOM ? 0 : result; /* not of this architecture */
}

static int add_all(scmp_filter_ctx filter)
{
    int result = 0;
    for (size_t i = 0; i < sizeof calls / sizeof *calls && !result; i++)
        result = add_call(filter, calls[i]);
    /* A thread, never a process. clone3 hides its flags in memory: glibc falls back to clone. */
    if (!result)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                                  SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
    if (!result)
        result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    static const int families[] = {AF_UNIX, AF_INET, AF_INET6};
    for (size_t i = 0; i < sizeof families / sizeof *families && !result; i++) {
        static const int types[] = {SOCK_STREAM, SOCK_DGRAM};
        for (size_t j = 0; j < sizeof types / sizeof *types && !result; j++)
            result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
                                      SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]),
                                      SCMP_A1(SCMP_CMP_MASKED_EQ,
                                              ~(scmp_datum_t)(SOCK_CLOEXEC | SOCK_NONBLOCK),
                                              (scmp_datum_t)types[j]));
    }
    return result;
}

static bool seccomp_enter(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int result = filter ? add_all(filter) : -ENOMEM;
    if (!result)
        result = seccomp_load(filter);
    if (filter)
        seccomp_release(filter);
    if (result)
        setup_complain("seccomp: %s; '[daemon] sandbox = no' goes on without", strerror(-result));
    return !result;
}

bool sandbox_enter(const struct config *config)
{
    if (TANDEM_SANITIZED) {
        log_note(LOG_WARN, "sandbox", "off in a sanitizer build");
        return true;
    }
    if (!config->daemon.sandbox) {
        log_note(LOG_WARN, "sandbox", "off by [daemon] sandbox = no");
        return true;
    }
    return landlock_enter(config) && seccomp_enter();
}
