#include "core/base/budget.h"

#include <fcntl.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/config.h"
#include "core/base/slice.h"

/* Each on a line of its own: loops count in different classes at the same time. */
struct counter {
    alignas(64) atomic_size_t octets;
};

static struct counter used[BUDGET_CLASSES];
static struct counter total;
static atomic_size_t limit = SIZE_MAX;
static atomic_size_t tight = SIZE_MAX, full = SIZE_MAX;

void budget_take(enum budget_class class, size_t octets)
{
    atomic_fetch_add_explicit(&used[class].octets, octets, memory_order_relaxed);
    atomic_fetch_add_explicit(&total.octets, octets, memory_order_relaxed);
}

void budget_give(enum budget_class class, size_t octets)
{
    atomic_fetch_sub_explicit(&used[class].octets, octets, memory_order_relaxed);
    atomic_fetch_sub_explicit(&total.octets, octets, memory_order_relaxed);
}

size_t budget_used(enum budget_class class)
{
    return atomic_load_explicit(&used[class].octets, memory_order_relaxed);
}

size_t budget_total(void)
{
    return atomic_load_explicit(&total.octets, memory_order_relaxed);
}

size_t budget_limit(void)
{
    return atomic_load_explicit(&limit, memory_order_relaxed);
}

enum budget_level budget_level(void)
{
    size_t n = budget_total();
    if (n < atomic_load_explicit(&tight, memory_order_relaxed))
        return BUDGET_EASY;
    return n < atomic_load_explicit(&full, memory_order_relaxed) ? BUDGET_TIGHT : BUDGET_FULL;
}

const char *budget_word(enum budget_class class)
{
    static const char *const words[] = {
#define X(id, word) word,
        BUDGET_LIST(X)
#undef X
    };
    return words[class];
}

/* The start of a small file, NUL-terminated; false when there is none. */
static bool read_small(const char *path, char *to, size_t cap)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, to, cap - 1);
    close(fd);
    if (n <= 0)
        return false;
    to[n] = '\0';
    return true;
}

/* memory.max of this cgroup and of those around it: each of them binds. */
static size_t cgroup_limit(void)
{
    enum { ROOT = sizeof "/sys/fs/cgroup" - 1 };
    char text[4096];
    char path[4300];
    size_t least = SIZE_MAX;
    if (!read_small("/proc/self/cgroup", text, sizeof text))
        return least;
    char *own = strstr(text, "0::/");
    if (!own)
        return least;
    own[strcspn(own, "\n")] = '\0';
    snprintf(path, sizeof path, "/sys/fs/cgroup%s", own + 3);
    for (;;) {
        char value[32];
        char *end = path + strlen(path);
        while (end > path + ROOT && end[-1] == '/')
            end--;
        snprintf(end, sizeof path - (size_t)(end - path), "/memory.max");
        uint64_t n;
        if (read_small(path, value, sizeof value) &&
            slice_u64(slice(value, strcspn(value, "\n")), SIZE_MAX, &n) && n < least)
            least = n;
        *end = '\0';
        if (end == path + ROOT)
            return least;
        *strrchr(path, '/') = '\0';
    }
}

size_t budget_machine(void)
{
    long pages = sysconf(_SC_PHYS_PAGES);
    long page = sysconf(_SC_PAGESIZE);
    size_t ram = pages > 0 && page > 0 ? (size_t)pages * (size_t)page : SIZE_MAX;
    size_t cgroup = cgroup_limit();
    return cgroup < ram ? cgroup : ram;
}

void budget_setup(const struct config_share *memory)
{
    size_t n = memory->percent ? budget_machine() / 100 * memory->percent : memory->octets;
    atomic_store(&limit, n);
    atomic_store(&tight, n / 100 * 80);
    atomic_store(&full, n / 100 * 95);
}
