/* What the readers of Maildirs and mboxes share: names of folders, and the stream that they write.
 */
#ifndef TANDEM_CMD_MAIL_TREE_H
#define TANDEM_CMD_MAIL_TREE_H

#include <sys/stat.h>
#include <sys/types.h>

#include "cmd/mail/record.h"

enum { TREE_DEPTH_MAX = 32, TREE_FOLDERS_MAX = 100000 };

struct folder {
    char *dir;          /* below the root; "" is the root itself */
    struct slice name;  /* of the mailbox, as it is on the disk */
    char separator;     /* of its components */
    struct slice path;  /* after tree_sort: UTF-8, '/' between components */
    struct slice shown; /* its spelling on the disk, if that could not be kept */
};

struct tree {
    int fd; /* the root */
    uid_t owner;
    bool utf8; /* names are UTF-8, not modified UTF-7 */
    struct folder *folders;
    size_t n, cap;
    struct arena arena; /* paths */
    int out_fd;
    struct record_out out;
};

void tree_init(struct tree *tree, int out);
void tree_finish(struct tree *tree); /* flushes */
/* A mailbox whose name is `name`, its components between `separator`. One octet that is not ASCII,
 * and all names are UTF-8. */
void tree_add(struct tree *tree, const char *dir, struct slice name, char separator);
/* All are known, and so is whether names are UTF-8. INBOX first, then by path. */
void tree_sort(struct tree *tree);
/* `name` as UTF-8, in the tree's arena: from modified UTF-7, if it is that and the tree is not
 * UTF-8. What is neither becomes '_'; *ret_same is cleared then. */
struct slice tree_name(struct tree *tree, struct slice name, char separator, bool *ret_same);
/* As openat, but not through links nor out of `at`: root may be reading what a user has laid out.
 */
int tree_open_below(int at, const char *name, int flags);
/* Opens a file below `at` for reading: a file of its own, not a link, pipe or device. -1:
 * complained, as "SHOWN: why". */
int tree_open(struct tree *tree, int at, const char *name, const char *shown, struct stat *ret);
/* All of a file, with a NUL behind it; the caller's. NULL: errno says why. Closes `fd`. */
char *tree_text(int fd, size_t max, size_t *ret_len);
/* A file of subscriptions: names, a line each, with this separator and, some of them, this prefix;
 * or, after "V<TAB>2" and a blank line, with TABs between components. Closes `fd`. */
void tree_send_subscribed(struct tree *tree, int fd, char separator, struct slice prefix);
/* Of a time, in 15 minutes: the zone that holds here. */
int8_t tree_zone(uint32_t at);

#endif
