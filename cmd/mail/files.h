/* Readers and writers of other programs' mail files (cmd/mail/record.h says what flows). Each runs
 * in a process of its own, as whoever called the tool; `path` is what the caller named. */
#ifndef TANDEM_CMD_MAIL_FILES_H
#define TANDEM_CMD_MAIL_FILES_H

#include <stdbool.h>

/* Read a Maildir with its folders, or one mbox or a folder of them: records to `fd`. What cannot be
 * read is a complaint in the stream. */
void maildir_read(const char *path, int fd);
void mbox_read(const char *path, int fd);

/* Write such files from the records of `fd`. False: complained; what is written stays, and a second
 * run goes on from there. */
bool maildir_write(const char *path, int fd);
bool mbox_write(const char *path, int fd);

#endif
