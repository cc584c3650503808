#include "core/base/err.h"

#include <stddef.h>

static const char *const words[] = {
#define X(code, word, text) word,
    ERR_LIST(X)
#undef X
};

static const char *const texts[] = {
#define X(code, word, text) text,
    ERR_LIST(X)
#undef X
};

const char *err_word(enum err e)
{
    return (size_t)e < sizeof words / sizeof *words ? words[e] : "unknown";
}

const char *err_text(enum err e)
{
    return (size_t)e < sizeof texts / sizeof *texts ? texts[e] : "unknown error";
}
