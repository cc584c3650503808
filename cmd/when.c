#include "cmd/when.h"

#include "core/base/clock.h"
#include "core/base/date.h"

static bool ago(const char *text, uint32_t *ret)
{
    static const struct {
        char letter;
        uint32_t seconds;
    } units[] = {
        {'s', 1     },
        {'m', 60    },
        {'h', 3600  },
        {'d', 86400 },
        {'w', 604800},
    };
    struct slice s = slice_str(text);
    uint32_t now = clock_wall();
    uint64_t n;
    for (size_t i = 0; s.len && i < sizeof units / sizeof *units; i++) {
        if (s.ptr[s.len - 1] != units[i].letter)
            continue;
        if (!slice_u64(slice_first(s, s.len - 1), UINT32_MAX, &n))
            return false;
        n *= units[i].seconds;
        *ret = n < now ? now - (uint32_t)n : 0;
        return true;
    }
    return false;
}

/* "12:34", at its place; `to` is as it was if that is not there. */
static bool two_digits(const char **text, char before, unsigned most, uint8_t *to)
{
    const char *p = *text;
    if (before && *p++ != before)
        return false;
    if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
        return false;
    unsigned n = (unsigned)(p[0] - '0') * 10 + (unsigned)(p[1] - '0');
    if (n > most)
        return false;
    *to = (uint8_t)n;
    *text = p + 2;
    return true;
}

static bool at(const char *text, uint32_t *ret)
{
    struct date date = {0};
    uint8_t century, year;
    if (!two_digits(&text, 0, 99, &century) || !two_digits(&text, 0, 99, &year) ||
        !two_digits(&text, '-', 12, &date.month) || !two_digits(&text, '-', 31, &date.day))
        return false;
    date.year = century * 100 + year;
    if (*text == 'T' || *text == 't' || *text == ' ') {
        if (!two_digits(&text, *text, 23, &date.hour) || !two_digits(&text, ':', 59, &date.minute))
            return false;
        (void)two_digits(&text, ':', 60, &date.second);
    }
    if (*text == 'Z' || *text == 'z')
        text++;
    if (*text || !date_valid(date.year, date.month, date.day))
        return false;
    int64_t seconds = date_to_time(&date);
    *ret = (uint32_t)seconds;
    return seconds >= 0 && seconds <= UINT32_MAX;
}

bool when_since(struct verb_call *call, const char *text, uint32_t *ret)
{
    *ret = 0;
    if (!text || ago(text, ret) || at(text, ret))
        return true;
    verb_complain(call, "'%s' is no time: write " WHEN_HELP, text);
    return false;
}
