#include "core/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *p)
{
    if (!p) {
        fputs("tandem: out of memory\n", stderr);
        abort();
    }
    return p;
}

void *mem_new(size_t size)
{
    return checked(calloc(1, size ? size : 1));
}

void *mem_new_array(size_t n, size_t size)
{
    return checked(calloc(n ? n : 1, size ? size : 1));
}

void *mem_resize(void *old, size_t size)
{
    return checked(realloc(old, size ? size : 1));
}

void *mem_dup(const void *from, size_t size)
{
    void *p = checked(malloc(size ? size : 1));
    if (size)
        memcpy(p, from, size);
    return p;
}

void *mem_try(size_t size)
{
    return malloc(size ? size : 1);
}

void mem_free(void *p)
{
    free(p);
}

void mem_wipe(void *p, size_t size)
{
    if (p)
        explicit_bzero(p, size);
}
