#include "cmd/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/setup.h"

static void named(const struct passwd *pw, uid_t uid, gid_t gid, struct identity *ret)
{
    *ret = (struct identity){.uid = uid, .gid = gid};
    if (pw)
        snprintf(ret->name, sizeof ret->name, "%s", pw->pw_name);
    else
        snprintf(ret->name, sizeof ret->name, "%u", (unsigned)uid);
}

bool identity_find(const struct config *config, struct identity *ret)
{
    if (geteuid() != 0) {
        named(getpwuid(geteuid()), geteuid(), getegid(), ret);
        return true;
    }
    const struct passwd *pw = getpwnam(config->tandem.user);
    if (!pw) {
        setup_mistake(config, "tandem", "user",
                      "there is no user '%s'; make it with 'adduser --system "
                      "--group %s' or name another",
                      config->tandem.user, config->tandem.user);
        return false;
    }
    if (pw->pw_uid == 0) {
        setup_mistake(config, "tandem", "user",
                      "'%s' is root, which Tandem does not run as; name another user",
                      config->tandem.user);
        return false;
    }
    named(pw, pw->pw_uid, pw->pw_gid, ret);
    return true;
}

bool identity_of_store(const struct config *config, struct identity *ret)
{
    const char *path = config->store.path;
    struct stat st;
    if (stat(path, &st)) {
        if (errno != ENOENT) {
            setup_mistake(config, "store", "path", "%s: %s", path, strerror(errno));
            return false;
        }
        return identity_find(config, ret) && store_directory_ready(config, ret);
    }
    if (st.st_uid == 0) {
        setup_mistake(config, "store", "path",
                      "%s belongs to root; give it to the user of the daemon ("
                      "'chown -R %s: %s')",
                      path, config->tandem.user, path);
        return false;
    }
    if (geteuid() != 0 && st.st_uid != geteuid()) {
        const struct passwd *pw = getpwuid(st.st_uid);
        setup_complain("%s belongs to '%s': be root or that user", path,
                       pw ? pw->pw_name : "another user");
        return false;
    }
    named(getpwuid(st.st_uid), st.st_uid, st.st_gid, ret);
    return true;
}

bool store_directory_ready(const struct config *config, const struct identity *who)
{
    const char *path = config->store.path;
    struct stat st;
    if (mkdir(path, 0750) == 0) {
        if (geteuid() == 0 && chown(path, who->uid, who->gid)) {
            setup_mistake(config, "store", "path", "%s cannot be given to '%s': %s", path,
                          who->name, strerror(errno));
            return false;
        }
        return true;
    }
    if (errno != EEXIST) {
        setup_mistake(config, "store", "path", "%s cannot be made: %s%s", path, strerror(errno),
                      errno == ENOENT ? "; make the directory above it" : "");
        return false;
    }
    if (stat(path, &st)) {
        setup_mistake(config, "store", "path", "%s: %s", path, strerror(errno));
        return false;
    }
    if (!S_ISDIR(st.st_mode)) {
        setup_mistake(config, "store", "path", "%s is not a directory", path);
        return false;
    }
    if (st.st_uid != who->uid) {
        const struct passwd *pw = getpwuid(st.st_uid);
        setup_mistake(config, "store", "path", "%s belongs to '%s', not to '%s'; 'chown -R %s: %s'",
                      path, pw ? pw->pw_name : "another user", who->name, who->name, path);
        return false;
    }
    return true;
}

static void give(const struct config *config, const char *path, const struct identity *who)
{
    if (lchown(path, who->uid, who->gid))
        setup_complain("%s: %s cannot be given to '%s': %s", config->file, path, who->name,
                       strerror(errno));
}

void unix_sockets_chown(const struct config *config, const struct identity *who)
{
    if (geteuid() != 0)
        return;
    give(config, config->daemon.control, who);
    for (unsigned i = 0; i < config->n_listen; i++)
        for (unsigned j = 0; j < config->listen[i].address.n; j++)
            if (strncmp(config->listen[i].address.items[j], "unix:", 5) == 0)
                give(config, config->listen[i].address.items[j] + 5, who);
}

bool privileges_drop(const struct identity *who)
{
    if (geteuid() != 0)
        return true;
    /* Further groups of the user (ssl-cert, say) stay his: keys are read anew at a reload. */
    if (initgroups(who->name, who->gid) || setresgid(who->gid, who->gid, who->gid) ||
        setresuid(who->uid, who->uid, who->uid)) {
        setup_complain("cannot become '%s': %s", who->name, strerror(errno));
        return false;
    }
    if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0 || getuid() == 0 || geteuid() == 0) {
        setup_complain("became '%s', but the way back to root is open; not going on", who->name);
        return false;
    }
    return true;
}

bool privileges_seal(void)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)) {
        setup_complain("cannot give up privileges: %s", strerror(errno));
        return false;
    }
    return true;
}

void descriptors_raise(const struct config *config)
{
    /* A connection is one; a shard three, a loop four, and the rest of the process. */
    rlim_t want = (rlim_t)config->limits.connections + 3 * config->store.shards +
                  4 * config->tandem.loops + 256;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= want)
        return;
    struct rlimit raised = {.rlim_cur = want,
                            .rlim_max = limit.rlim_max > want ? limit.rlim_max : want};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
        return;
    raised = (struct rlimit){limit.rlim_max, limit.rlim_max}; /* not root: as far as it goes */
    (void)setrlimit(RLIMIT_NOFILE, &raised);
    if (setup_line(config, "limits", "connections") == 0)
        return; /* nobody asked for so many; accept waits when they run out */
    setup_mistake(config, "limits", "connections",
                  "%u connections need %llu descriptors, and the limit is "
                  "%llu; raise LimitNOFILE (systemd) or ulimit -n",
                  config->limits.connections, (unsigned long long)want,
                  (unsigned long long)limit.rlim_max);
}
