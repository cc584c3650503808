/* Building a line; writing it out is log.c's. The last RESERVE octets of a line are kept for
 * numbers and the end, so that no foreign text can push session= out of it; VALUE_MAX keeps one
 * long value from taking the room of the fields behind it (fail2ban reads rip= after user=). */
#include "core/base/log.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/base/clock.h"
#include "core/base/date.h"
#include "core/base/fault.h"
#include "core/base/hex.h"
#include "core/base/utf8.h"

enum { RESERVE = 256, TEXT_END = LOG_LINE_MAX - RESERVE, NUMBER_END = LOG_LINE_MAX - 4 };
enum { VALUE_MAX = 1024 };

static const char *const level_words[] = {"error", "warn", "info", "debug"};
static const char digits[] = "0123456789abcdef";

static void put(struct log_line *l, const char *p, size_t n)
{
    memcpy(l->text + l->len, p, n);
    l->len = (uint16_t)(l->len + n);
}

static void put_str(struct log_line *l, const char *s)
{
    put(l, s, strlen(s));
}

static void put_digits(struct log_line *l, unsigned n, unsigned count)
{
    char text[10];
    for (unsigned i = count; i > 0; i--, n /= 10)
        text[i - 1] = (char)('0' + n % 10);
    put(l, text, count);
}

static void put_time(struct log_line *l)
{
    uint64_t us = clock_wall_us();
    struct date d;
    date_from_time((int64_t)(us / 1000000u), &d);
    put_digits(l, (unsigned)d.year, 4);
    put(l, "-", 1);
    put_digits(l, d.month, 2);
    put(l, "-", 1);
    put_digits(l, d.day, 2);
    put(l, "T", 1);
    put_digits(l, d.hour, 2);
    put(l, ":", 1);
    put_digits(l, d.minute, 2);
    put(l, ":", 1);
    put_digits(l, d.second, 2);
    put(l, ".", 1);
    put_digits(l, (unsigned)(us % 1000000u), 6);
    put(l, "Z", 1);
}

/* The key and what stands before a value; false when that and `room` more would pass `end`. */
static bool put_key(struct log_line *l, const char *key, size_t room, size_t end)
{
    size_t n = strlen(key);
    if (l->len + n + 8 + room > end)
        return false;
    put_str(l, l->format == LOG_JSON ? ",\"" : " ");
    put(l, key, n);
    put_str(l, l->format == LOG_JSON ? "\":" : "=");
    return true;
}

void log_begin(struct log_line *l, enum log_level level, const char *event)
{
    l->on = log_wants(level);
    if (!l->on)
        return;
    assert(strlen(event) < 64);
    l->len = 0;
    l->level = (uint8_t)level;
    l->format = (uint8_t)log_format();
    bool json = l->format == LOG_JSON;
    if (json)
        put_str(l, "{\"time\":\"");
    put_time(l);
    put_str(l, json ? "\",\"level\":\"" : " ");
    put_str(l, level_words[level]);
    put_str(l, json ? "\",\"event\":\"" : " ");
    put_str(l, event);
    put_str(l, json ? "\"" : ":");
}

/* One character of a kv value. Returns octets of `s` taken; *ret_n octets go to `out`. */
static size_t escape_kv(struct slice s, char out[8], size_t *ret_n)
{
    unsigned char c = (unsigned char)s.ptr[0];
    if (c >= 0x21 && c <= 0x7e && c != '=' && c != '"' && c != '\\') {
        out[0] = (char)c;
        *ret_n = 1;
    } else {
        memcpy(out, (char[]){'\\', 'x', digits[c >> 4], digits[c & 15]}, 4);
        *ret_n = 4;
    }
    return 1;
}

/* The same for JSON (RFC 8259 section 7). What is no UTF-8 becomes U+FFFD. */
static size_t escape_json(struct slice s, char out[8], size_t *ret_n)
{
    unsigned char c = (unsigned char)s.ptr[0];
    unsigned n = utf8_first(s, NULL);
    if (n == 0) {
        memcpy(out, "\xef\xbf\xbd", 3);
        *ret_n = 3;
        return 1;
    }
    if (c == '"' || c == '\\') {
        out[0] = '\\';
        out[1] = (char)c;
        *ret_n = 2;
    } else if (c < 0x20 || c == 0x7f) {
        memcpy(out, (char[]){'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]}, 6);
        *ret_n = 6;
    } else {
        memcpy(out, s.ptr, n);
        *ret_n = n;
    }
    return n;
}

void log_slice(struct log_line *l, const char *key, struct slice value)
{
    if (!l->on || !put_key(l, key, 16, TEXT_END))
        return;
    bool json = l->format == LOG_JSON;
    if (json)
        put(l, "\"", 1);
    size_t end = l->len + VALUE_MAX < TEXT_END - 8 ? l->len + (size_t)VALUE_MAX : TEXT_END - 8;
    while (value.len) {
        char out[8];
        size_t n;
        size_t taken = json ? escape_json(value, out, &n) : escape_kv(value, out, &n);
        if (l->len + n > end) {
            put_str(l, "...");
            break;
        }
        put(l, out, n);
        value = slice_from(value, taken);
    }
    if (json)
        put(l, "\"", 1);
}

void log_str(struct log_line *l, const char *key, const char *value)
{
    log_slice(l, key, slice_str(value));
}

void log_u64(struct log_line *l, const char *key, uint64_t value)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    if (l->on && put_key(l, key, sizeof text, NUMBER_END))
        put(l, text, (size_t)n);
}

void log_i64(struct log_line *l, const char *key, int64_t value)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%lld", (long long)value);
    if (l->on && put_key(l, key, sizeof text, NUMBER_END))
        put(l, text, (size_t)n);
}

void log_bool(struct log_line *l, const char *key, bool value)
{
    if (!l->on || !put_key(l, key, 8, NUMBER_END))
        return;
    if (l->format == LOG_JSON)
        put_str(l, value ? "true" : "false");
    else
        put_str(l, value ? "yes" : "no");
}

void log_hex64(struct log_line *l, const char *key, uint64_t value)
{
    if (!l->on || !put_key(l, key, 20, NUMBER_END))
        return;
    char text[18];
    text[0] = text[17] = '"';
    hex_u64(value, text + 1);
    if (l->format == LOG_JSON)
        put(l, text, sizeof text);
    else
        put(l, text + 1, 16);
}

void log_fault(struct log_line *l, const struct fault *why)
{
    log_str(l, "code", err_word(why->code));
    log_str(l, "why", why->text);
}

void log_note(enum log_level level, const char *event, const char *format, ...)
{
    struct log_line l;
    log_begin(&l, level, event);
    if (!l.on)
        return;
    char text[VALUE_MAX];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    log_str(&l, "why", text);
    log_end(&l);
}
