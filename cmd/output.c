#include "cmd/output.h"

#include <errno.h>
#include <inttypes.h>
#include <libsmartcols/libsmartcols.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/setup.h"
#include "core/base/mem.h"

enum {
    COLUMNS_MAX = 64,
    LINES_MAX = 1000, /* of a piece of a table */
    BAR_WIDTH = 40
};

struct output {
    struct output_conf conf;
    FILE *data;      /* where octets go; NULL: as the rest */
    json_t *columns; /* as declared last: [[name, type], ...]; NULL: none yet */
    bool record;
    enum column_type types[COLUMNS_MAX];
    size_t ncolumns;
    struct libscols_table *table;
    size_t lines; /* held back in `table` */
    bool header;  /* still to be printed */
    enum { NOTHING, ARRAY, OTHER } printed;
    bool bar; /* stands on the terminal */
};

struct output *output_new(const struct output_conf *conf)
{
    struct output *output = mem_new(sizeof *output);
    output->conf = *conf;
    return output;
}

/* --- values as text --------------------------------------------------------------------------- */

static void octets_text(uint64_t n, char *to, size_t cap)
{
    static const char units[] = "KMGTPE";
    double size = (double)n;
    int unit = -1;
    while (size >= 1024 && units[unit + 1]) {
        size /= 1024;
        unit++;
    }
    if (unit < 0)
        snprintf(to, cap, "%" PRIu64, n);
    else
        snprintf(to, cap, "%.1f%c", size, units[unit]);
}

/* The two largest units: more says nothing to a reader. */
static void seconds_text(uint64_t n, char *to, size_t cap)
{
    if (n < 60)
        snprintf(to, cap, "%" PRIu64 "s", n);
    else if (n < 3600)
        snprintf(to, cap, "%" PRIu64 "m %02" PRIu64 "s", n / 60, n % 60);
    else if (n < 86400)
        snprintf(to, cap, "%" PRIu64 "h %02" PRIu64 "m", n / 3600, n / 60 % 60);
    else
        snprintf(to, cap, "%" PRIu64 "d %02" PRIu64 "h", n / 86400, n / 3600 % 24);
}

static const char *list_text(const json_t *list, char **ret_heap)
{
    size_t i, len = 1;
    const json_t *item;
    json_array_foreach(list, i, item) len += json_string_length(item) + 2;
    char *text = mem_new(len), *at = text;
    json_array_foreach(list, i, item) at =
        stpcpy(stpcpy(at, i ? ", " : ""), json_string_value(item));
    *ret_heap = text;
    return i ? text : "-";
}

/* Into `room`, or lent from the value, or on the heap. */
static const char *text_of(enum column_type type, const json_t *value, char room[64],
                           char **ret_heap)
{
    *ret_heap = NULL;
    if (json_is_null(value))
        return "-";
    switch (type) {
    case COLUMN_NUMBER:
        snprintf(room, 64, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return room;
    case COLUMN_REAL:
        snprintf(room, 64, "%.9g", json_real_value(value));
        return room;
    case COLUMN_OCTETS:
        octets_text((uint64_t)json_integer_value(value), room, 64);
        return room;
    case COLUMN_SECONDS:
        seconds_text((uint64_t)json_integer_value(value), room, 64);
        return room;
    case COLUMN_YESNO:
        return json_is_true(value) ? "yes" : "no";
    case COLUMN_LIST:
        return list_text(value, ret_heap);
    case COLUMN_TEXT:
    case COLUMN_TIME:
    case COLUMN_TYPES:
        break;
    }
    const char *text = json_string_value(value);
    return text && *text ? text : "-";
}

/* What is printed outside a table: nothing in it may speak to the terminal. */
static void print_line(FILE *to, const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at; at++)
        if (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0)
            fputc(*++at ? '?' : 0, to); /* C1, as UTF-8 */
        else
            fputc((*at < 0x20 && *at != '\t') || *at == 0x7f ? '?' : *at, to);
    fputc('\n', to);
}

/* --- tables ----------------------------------------------------------------------------------- */

static void set_text(struct libscols_line *line, size_t column, const char *text)
{
    if (!line || scols_line_set_data(line, column, text))
        abort();
}

/* The next piece is as wide as this one. */
static void keep_widths(struct libscols_table *table)
{
    for (size_t i = 0; i < scols_table_get_ncols(table); i++) {
        struct libscols_column *column = scols_table_get_column(table, i);
        scols_column_set_whint(column, (double)scols_column_get_width(column));
    }
    scols_table_remove_lines(table);
}

static void flush_table(struct output *output)
{
    if (output->lines == 0)
        return;
    scols_table_enable_noheadings(output->table, !output->header);
    scols_print_table(output->table);
    /* libsmartcols leaves the line end of what it prints to others. */
    keep_widths(output->table);
    output->header = false;
    output->lines = 0;
    output->printed = OTHER;
}

/* "last_login" */
static void header_of(const char *name, bool record, char *to, size_t cap)
{
    size_t i = 0;
    for (; name[i] && i + 1 < cap; i++)
        to[i] = name[i] == '_' ? ' ' : record ? name[i] : ascii_upper(name[i]);
    to[i] = '\0';
}

static struct libscols_table *table_new(void)
{
    struct libscols_table *table = scols_new_table();
    if (!table)
        abort();
    scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER); /* nothing is cut to a width */
    scols_table_set_column_separator(table, "  ");
    return table;
}

static void table_begin(struct output *output)
{
    output->table = table_new();
    scols_table_set_stream(output->table, output->conf.to);
    for (size_t i = 0; i < output->ncolumns; i++) {
        char header[64];
        enum column_type type = output->types[i];
        bool right = type == COLUMN_NUMBER || type == COLUMN_REAL || type == COLUMN_OCTETS ||
                     type == COLUMN_SECONDS;
        header_of(json_string_value(json_array_get(json_array_get(output->columns, i), 0)), false,
                  header, sizeof header);
        if (!scols_table_new_column(output->table, header, 0, right ? SCOLS_FL_RIGHT : 0))
            abort();
    }
    output->header = !output->conf.no_header;
}

static void table_row(struct output *output, const json_t *row)
{
    struct libscols_line *line = scols_table_new_line(output->table, NULL);
    for (size_t i = 0; i < output->ncolumns; i++) {
        char room[64], *heap;
        set_text(line, i, text_of(output->types[i], json_array_get(row, i), room, &heap));
        mem_free(heap);
    }
    if (++output->lines == LINES_MAX)
        flush_table(output);
}

/* A line for each value; of a list, for each item. */
static void record_row(struct output *output, const json_t *row)
{
    struct libscols_table *table = table_new();
    scols_table_set_stream(table, output->conf.to);
    scols_table_enable_noheadings(table, 1);
    if (!scols_table_new_column(table, "name", 0, 0) ||
        !scols_table_new_column(table, "value", 0, 0))
        abort();
    for (size_t i = 0; i < output->ncolumns; i++) {
        const json_t *value = json_array_get(row, i);
        bool list = output->types[i] == COLUMN_LIST && json_array_size(value);
        char room[64], name[64], *heap;
        header_of(json_string_value(json_array_get(json_array_get(output->columns, i), 0)), true,
                  name, sizeof name);
        for (size_t k = 0; k < (list ? json_array_size(value) : 1); k++) {
            struct libscols_line *line = scols_table_new_line(table, NULL);
            set_text(line, 0, k ? "" : name);
            set_text(line, 1,
                     list ? text_of(COLUMN_TEXT, json_array_get(value, k), room, &heap)
                          : text_of(output->types[i], value, room, &heap));
            mem_free(heap);
        }
    }
    scols_print_table(table);
    scols_unref_table(table);
    output->printed = OTHER;
}

static void table_end(struct output *output)
{
    if (!output->table)
        return;
    flush_table(output);
    scols_unref_table(output->table);
    output->table = NULL;
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void json_row(struct output *output, const json_t *row)
{
    json_t *object = json_object();
    for (size_t i = 0; i < output->ncolumns; i++)
        json_object_set(object,
                        json_string_value(json_array_get(json_array_get(output->columns, i), 0)),
                        json_array_get(row, i));
    if (!output->record)
        fputs(output->printed == ARRAY ? ",\n" : "[\n", output->conf.to);
    json_dumpf(object, output->conf.to, JSON_COMPACT);
    if (output->record)
        fputc('\n', output->conf.to);
    output->printed = output->record ? OTHER : ARRAY;
    json_decref(object);
}

/* --- messages --------------------------------------------------------------------------------- */

static enum column_type type_named(const char *name)
{
    for (int i = 0; name && i < COLUMN_TYPES; i++)
        if (strcmp(column_type_names[i], name) == 0)
            return (enum column_type)i;
    return COLUMN_TEXT;
}

/* A verb that runs once for each of several inputs goes on with the same table. */
static void take_columns(struct output *output, json_t *columns, bool record)
{
    if (output->columns && json_equal(output->columns, columns) && output->record == record)
        return;
    table_end(output);
    json_decref(output->columns);
    output->columns = json_incref(columns);
    output->record = record;
    output->ncolumns = 0;
    size_t i;
    const json_t *column;
    json_array_foreach(columns, i, column) if (output->ncolumns < COLUMNS_MAX)
        output->types[output->ncolumns++] =
        type_named(json_string_value(json_array_get(column, 1)));
    if (!output->conf.json && !record)
        table_begin(output);
}

static void take_row(struct output *output, const json_t *row)
{
    if (!output->columns)
        return;
    if (output->conf.json)
        json_row(output, row);
    else if (output->record)
        record_row(output, row);
    else
        table_row(output, row);
}

static void draw_bar(struct output *output, json_int_t done, json_int_t total)
{
    if (!output->conf.watched)
        return;
    output->bar = true;
    if (total <= 0) {
        fprintf(stderr, "\r\033[K%" JSON_INTEGER_FORMAT, done);
    } else {
        int filled = (int)((double)done / (double)total * BAR_WIDTH);
        filled = filled < 0 ? 0 : filled > BAR_WIDTH ? BAR_WIDTH : filled;
        fprintf(stderr,
                "\r\033[K[%.*s%*s] %3d %% (%" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT ")",
                filled, "########################################", BAR_WIDTH - filled, "",
                (int)((double)done / (double)total * 100), done, total);
    }
    fflush(stderr);
}

static void clear_bar(struct output *output)
{
    if (output->bar)
        fputs("\r\033[K", stderr);
    output->bar = false;
}

static void take_say(struct output *output, const char *text)
{
    if (output->conf.json) {
        print_line(stderr, text);
        return;
    }
    flush_table(output);
    print_line(output->conf.to, text);
    output->printed = OTHER;
}

static void take_complain(struct output *output, const char *text)
{
    flush_table(output); /* rows and complaints in the order of their making */
    fflush(output->conf.to);
    fprintf(stderr, "%s: ", program_invocation_short_name);
    print_line(stderr, text);
}

void output_take(struct output *output, const json_t *message)
{
    json_t *columns = json_object_get(message, "columns");
    const json_t *row = json_object_get(message, "row");
    const json_t *progress = json_object_get(message, "progress");
    const char *say = json_string_value(json_object_get(message, "say"));
    const char *complain = json_string_value(json_object_get(message, "complain"));
    if (progress) {
        draw_bar(output, json_integer_value(progress),
                 json_integer_value(json_object_get(message, "total")));
        return;
    }
    clear_bar(output);
    if (columns)
        take_columns(output, columns, json_is_true(json_object_get(message, "record")));
    if (row)
        take_row(output, row);
    if (say)
        take_say(output, say);
    if (complain)
        take_complain(output, complain);
}

void output_data(struct output *output, struct slice octets)
{
    FILE *to = output->data ? output->data : output->conf.to;
    if (to == output->conf.to) {
        clear_bar(output);
        flush_table(output);
        output->printed = OTHER;
    }
    fwrite(octets.ptr, 1, octets.len, to);
}

void output_set_data(struct output *output, FILE *to)
{
    output->data = to;
}

bool output_broken(const struct output *output)
{
    return output->data && ferror(output->data);
}

bool output_end(struct output *output)
{
    FILE *to = output->conf.to;
    clear_bar(output);
    table_end(output);
    if (output->conf.json && output->printed != OTHER)
        fputs(output->printed == ARRAY ? "\n]\n" : "[]\n", to);
    errno = 0;
    bool good = fflush(to) == 0 && !ferror(to);
    if (!good)
        setup_complain("standard output: %s", errno ? strerror(errno) : "it took not all of it");
    json_decref(output->columns);
    mem_free(output);
    return good;
}
