/* CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE: one change of the store each, then its answer. */
#include "imap/reply.h"
#include "imap/session.h"

struct change {
    bool over;
    enum err err;
};

static void changed(void *object, const struct store_result *result)
{
    struct session *s = session_of(object);
    struct change *change = s->command.progress;
    change->over = true;
    change->err = result->err;
    session_note_why(s, &result->why);
    session_resume(s);
}

static enum step outcome(struct command *c, const struct change *change)
{
    return change->err ? command_fail(c, change->err, NULL) : command_ok(c, NULL);
}

/* The path of an argument. False: the command has failed. */
static bool path_of(struct session *s, struct command *c, struct slice name, struct slice *ret)
{
    enum err e = store_path_check(name, &s->arena, ret);
    if (e)
        (void)command_fail(c, e, NULL);
    return e == ERR_OK;
}

/* RFC 3501 section 6.3.3: a delimiter at the end only says that there will be children. */
static struct slice without_delimiter(struct slice name)
{
    bool has = name.len > 1 && name.ptr[name.len - 1] == '/';
    return slice_first(name, name.len - has);
}

enum step imap_create(struct session *s, struct command *c)
{
    struct change *change = session_progress(s, sizeof *change);
    struct slice path;
    if (change->over)
        return outcome(c, change);
    if (!path_of(s, c, without_delimiter(c->args[0].text), &path))
        return STEP_DONE;
    store_mailbox_create(session_account(s), path, USE_NONE, session_to(s, changed));
    return STEP_WAIT;
}

enum step imap_delete(struct session *s, struct command *c)
{
    struct change *change = session_progress(s, sizeof *change);
    struct slice path;
    if (change->over)
        return outcome(c, change);
    if (!path_of(s, c, c->args[0].text, &path))
        return STEP_DONE;
    store_mailbox_delete(session_account(s), path, session_to(s, changed));
    return STEP_WAIT;
}

enum step imap_rename(struct session *s, struct command *c)
{
    struct change *change = session_progress(s, sizeof *change);
    struct slice from, to;
    if (change->over)
        return outcome(c, change);
    if (!path_of(s, c, c->args[0].text, &from) ||
        !path_of(s, c, without_delimiter(c->args[1].text), &to))
        return STEP_DONE;
    store_mailbox_rename(session_account(s), from, to, session_to(s, changed));
    return STEP_WAIT;
}

static enum step subscribe(struct session *s, struct command *c, bool on)
{
    struct change *change = session_progress(s, sizeof *change);
    struct slice path;
    if (change->over)
        return outcome(c, change);
    if (!path_of(s, c, c->args[0].text, &path))
        return STEP_DONE;
    store_mailbox_subscribe(session_account(s), path, on, session_to(s, changed));
    return STEP_WAIT;
}

enum step imap_subscribe(struct session *s, struct command *c)
{
    return subscribe(s, c, true);
}

enum step imap_unsubscribe(struct session *s, struct command *c)
{
    return subscribe(s, c, false);
}
