/* What a verb says, as messages:
 *
 *   {"columns": [["login", "text"], ...], "record": false}   before the first row
 *   {"row": ["alice@example.org", ...]}                      values in the order of the columns
 *   {"say": "..."}  {"complain": "..."}  {"progress": n, "total": n} */
#include <assert.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "cmd/frame.h"
#include "cmd/setup.h"
#include "cmd/verb.h"
#include "core/base/clock.h"

enum { PROGRESS_MS = 100 };

const char *const column_type_names[COLUMN_TYPES] = {
    [COLUMN_TEXT] = "text",     [COLUMN_NUMBER] = "number", [COLUMN_REAL] = "real",
    [COLUMN_OCTETS] = "octets", [COLUMN_TIME] = "time",     [COLUMN_SECONDS] = "seconds",
    [COLUMN_YESNO] = "yesno",   [COLUMN_LIST] = "list"};

/* --- rows ------------------------------------------------------------------------------------- */

static void columns(struct verb_call *call, const struct column *columns, bool record)
{
    json_t *list = json_array();
    call->columns = columns;
    for (const struct column *column = columns; column->name; column++)
        json_array_append_new(list,
                              json_pack("[s, s]", column->name, column_type_names[column->type]));
    call->io->emit(call->io, json_pack("{s:o, s:b}", "columns", list, "record", record));
}

void verb_columns(struct verb_call *call, const struct column *c)
{
    columns(call, c, false);
}

void verb_record(struct verb_call *call, const struct column *c)
{
    columns(call, c, true);
}

/* RFC 3339 section 5.6 */
static json_t *time_value(uint64_t seconds)
{
    char text[sizeof "2026-11-22T07:00:00Z"];
    time_t t = (time_t)seconds;
    struct tm tm;
    if (!gmtime_r(&t, &tm) || !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm))
        return json_null();
    return json_string(text);
}

static json_t *list_value(const struct slice *items, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, frame_slice(items[i]));
    return list;
}

static json_t *value(const struct cell *cell)
{
    if (cell->none)
        return json_null();
    switch (cell->type) {
    case COLUMN_TEXT:
        return frame_slice(cell->as.text);
    case COLUMN_NUMBER:
    case COLUMN_OCTETS:
    case COLUMN_SECONDS:
        return json_integer((json_int_t)cell->as.number);
    case COLUMN_REAL:
        return json_real(cell->as.real);
    case COLUMN_TIME:
        return time_value(cell->as.number);
    case COLUMN_YESNO:
        return json_boolean(cell->as.number);
    case COLUMN_LIST:
        return list_value(cell->as.list.items, cell->as.list.n);
    case COLUMN_TYPES:
        break;
    }
    return json_null();
}

void verb_cells(struct verb_call *call, const struct cell *cells, size_t n)
{
    json_t *row = json_array();
    assert(call->columns);
    for (size_t i = 0; i < n; i++) {
        assert(call->columns[i].name && call->columns[i].type == cells[i].type);
        json_array_append_new(row, value(&cells[i]));
    }
    assert(!call->columns[n].name);
    call->io->emit(call->io, json_pack("{s:o}", "row", row));
}

/* --- lines ------------------------------------------------------------------------------------ */

static void line(struct verb_call *call, const char *what, const char *format, va_list ap)
    PRINTF_LIKE(3, 0);

static void line(struct verb_call *call, const char *what, const char *format, va_list ap)
{
    char text[4096];
    vsnprintf(text, sizeof text, format, ap);
    call->io->emit(call->io, json_pack("{s:o}", what, frame_string(text)));
}

void verb_say(struct verb_call *call, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    line(call, "say", format, ap);
    va_end(ap);
}

int verb_complain(struct verb_call *call, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    line(call, "complain", format, ap);
    va_end(ap);
    return EXIT_FAILED;
}

void verb_data(struct verb_call *call, struct slice octets)
{
    call->io->data(call->io, octets);
}

void verb_progress(struct verb_call *call, uint64_t done, uint64_t total)
{
    uint64_t now = clock_mono_ms();
    if (done != total && call->progress_ms && now < call->progress_ms + PROGRESS_MS)
        return;
    call->progress_ms = now;
    call->io->emit(call->io, json_pack("{s:I, s:I}", "progress", (json_int_t)done, "total",
                                       (json_int_t)total));
}

bool verb_gone(struct verb_call *call)
{
    return call->io->gone(call->io);
}
