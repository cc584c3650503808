#include "imap/recover.h"

#include <string.h>

enum { PATH_MAX_OCTETS = 480 };

static const struct slice root = {"Recoverable", 11};

bool recover_shown(const struct session *s)
{
    return s->auth->settings.imap.undelete_tree;
}

bool recover_path(struct session *s, struct slice name, struct slice *ret)
{
    return recover_shown(s) && name.len > root.len + 1 && name.ptr[root.len] == '/' &&
           slice_ieq(slice_first(name, root.len), root) &&
           store_path_check(slice_from(name, root.len + 1), &s->arena, ret) == ERR_OK;
}

struct renaming {
    store_mailbox_each *each;
    void *arg;
    bool any;
};

/* The root is told with the first mailbox below it: an empty tree is not shown. A name too long to
 * be one of ours is left to the admin tool. */
static bool rename_one(void *arg, const struct store_mailbox *mailbox)
{
    struct renaming *r = arg;
    char path[PATH_MAX_OCTETS];
    const struct store_mailbox top = {.path = root, .flags = MAILBOX_NOSELECT | MAILBOX_CHILDREN};
    struct store_mailbox renamed = *mailbox;
    size_t len = root.len + 1 + mailbox->path.len;
    if (len > sizeof path)
        return true;
    memcpy(path, root.ptr, root.len);
    path[root.len] = '/';
    memcpy(path + root.len + 1, mailbox->path.ptr, mailbox->path.len);
    renamed.path = slice(path, len);
    if (!r->any && !r->each(r->arg, &top))
        return false;
    r->any = true;
    return r->each(r->arg, &renamed);
}

void recover_list(const struct store_lost_tree *tree, store_mailbox_each *each, void *arg)
{
    struct renaming renaming = {.each = each, .arg = arg};
    store_lost_list(tree, rename_one, &renaming);
}
