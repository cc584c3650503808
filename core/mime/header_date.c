/* Dates of RFC 5322: [day-name ","] day month year hour:minute[:second] zone, with blanks and
 * comments between any two of them. */
#include "core/base/date.h"
#include "core/mime/cfws.h"
#include "core/mime/header.h"

static bool is_letter(char c)
{
    c = ascii_lower(c);
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The run of letters or digits in front; what is left begins behind the blanks after it. */
static struct slice take(struct slice *s, bool (*is)(char))
{
    size_t n = 0;
    while (n < s->len && is(s->ptr[n]))
        n++;
    struct slice word = slice_first(*s, n);
    *s = cfws_skip(slice_from(*s, n));
    return word;
}

static bool take_char(struct slice *s, char c)
{
    if (s->len == 0 || s->ptr[0] != c)
        return false;
    *s = cfws_skip(slice_from(*s, 1));
    return true;
}

static bool take_number(struct slice *s, size_t digits_max, uint64_t max, uint64_t *ret)
{
    struct slice digits = take(s, is_digit);
    return digits.len <= digits_max && slice_u64(digits, max, ret);
}

/* 1..12, or 0. Names written out are common and mean the same. */
static unsigned month_of(struct slice word)
{
    for (unsigned i = 1; i <= 12 && word.len >= 3; i++)
        if (slice_istarts(word, slice_str(date_month_name(i))))
            return i;
    return 0;
}

static bool take_day(struct slice *s, struct date *d)
{
    uint64_t day;
    uint64_t year;
    if (s->len && is_letter(s->ptr[0])) { /* day of the week */
        take(s, is_letter);
        take_char(s, '.');
        take_char(s, ',');
    }
    if (!take_number(s, 2, 31, &day))
        return false;
    take_char(s, '-'); /* 1-Jan-2024, as RFC 3501 writes it and some mailers do */
    unsigned month = month_of(take(s, is_letter));
    take_char(s, '.');
    take_char(s, '-');
    struct slice digits = take(s, is_digit);
    if (digits.len < 2 || digits.len > 4 || !slice_u64(digits, 9999, &year))
        return false;
    if (digits.len == 2) /* RFC 5322 section 4.3 */
        year += year < 50 ? 2000 : 1900;
    else if (digits.len == 3)
        year += 1900;
    if (!date_valid((int32_t)year, month, (unsigned)day))
        return false;
    d->year = (int32_t)year;
    d->month = (uint8_t)month;
    d->day = (uint8_t)day;
    return true;
}

static bool take_time(struct slice *s, struct date *d)
{
    uint64_t hour;
    uint64_t minute;
    uint64_t second = 0;
    if (!take_number(s, 2, 23, &hour) || !take_char(s, ':') || !take_number(s, 2, 59, &minute))
        return false;
    if (take_char(s, ':') && !take_number(s, 2, 60, &second)) /* 60: a leap second */
        return false;
    d->hour = (uint8_t)hour;
    d->minute = (uint8_t)minute;
    d->second = (uint8_t)second;
    return true;
}

/* Minutes east of Greenwich. What is not known is UTC (RFC 5322 section 4.3, RFC 5256 section
 * 2.2), and so are the letters of the military zones, which RFC 822 had the wrong way round. */
static int32_t zone_of(struct slice s)
{
    static const struct {
        const char *name;
        int8_t hours;
    } zones[] = {
        {"EST", -5},
        {"EDT", -4},
        {"CST", -6},
        {"CDT", -5},
        {"MST", -7},
        {"MDT", -6},
        {"PST", -8},
        {"PDT", -7},
    };
    uint64_t n;
    if (s.len && (s.ptr[0] == '+' || s.ptr[0] == '-')) {
        bool west = s.ptr[0] == '-';
        s = slice_from(s, 1);
        struct slice digits = take(&s, is_digit);
        if (digits.len != 4 || !slice_u64(digits, 9959, &n) || n % 100 > 59)
            return 0;
        int32_t minutes = (int32_t)(n / 100 * 60 + n % 100);
        return west ? -minutes : minutes;
    }
    struct slice name = take(&s, is_letter);
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++)
        if (slice_ieq(name, slice_str(zones[i].name)))
            return zones[i].hours * 60;
    return 0;
}

bool header_date(struct slice value, int64_t *ret_time, int32_t *ret_zone_minutes)
{
    struct slice s = cfws_skip(value);
    struct date d = {0};
    int32_t zone = 0;
    if (!take_day(&s, &d))
        return false;
    if (take_time(&s, &d))
        zone = zone_of(s);
    *ret_time = date_to_time(&d) - (int64_t)zone * 60;
    if (ret_zone_minutes)
        *ret_zone_minutes = zone;
    return true;
}
