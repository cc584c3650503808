/* What the tool says about itself, from the table of verbs. */
#ifndef TANDEM_CMD_HELP_H
#define TANDEM_CMD_HELP_H

#include "cmd/verb.h"

void help_print(void);                   /* tandem --help */
void help_verb(const struct verb *verb); /* tandem VERB --help */
/* The words are no verb: those that begin with the first of them, for `tandem user --help`, or a
 * complaint. Exit status. */
int help_unknown(int argc, char **argv);

#endif
