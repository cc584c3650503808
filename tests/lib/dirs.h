/* Directories of tests. A failure aborts: a test cannot go on without them. */
#ifndef TANDEM_TESTS_DIRS_H
#define TANDEM_TESTS_DIRS_H

#include <stddef.h>

void dir_make(char *to, size_t room); /* a fresh one; in memory where the machine has room there */
void dir_remove(const char *dir);     /* with all in it */
void dir_empty(const char *dir);      /* made if it is not there */
void dir_copy(const char *from, const char *to); /* `to` is emptied first */
void file_copy(const char *from, const char *to);

#endif
