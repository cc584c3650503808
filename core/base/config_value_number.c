/* Values that count: numbers, sizes, times, days, dates. */
#include "core/base/config_value.h"

#include <stdio.h>

#include "core/base/date.h"

enum unit { UNIT_NONE, UNIT_SIZE, UNIT_MS, UNIT_S };

/* The largest unit that says it without a rest. */
static const char *show(uint64_t n, enum unit unit, char to[32])
{
    static const struct {
        enum unit unit;
        const char *word;
        uint64_t factor;
    } units[] = {
        {UNIT_SIZE, "G",  1u << 30},
        {UNIT_SIZE, "M",  1u << 20},
        {UNIT_SIZE, "k",  1u << 10},
        {UNIT_MS,   "d",  86400000},
        {UNIT_MS,   "h",  3600000 },
        {UNIT_MS,   "m",  60000   },
        {UNIT_MS,   "s",  1000    },
        {UNIT_MS,   "ms", 1       },
        {UNIT_S,    "d",  86400   },
        {UNIT_S,    "h",  3600    },
        {UNIT_S,    "m",  60      },
        {UNIT_S,    "s",  1       },
    };
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (units[i].unit != unit || n == 0 || n % units[i].factor)
            continue;
        snprintf(to, 32, "%llu%s", (unsigned long long)(n / units[i].factor), units[i].word);
        return to;
    }
    snprintf(to, 32, "%llu", (unsigned long long)n);
    return to;
}

bool config_key_range(unsigned i, char ret_least[CONFIG_RANGE_TEXT],
                      char ret_most[CONFIG_RANGE_TEXT])
{
    const struct config_key *key = &config_keys[i];
    enum unit unit = UNIT_NONE;
    switch ((int)key->kind) {
    case KIND_NUMBER:
        break;
    case KIND_SIZE:
        unit = UNIT_SIZE;
        break;
    case KIND_TIME_MS:
        unit = UNIT_MS;
        break;
    case KIND_TIME_S:
    case KIND_SECONDS:
        unit = UNIT_S;
        break;
    default:
        return false;
    }
    show(key->min, unit, ret_least);
    show(key->max, unit, ret_most);
    return true;
}

static bool in_range(struct config_value *v, const struct config_key *key, uint64_t n,
                     enum unit unit)
{
    char least[32];
    char most[32];
    if (v->unranged || (n >= key->min && n <= key->max) || (n == 0 && (key->flags & KEY_ZERO)))
        return true;
    show(key->min, unit, least);
    show(key->max, unit, most);
    value_refuse(v, n < key->min ? "is too small" : "is too large");
    return value_mend(v, "%s to %s%s", least, most, key->flags & KEY_ZERO ? ", or 0" : "");
}

static bool scaled(struct slice digits, uint64_t factor, uint64_t *ret)
{
    uint64_t n;
    if (!slice_u64(digits, UINT64_MAX / factor, &n))
        return false;
    *ret = n * factor;
    return true;
}

static bool size_of(struct slice s, uint64_t *ret)
{
    uint64_t factor = 1;
    if (s.len) {
        switch (ascii_lower(s.ptr[s.len - 1])) {
        case 'k':
            factor = 1u << 10;
            break;
        case 'm':
            factor = 1u << 20;
            break;
        case 'g':
            factor = 1u << 30;
            break;
        }
    }
    if (factor > 1)
        s.len--;
    return scaled(s, factor, ret);
}

bool value_time(struct slice s, bool bare, uint64_t *ret)
{
    uint64_t factor = 0;
    if (s.len) {
        switch (s.ptr[s.len - 1]) {
        case 's':
            factor = 1000;
            break;
        case 'm':
            factor = 60000;
            break;
        case 'h':
            factor = 3600000;
            break;
        case 'd':
            factor = 86400000;
            break;
        }
    }
    if (factor) {
        s.len--;
        return scaled(s, factor, ret);
    }
    if (bare)
        return scaled(s, 1000, ret);
    return slice_u64(s, 0, ret);
}

bool value_read_number(struct config_value *v, const struct config_key *key, struct slice s,
                       void *to)
{
    uint64_t n = 0;
    if ((key->flags & KEY_AUTO) && value_is(s, "auto")) {
        *(uint32_t *)to = 0;
        return true;
    }
    if (!slice_u64(s, UINT32_MAX, &n)) {
        value_refuse(v, SHOWN_FMT " is not a number", SHOWN_ARG(s));
        char least[32];
        char most[32];
        return value_mend(v, "decimal digits only, %s to %s%s", show(key->min, UNIT_NONE, least),
                          show(key->max, UNIT_NONE, most),
                          key->flags & KEY_AUTO ? ", or auto" : "");
    }
    if (!in_range(v, key, n, UNIT_NONE))
        return false;
    *(uint32_t *)to = (uint32_t)n;
    return true;
}

bool value_read_size(struct config_value *v, const struct config_key *key, struct slice s, void *to)
{
    uint64_t n;
    if ((key->flags & KEY_AUTO) && value_is(s, "auto")) {
        *(size_t *)to = 0;
        return true;
    }
    if (!size_of(s, &n)) {
        value_refuse(v, SHOWN_FMT " is not a size", SHOWN_ARG(s));
        return value_mend(v, "write octets or a number with k, M or G, such as 64k%s",
                          key->flags & KEY_AUTO ? ", or auto" : "");
    }
    if (!in_range(v, key, n, UNIT_SIZE))
        return false;
    *(size_t *)to = n;
    return true;
}

bool value_read_share(struct config_value *v, const struct config_key *key, struct slice s,
                      void *to)
{
    uint64_t n;
    if (s.len && s.ptr[s.len - 1] == '%') {
        if (!slice_u64(slice_first(s, s.len - 1), 100, &n) || n == 0) {
            value_refuse(v, SHOWN_FMT " is no percentage", SHOWN_ARG(s));
            return value_mend(v, "1%% to 100%%");
        }
        *(struct config_share *)to = (struct config_share){.percent = (uint32_t)n};
        return true;
    }
    size_t octets;
    if (!value_read_size(v, key, s, &octets))
        return false;
    *(struct config_share *)to = (struct config_share){.octets = octets};
    return true;
}

static bool time_read(struct config_value *v, const struct config_key *key, struct slice s,
                      uint64_t divisor, enum unit unit, uint64_t *ret)
{
    bool bare = key->kind == KIND_SECONDS;
    uint64_t ms;
    if (!value_time(s, bare, &ms)) {
        value_refuse(v, SHOWN_FMT " is not a time", SHOWN_ARG(s));
        return value_mend(v, "write a number with s, m, h or d, such as 30s");
    }
    if (!in_range(v, key, ms / divisor, unit))
        return false;
    *ret = ms / divisor;
    return true;
}

bool value_read_time_ms(struct config_value *v, const struct config_key *key, struct slice s,
                        void *to)
{
    return time_read(v, key, s, 1, UNIT_MS, to);
}

bool value_read_time_s(struct config_value *v, const struct config_key *key, struct slice s,
                       void *to)
{
    uint64_t n;
    if (!time_read(v, key, s, 1000, UNIT_S, &n))
        return false;
    *(uint32_t *)to = (uint32_t)(n < UINT32_MAX ? n : UINT32_MAX);
    return true;
}

bool value_read_delay(struct config_value *v, const struct config_key *key, struct slice s,
                      void *to)
{
    const char *dots = memmem(s.ptr, s.len, "..", 2);
    uint64_t range[2];
    size_t n = dots ? (size_t)(dots - s.ptr) : 0;
    if (!dots || !value_time(slice_first(s, n), false, &range[0]) ||
        !value_time(slice_from(s, n + 2), false, &range[1]) || range[0] > range[1]) {
        value_refuse(v, SHOWN_FMT " is not a range of times", SHOWN_ARG(s));
        return value_mend(v, "write the shorter and the longer time, such as 1s..15s");
    }
    if (!in_range(v, key, range[1], UNIT_MS))
        return false;
    memcpy(to, range, sizeof range);
    return true;
}

/* `30` or `30d` */
static bool days_of(struct slice s, uint64_t max, int32_t *ret)
{
    uint64_t n;
    if (s.len && s.ptr[s.len - 1] == 'd')
        s.len--;
    if (!slice_u64(s, max, &n))
        return false;
    *ret = (int32_t)n;
    return true;
}

bool value_read_days(struct config_value *v, const struct config_key *key, struct slice s, void *to)
{
    int32_t days = -1;
    if (!value_is(s, "never") && !days_of(s, key->max, &days)) {
        value_refuse(v, SHOWN_FMT " is not a number of days", SHOWN_ARG(s));
        return value_mend(v, "write never, or 0 to %u", (unsigned)key->max);
    }
    *(int32_t *)to = days;
    return true;
}

bool value_read_hide(struct config_value *v, const struct config_key *key, struct slice s, void *to)
{
    int32_t days = value_is(s, "no") ? -1 : 0;
    bool after = slice_starts(s, SLICE("after:"));
    if (after ? !days_of(slice_from(s, 6), key->max, &days)
              : !value_is(s, "no") && !value_is(s, "yes")) {
        value_refuse(v, SHOWN_FMT " is not understood", SHOWN_ARG(s));
        return value_mend(v, "write yes, no or after:DAYS");
    }
    *(int32_t *)to = days;
    return true;
}

bool value_read_brake(struct config_value *v, const struct config_key *key, struct slice s,
                      void *to)
{
    (void)key;
    uint64_t messages = 0;
    uint64_t percent = 0;
    if (!value_is(s, "off")) {
        size_t comma = slice_find(s, ',');
        struct slice rest = slice_from(s, comma < s.len ? comma + 1 : comma);
        if (!slice_u64(slice_trim(slice_first(s, comma)), UINT32_MAX, &messages) ||
            !slice_u64(slice_trim(rest), 100, &percent) || messages == 0 || percent == 0) {
            value_refuse(v, SHOWN_FMT " is not understood", SHOWN_ARG(s));
            return value_mend(v, "write off, or messages and percentage, such as 100,50");
        }
    }
    uint32_t both[2] = {(uint32_t)messages, (uint32_t)percent};
    memcpy(to, both, sizeof both);
    return true;
}

bool value_read_date(struct config_value *v, const struct config_key *key, struct slice s, void *to)
{
    (void)key;
    uint64_t year;
    uint64_t month;
    uint64_t day;
    if (s.len == 0) {
        *(int64_t *)to = 0;
        return true;
    }
    if (s.len != 10 || s.ptr[4] != '-' || s.ptr[7] != '-' ||
        !slice_u64(slice_first(s, 4), 9999, &year) || !slice_u64(slice(s.ptr + 5, 2), 12, &month) ||
        !slice_u64(slice(s.ptr + 8, 2), 31, &day) || year < 1970 ||
        !date_valid((int32_t)year, (unsigned)month, (unsigned)day)) {
        value_refuse(v, SHOWN_FMT " is not a day", SHOWN_ARG(s));
        return value_mend(v, "write it as 2026-01-31, 1970 or later");
    }
    struct date d = {.year = (int32_t)year, .month = (uint8_t)month, .day = (uint8_t)day};
    *(int64_t *)to = date_to_time(&d);
    return true;
}

bool value_read_mode(struct config_value *v, const struct config_key *key, struct slice s, void *to)
{
    uint32_t mode = 0;
    bool good = s.len >= 3 && s.len <= 4;
    for (size_t i = 0; good && i < s.len; i++) {
        good = s.ptr[i] >= '0' && s.ptr[i] <= '7';
        mode = mode << 3 | (uint32_t)(s.ptr[i] - '0');
    }
    if (!good || mode > key->max) {
        value_refuse(v, SHOWN_FMT " is not a file mode", SHOWN_ARG(s));
        return value_mend(v, "write octal digits, such as 0660");
    }
    *(uint32_t *)to = mode;
    return true;
}
