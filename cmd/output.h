/* How the tool prints what a verb emits (cmd/row.c): an aligned table or --json, from one
 * description. Memory is bounded: a table is printed in pieces, whose columns are as wide as those
 * of the piece before, or wider. */
#ifndef TANDEM_CMD_OUTPUT_H
#define TANDEM_CMD_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "cmd/verb.h"
#include "core/base/attr.h"
#include "core/base/slice.h"

struct output_conf {
    bool json;      /* --json: an array of objects, one a line; of a record, the object */
    bool no_header; /* --no-header: a table without its first line */
    FILE *to;       /* standard output */
    bool watched;   /* a terminal shows the bar of verb_progress, on standard error */
};

struct output;

/* LC_CTYPE is UTF-8 by then: widths of text come from it. */
struct output *output_new(const struct output_conf *conf);
void output_take(struct output *output, const json_t *message);
void output_data(struct output *output, struct slice octets);
/* Octets go there from now on; NULL: to standard output. */
void output_set_data(struct output *output, FILE *to);
/* What takes the octets takes no more. */
bool output_broken(const struct output *output);
/* Prints what is held back and frees. False: not all of it could be written; complained. */
MUST_CHECK bool output_end(struct output *output);

#endif
