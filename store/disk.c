#include "store/disk.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "store/env.h"

enum { CHECK_EVERY_MS = 1000, CRITICAL_OCTETS = 64 << 20, CRITICAL_PAGES = 256 };

static const char *const state_names[] = {"ok", "low", "critical"};

static void ballast_path(const struct disk *disk, char *to, size_t room)
{
    snprintf(to, room, "%s/ballast", disk->env->dir);
}

static void ballast_make(struct disk *disk)
{
    char path[4096];
    ballast_path(disk, path, sizeof path);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    disk->ballast = posix_fallocate(fd, 0, BALLAST_OCTETS) == 0;
    close(fd);
    if (!disk->ballast)
        unlink(path);
}

/* An earlier daemon's, whole. If it is not there, disk_check knows whether there is room. */
static bool ballast_is_there(const struct disk *disk)
{
    char path[4096];
    struct stat st;
    ballast_path(disk, path, sizeof path);
    return stat(path, &st) == 0 && st.st_size == BALLAST_OCTETS;
}

void disk_init(struct disk *disk, struct env *env)
{
    *disk = (struct disk){.env = env};
    disk->ballast = env->index != ENV_CATALOG && ballast_is_there(disk);
}

static uint64_t reserve_of(const struct store_conf *conf, const struct statvfs *fs)
{
    if (conf->reserve)
        return conf->reserve;
    uint64_t part = (uint64_t)fs->f_blocks * fs->f_frsize / 50;
    const uint64_t least = 64u << 20, most = 1u << 30;
    return part < least ? least : part > most ? most : part;
}

static void enter(struct disk *disk, enum disk_state state, uint64_t avail)
{
    if (state == disk->state)
        return;
    disk->state = state;
    atomic_store(&disk->env->disk_low, state != DISK_OK);
    struct log_line line;
    log_begin(&line, state == DISK_OK ? LOG_INFO : LOG_WARN, "disk-reserve");
    log_u64(&line, "shard", disk->env->index);
    log_u64(&line, "free", avail);
    log_str(&line, "state", state_names[state]);
    log_end(&line);
}

enum disk_state disk_check(struct disk *disk)
{
    uint64_t now = clock_mono_ms();
    if (disk->checked_ms && now - disk->checked_ms < CHECK_EVERY_MS)
        return disk->state;
    disk->checked_ms = now;
    struct statvfs fs;
    if (statvfs(disk->env->dir, &fs) != 0)
        return disk->state;
    uint64_t avail = (uint64_t)fs.f_bavail * fs.f_frsize;
    uint64_t reserve = reserve_of(&disk->env->store->conf, &fs);
    uint64_t ample = reserve + reserve / 8;
    if (avail >= (disk->state == DISK_OK ? reserve : ample)) {
        enter(disk, DISK_OK, avail);
        /* It must not itself be what fills the disk. */
        if (!disk->ballast && disk->env->index != ENV_CATALOG && avail >= ample + BALLAST_OCTETS)
            ballast_make(disk);
        return DISK_OK;
    }
    enter(disk, avail < CRITICAL_OCTETS ? DISK_CRITICAL : DISK_LOW, avail);
    if (avail < BALLAST_OCTETS && disk->ballast) {
        char path[4096];
        ballast_path(disk, path, sizeof path);
        unlink(path);
        disk->ballast = false;
    }
    struct engine_space space;
    if (engine_space(disk->env->engine, true, &space))
        space = (struct engine_space){0};
    disk->budget = space.free_octets;
    disk->runs = space.run_octets;
    return disk->state;
}

static void take(uint64_t *budget, uint64_t octets)
{
    *budget -= octets < *budget ? octets : *budget;
}

bool disk_admits(struct disk *disk, unsigned pages, uint64_t body_octets, bool grows)
{
    if (disk->state == DISK_CRITICAL && (grows || pages > CRITICAL_PAGES))
        return false;
    uint64_t octets = (uint64_t)pages * ENGINE_PAGE;
    uint64_t chunks = body_octets / CHUNK_PAYLOAD * ENGINE_RUN * ENGINE_PAGE;
    if (grows && (octets > disk->budget || chunks > disk->runs))
        return false;
    take(&disk->budget, octets);
    take(&disk->runs, chunks);
    return true;
}
