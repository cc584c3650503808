#include "cmd/mail/record.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/frame.h"

static const char types[] = {RECORD_TOTAL,  RECORD_MAILBOX,    RECORD_MESSAGE,   RECORD_OCTETS,
                             RECORD_END,    RECORD_SUBSCRIBED, RECORD_COMPLAINT, RECORD_NOTE,
                             RECORD_FAILED, RECORD_DONE};

/* --- writing ---------------------------------------------------------------------------------- */

void record_out_init(struct record_out *out, record_sink *write, void *arg)
{
    out->write = write;
    out->arg = arg;
    out->broken = false;
    out->len = 0;
}

bool record_write_fd(void *arg, struct slice octets)
{
    while (octets.len) {
        ssize_t n = write(*(const int *)arg, octets.ptr, octets.len);
        if (n < 0 && errno != EINTR)
            return false;
        octets = slice_from(octets, n > 0 ? (size_t)n : 0);
    }
    return true;
}

void record_flush(struct record_out *out)
{
    if (!out->broken && out->len)
        out->broken = !out->write(out->arg, slice(out->octets, out->len));
    out->len = 0;
}

void record_put(struct record_out *out, enum record_type type, struct slice payload)
{
    payload = slice_first(payload, RECORD_MAX);
    if (out->len + RECORD_HEAD + payload.len > sizeof out->octets)
        record_flush(out);
    unsigned char *to = (unsigned char *)out->octets + out->len;
    for (unsigned i = 0; i < 4; i++)
        to[i] = (unsigned char)(payload.len >> (24 - 8 * i));
    to[4] = (unsigned char)type;
    if (payload.len)
        memcpy(to + RECORD_HEAD, payload.ptr, payload.len);
    out->len += RECORD_HEAD + payload.len;
}

void record_put_text(struct record_out *out, enum record_type type, const char *format, ...)
{
    char text[4096];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    record_put(out, type, slice_str(text));
}

void record_put_octets(struct record_out *out, struct slice octets)
{
    while (octets.len) {
        struct slice now = slice_first(octets, RECORD_MAX);
        record_put(out, RECORD_OCTETS, now);
        octets = slice_from(octets, now.len);
    }
}

static void put_json(struct record_out *out, enum record_type type, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    if (text)
        record_put(out, type, slice_str(text));
    free(text);
}

static void add_number(json_t *json, const char *key, uint64_t number)
{
    if (number)
        json_object_set_new(json, key, json_integer((json_int_t)number));
}

static void add_text(json_t *json, const char *key, struct slice text)
{
    if (text.len)
        json_object_set_new(json, key, frame_slice(text));
}

void record_put_total(struct record_out *out, const struct record_total *total)
{
    json_t *json = json_object();
    add_text(json, "account", total->account);
    add_number(json, "messages", total->messages);
    add_number(json, "octets", total->octets);
    put_json(out, RECORD_TOTAL, json);
}

void record_put_mailbox(struct record_out *out, const struct record_mailbox *mailbox)
{
    json_t *json = json_object();
    add_text(json, "path", mailbox->path);
    add_text(json, "shown", mailbox->shown);
    add_number(json, "uidvalidity", mailbox->uidvalidity);
    add_number(json, "uidnext", mailbox->uidnext);
    put_json(out, RECORD_MAILBOX, json);
}

void record_put_message(struct record_out *out, const struct record_message *message)
{
    json_t *json = json_object();
    add_text(json, "name", message->name);
    add_text(json, "id", message->id);
    add_number(json, "uid", message->uid);
    add_number(json, "flags", message->flags);
    add_number(json, "date", message->date);
    if (message->zone)
        json_object_set_new(json, "zone", json_integer(message->zone));
    add_number(json, "recent", message->recent);
    add_number(json, "order", message->order);
    add_number(json, "size", message->size);
    add_text(json, "uidl", message->uidl);
    add_text(json, "guid", message->guid);
    if (message->nkeywords) {
        json_t *list = json_array();
        for (size_t i = 0; i < message->nkeywords; i++)
            json_array_append_new(list, frame_slice(message->keywords[i]));
        json_object_set_new(json, "keywords", list);
    }
    put_json(out, RECORD_MESSAGE, json);
}

/* --- reading ---------------------------------------------------------------------------------- */

void record_in_init(struct record_in *in, record_source *read, void *arg)
{
    in->read = read;
    in->arg = arg;
    in->at = in->len = 0;
}

ssize_t record_read_fd(void *arg, char *to, size_t cap)
{
    ssize_t n;
    while ((n = read(*(const int *)arg, to, cap)) < 0 && errno == EINTR)
        ;
    return n;
}

static bool have(struct record_in *in, size_t n)
{
    while (in->len - in->at < n) {
        if (in->at) {
            memmove(in->octets, in->octets + in->at, in->len - in->at);
            in->len -= in->at;
            in->at = 0;
        }
        ssize_t got = in->read(in->arg, in->octets + in->len, sizeof in->octets - in->len);
        if (got <= 0)
            return false;
        in->len += (size_t)got;
    }
    return true;
}

bool record_next(struct record_in *in, struct record *ret)
{
    if (!have(in, RECORD_HEAD))
        return false;
    const unsigned char *head = (const unsigned char *)in->octets + in->at;
    size_t len = 0;
    for (unsigned i = 0; i < 4; i++)
        len = len << 8 | head[i];
    enum record_type type = head[4];
    if (len > RECORD_MAX || !memchr(types, head[4], sizeof types) || !have(in, RECORD_HEAD + len))
        return false;
    *ret = (struct record){.type = type, .payload = slice(in->octets + in->at + RECORD_HEAD, len)};
    in->at += RECORD_HEAD + len;
    return true;
}

static uint64_t number(const json_t *json, const char *key, uint64_t max)
{
    json_int_t n = json_integer_value(json_object_get(json, key));
    return n > 0 && (uint64_t)n <= max ? (uint64_t)n : 0;
}

static struct slice text_of(const json_t *value, struct arena *arena)
{
    return json_is_string(value)
               ? arena_dup(arena, slice(json_string_value(value), json_string_length(value)))
               : SLICE_NONE;
}

static struct slice text(const json_t *json, const char *key, struct arena *arena)
{
    return text_of(json_object_get(json, key), arena);
}

bool record_get_total(struct slice payload, struct arena *arena, struct record_total *ret)
{
    json_t *json = json_loadb(payload.ptr, payload.len, 0, NULL);
    *ret = (struct record_total){.account = text(json, "account", arena),
                                 .messages = number(json, "messages", INT64_MAX),
                                 .octets = number(json, "octets", INT64_MAX)};
    bool good = json_is_object(json);
    json_decref(json);
    return good;
}

bool record_get_mailbox(struct slice payload, struct arena *arena, struct record_mailbox *ret)
{
    json_t *json = json_loadb(payload.ptr, payload.len, 0, NULL);
    *ret = (struct record_mailbox){.path = text(json, "path", arena),
                                   .shown = text(json, "shown", arena),
                                   .uidvalidity = (uint32_t)number(json, "uidvalidity", UINT32_MAX),
                                   .uidnext = (uint32_t)number(json, "uidnext", UINT32_MAX)};
    json_decref(json);
    return ret->path.len;
}

bool record_get_message(struct slice payload, struct arena *arena, struct record_message *ret)
{
    json_t *json = json_loadb(payload.ptr, payload.len, 0, NULL);
    json_int_t zone = json_integer_value(json_object_get(json, "zone"));
    *ret = (struct record_message){.name = text(json, "name", arena),
                                   .id = text(json, "id", arena),
                                   .uid = (uint32_t)number(json, "uid", UINT32_MAX),
                                   .order = (uint32_t)number(json, "order", UINT32_MAX),
                                   .flags = (uint8_t)number(json, "flags", UINT8_MAX),
                                   .zone = zone >= -64 && zone <= 64 ? (int8_t)zone : 0,
                                   .recent = number(json, "recent", 1),
                                   .date = (uint32_t)number(json, "date", UINT32_MAX),
                                   .size = number(json, "size", INT64_MAX),
                                   .uidl = text(json, "uidl", arena),
                                   .guid = text(json, "guid", arena)};
    size_t i;
    json_t *value;
    json_array_foreach(json_object_get(json, "keywords"), i, value)
    {
        struct slice keyword = text_of(value, arena);
        if (keyword.len && ret->nkeywords < RECORD_KEYWORDS_MAX)
            ret->keywords[ret->nkeywords++] = keyword;
    }
    json_decref(json);
    return ret->id.len;
}
