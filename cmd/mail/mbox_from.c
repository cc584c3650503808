#include "cmd/mail/mbox_from.h"

#include <string.h>
#include <time.h>

#include "core/base/date.h"

static struct slice next_word(struct slice *rest)
{
    *rest = slice_trim(*rest);
    size_t at = slice_find(*rest, ' ');
    struct slice word = slice_first(*rest, at);
    *rest = slice_from(*rest, at);
    return word;
}

static bool month_of(struct slice word, uint8_t *ret)
{
    for (unsigned m = 1; m <= 12; m++)
        if (slice_ieq(word, slice_str(date_month_name(m)))) {
            *ret = (uint8_t)m;
            return true;
        }
    return false;
}

static bool is_weekday(struct slice word)
{
    for (unsigned d = 0; d < 7; d++)
        if (slice_ieq(word, slice_str(date_weekday_name(d))))
            return true;
    return false;
}

static bool number(struct slice word, uint64_t max, uint64_t *ret)
{
    return word.len && slice_u64(word, max, ret);
}

/* "06:59:58" or "06:59" */
static bool time_of(struct slice word, struct date *ret)
{
    uint64_t part[3] = {0};
    for (unsigned i = 0; i < 3; i++) {
        size_t at = slice_find(word, ':');
        if (!number(slice_first(word, at), i ? 60 : 23, &part[i]))
            return false;
        if (at == word.len) {
            ret->hour = (uint8_t)part[0];
            ret->minute = (uint8_t)part[1];
            ret->second = (uint8_t)part[2];
            return i > 0;
        }
        word = slice_from(word, at + 1);
    }
    return false;
}

/* "+0100"; in minutes. */
static bool zone_of(struct slice word, int *ret)
{
    uint64_t n;
    if (word.len != 5 || (word.ptr[0] != '+' && word.ptr[0] != '-') ||
        !number(slice_from(word, 1), 1400, &n))
        return false;
    int minutes = (int)(n / 100 * 60 + n % 100);
    *ret = word.ptr[0] == '-' ? -minutes : minutes;
    return true;
}

static int64_t local_time(const struct date *date, int *ret_zone)
{
    struct tm tm = {.tm_year = date->year - 1900,
                    .tm_mon = date->month - 1,
                    .tm_mday = date->day,
                    .tm_hour = date->hour,
                    .tm_min = date->minute,
                    .tm_sec = date->second,
                    .tm_isdst = -1};
    time_t t = mktime(&tm);
    *ret_zone = (int)(tm.tm_gmtoff / 60);
    return t;
}

/* What follows the weekday: "Nov 22 06:59:58 [zone] 2026 [zone]". */
static bool date_of(struct slice rest, int64_t *ret, int *ret_zone)
{
    struct date date = {0};
    uint64_t n;
    bool zoned = false;
    if (!month_of(next_word(&rest), &date.month) || !number(next_word(&rest), 31, &n))
        return false;
    date.day = (uint8_t)n;
    if (!time_of(next_word(&rest), &date))
        return false;
    bool year = false;
    for (unsigned i = 0; i < 3; i++) { /* names of zones say nothing that is certain */
        struct slice word = next_word(&rest);
        if (zone_of(word, ret_zone))
            zoned = true;
        else if (!year && number(word, 9999, &n) && n > 1900)
            year = true, date.year = (int32_t)n;
    }
    if (!year || rest.len || !date_valid(date.year, date.month, date.day))
        return false;
    *ret = zoned ? date_to_time(&date) - 60 * *ret_zone : local_time(&date, ret_zone);
    return true;
}

bool mbox_from_parse(struct slice line, uint32_t *ret_date, int8_t *ret_zone)
{
    int64_t date;
    int zone = 0;
    if (!slice_starts(line, SLICE("From ")))
        return false;
    struct slice rest = slice_from(line, 5);
    /* The sender may hold blanks: the date begins behind the first weekday that it fits. */
    while (rest.len) {
        struct slice word = next_word(&rest);
        if (is_weekday(word) && date_of(rest, &date, &zone)) {
            *ret_date = date > 0 && date <= UINT32_MAX ? (uint32_t)date : 0;
            *ret_zone = (int8_t)(zone / 15);
            return true;
        }
    }
    return false;
}
