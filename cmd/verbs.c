/* The table of verbs: one block each, sorted by name. */
#include <string.h>

#include "cmd/mail/files.h"
#include "cmd/verb.h"
#include "cmd/when.h"

/* One block a verb, so that two can be added side by side. */
/* clang-format off */

#define PASSWORD_STDIN {"--password-stdin", NULL, "read the password from standard input"}
#define SCHEME {"--scheme", "S", "how it is kept; [auth] scheme by default"}
#define ABOUT_SCHEMES \
    "S is yescrypt, argon2id, scram-sha-256, scram-sha-1, bcrypt, sha512-crypt,\n" \
    "ssha512 or ssha256."
#define ABOUT_UIDS "UIDS is a set such as 1:5,9,12:* (* is the last one) or all."

#define ABOUT_IMPORT \
    "Messages that are here already are left out, so a second run goes on where the\n" \
    "first ended; nobody else may change the files meanwhile. Exit status 3: a part was\n" \
    "left out, and said.\n"
#define ABOUT_EXPORT \
    "DIR is made, or completed where an earlier run broke off.\n"
#define EXPORT_MAILBOX {"--mailbox", "M", "only this one"}
#define IMPORT_MAILBOX {"--mailbox", "M", "put all of it below this mailbox"}
#define DRY_RUN {"--dry-run", NULL, "only say what would be imported"}

const struct verb verbs[] = {
    {
        .name = "account export",
        .arguments = "NAME FILE",
        .help = "write an account with all that is its own to FILE, as of now",
        .about = "Mail, flags, UIDs, UIDLs, subscriptions, settings, credentials, the undelete window\n"
              "and the journal. \"-\" is standard output.",
        .to_file = true,
        .down = DOWN_READS,
        .run = verb_account_export,
    },
    {
        .name = "account import",
        .arguments = "FILE",
        .help = "make an account of such a file",
        .about = "All of it, or nothing. UIDs and UIDLs are those that it had; none that it may have\n"
              "given since is given again. \"-\" is standard input.",
        .options = {{"--as", "NAME", "under this name"}},
        .input = VERB_FILE,
        .down = DOWN_WRITES,
        .run = verb_account_import,
    },
    {
        .name = "alias delete",
        .arguments = "ADDRESS",
        .help = "deliver it no longer",
        .down = DOWN_WRITES,
        .run = verb_alias_delete,
    },
    {
        .name = "alias list",
        .help = "list aliases and where they lead",
        .down = DOWN_READS,
        .run = verb_alias_list,
    },
    {
        .name = "alias set",
        .arguments = "ADDRESS [ACCOUNT...]",
        .help = "deliver ADDRESS (@DOMAIN: all else there) to ACCOUNTs",
        .about = "Without an ACCOUNT the alias is deleted.",
        .down = DOWN_WRITES,
        .run = verb_alias_set,
    },
    {
        .name = "backup",
        .arguments = "FILE",
        .help = "write the whole store to FILE as of now, while it serves",
        .about = "FILE appears when it is whole; \"-\" is standard output. [backup] rate bounds its\n"
                 "speed. Meanwhile the store's files grow by what is written.",
        .to_file = true,
        .down = DOWN_WRITES,
        .run = verb_backup,
    },
    {
        .name = "check",
        .help = "prove the rules between all rows of the store",
        .options = {{"--bodies", NULL, "also the checksum of every octet of mail"}},
        .down = DOWN_READS,
        .run = verb_check,
    },
    {
        .name = "config show",
        .arguments = "[SECTION|KEY]",
        .help = "print every key, its value and who says so",
        .about = "The daemon's configuration, if one runs. With --user, what holds for an account:\n"
                 "its own settings, its domain's, the file's, the defaults, in this order.",
        .options = {{"--user", "NAME", "as it holds for this account"}},
        .down = DOWN_LOOKS,
        .run = verb_config_show,
    },
    {
        .name = "copy",
        .arguments = "NAME MAILBOX UIDS TO-MAILBOX",
        .help = "copy messages into another mailbox of the account",
        .about = ABOUT_UIDS,
        .down = DOWN_WRITES,
        .run = verb_copy,
    },
    {
        .name = "deliver",
        .arguments = "[FILE...]",
        .help = "put messages into a mailbox",
        .about = "One message for each FILE, or standard input. Exit status: 0, 64 wrong use,\n"
                 "67 no such account, 75 try again, 77 refused.",
        .needs = "--user",
        .options = {{"--user", "NAME", "whose mailbox"},
                    {"--mailbox", "M", "which one; INBOX by default"}},
        .input = VERB_MESSAGES,
        .down = DOWN_WRITES,
        .run = verb_deliver,
    },
    {
        .name = "domain add",
        .arguments = "DOMAIN",
        .help = "let accounts have this domain",
        .down = DOWN_WRITES,
        .run = verb_domain_add,
    },
    {
        .name = "domain delete",
        .arguments = "DOMAIN",
        .help = "take a domain away that has no accounts and no aliases",
        .down = DOWN_WRITES,
        .run = verb_domain_delete,
    },
    {
        .name = "domain list",
        .help = "list domains, and how many accounts they have",
        .down = DOWN_READS,
        .run = verb_domain_list,
    },
    {
        .name = "domain set",
        .arguments = "DOMAIN KEY=VALUE...",
        .help = "override settings for all accounts of a domain",
        .about = "For example store.quota=2G. What an account has of its own wins.",
        .down = DOWN_WRITES,
        .run = verb_domain_set,
    },
    {
        .name = "domain show",
        .arguments = "DOMAIN",
        .help = "print the settings of a domain",
        .down = DOWN_READS,
        .run = verb_domain_show,
    },
    {
        .name = "domain unset",
        .arguments = "DOMAIN KEY...",
        .help = "take such settings back",
        .down = DOWN_WRITES,
        .run = verb_domain_unset,
    },
    {
        .name = "expire",
        .arguments = "[NAME]",
        .help = "do now what timers do: expiry, and trimming of window and journal",
        .about = "For one account, or for all. Mail that [store] autoexpunge and [pop3] expire name\n"
                 "goes into the undelete window; what lies there too long, and old lines of the\n"
                 "journal, go for good. The clock of this machine is trusted, also when it has\n"
                 "jumped: then the timers wait for an hour.",
        .needs = "--now",
        .options = {{"--now", NULL, "yes, at once"}},
        .down = DOWN_WRITES,
        .run = verb_expire,
    },
    {
        .name = "export maildir",
        .arguments = "NAME DIR",
        .help = "write the mail of an account as a Maildir, as Dovecot keeps it",
        .about = ABOUT_EXPORT
            "Flags, keywords, dates, UIDs, POP3 UIDLs and order, and subscriptions go along.",
        .options = {EXPORT_MAILBOX},
        .input = VERB_WRITER,
        .down = DOWN_READS,
        .run = verb_export_mail,
        .writer = maildir_write,
    },
    {
        .name = "export mbox",
        .arguments = "NAME DIR",
        .help = "write the mail of an account as mbox files, one for each mailbox",
        .about = ABOUT_EXPORT
            "Flags, keywords and UIDs stand in Status, X-Status, X-Keywords and X-UID.",
        .options = {EXPORT_MAILBOX},
        .input = VERB_WRITER,
        .down = DOWN_READS,
        .run = verb_export_mail,
        .writer = mbox_write,
    },
    {
        .name = "expunge",
        .arguments = "NAME MAILBOX UIDS",
        .help = "take messages out of a mailbox",
        .about = ABOUT_UIDS,
        .down = DOWN_WRITES,
        .run = verb_expunge,
    },
    {
        .name = "fetch",
        .arguments = "NAME MAILBOX UIDS [FIELD...]",
        .help = "print messages",
        .about = ABOUT_UIDS "\n"
                 "FIELDs are uid, flags, size, date (of arrival), saved (into this mailbox),\n"
                 "modseq, sent, from, to, cc, reply-to, subject, message-id, in-reply-to; or alone:\n"
                 "header, body (the whole message), printed as they are, also with --json.\n"
                 "\\Seen is not set.",
        .down = DOWN_READS,
        .run = verb_fetch,
    },
    {
        .name = "flags",
        .arguments = "NAME MAILBOX UIDS +FLAG|-FLAG|=FLAG...",
        .help = "set flags and keywords of messages, or take them away",
        .about = ABOUT_UIDS "\n"
                 "FLAG is Seen, Answered, Flagged, Deleted, Draft (a backslash before it may be\n"
                 "left out) or a keyword. =FLAG takes all others away, = alone all.",
        .down = DOWN_WRITES,
        .run = verb_flags,
    },
    {
        .name = "import maildir",
        .arguments = "NAME DIR",
        .help = "take in the mail of a Maildir, with what its clients remember",
        .about = ABOUT_IMPORT
            "Folders are Maildir++ or LAYOUT=fs; flags, keywords, UIDs, POP3 UIDLs and order,\n"
            "dates and subscriptions are those of Dovecot's and Courier's files.",
        .options = {IMPORT_MAILBOX, DRY_RUN},
        .input = VERB_READER,
        .down = DOWN_WRITES,
        .run = verb_import_mail,
        .reader = maildir_read,
    },
    {
        .name = "import mbox",
        .arguments = "NAME FILE|DIR",
        .help = "take in the mail of one mbox, or of a folder of them",
        .about = ABOUT_IMPORT
            "A FILE goes into INBOX, or M; in a DIR each file is the mailbox of its name.\n"
            "Flags, keywords and UIDs are those of Status, X-Status, X-Keywords and X-UID.",
        .options = {IMPORT_MAILBOX, DRY_RUN},
        .input = VERB_READER,
        .down = DOWN_WRITES,
        .run = verb_import_mail,
        .reader = mbox_read,
    },
    {
        .name = "journal",
        .arguments = "NAME",
        .help = "print what happened to the mail of an account, and by whom",
        .about = "Oldest first; [store] log_days and log_rows say how much is kept.",
        .options = {{"--since", "TIME", "only from then on: " WHEN_HELP},
                    {"--limit", "N", "only the newest N lines"}},
        .down = DOWN_READS,
        .run = verb_journal,
    },
    {
        .name = "kick",
        .arguments = "[NAME]",
        .help = "end the sessions of an account, or one",
        .about = "'tandem who' lists them. It may log in again at once; 'tandem user disable' keeps\n"
                 "it out.",
        .options = {{"--session", "ID", "only this one"}},
        .down = DOWN_REFUSES,
        .run = verb_kick,
    },
    {
        .name = "mailbox create",
        .arguments = "NAME MAILBOX...",
        .help = "make mailboxes, missing parents included",
        .options = {{"--use", "U", "sent, drafts, trash, junk, archive, all or flagged"}},
        .down = DOWN_WRITES,
        .run = verb_mailbox_create,
    },
    {
        .name = "mailbox delete",
        .arguments = "NAME MAILBOX...",
        .help = "delete mailboxes with the mail in them",
        .down = DOWN_WRITES,
        .run = verb_mailbox_delete,
    },
    {
        .name = "mailbox list",
        .arguments = "NAME",
        .help = "list the mailboxes of an account",
        .down = DOWN_READS,
        .run = verb_mailbox_list,
    },
    {
        .name = "mailbox rename",
        .arguments = "NAME MAILBOX NEW",
        .help = "rename a mailbox and those below it",
        .about = "Of INBOX the messages are moved; it stays itself.",
        .down = DOWN_WRITES,
        .run = verb_mailbox_rename,
    },
    {
        .name = "mailbox status",
        .arguments = "NAME [MAILBOX...]",
        .help = "what mailboxes hold and where they are; without MAILBOX, all",
        .down = DOWN_READS,
        .run = verb_mailbox_status,
    },
    {
        .name = "mailbox subscribe",
        .arguments = "NAME MAILBOX...",
        .help = "show mailboxes in mail programs",
        .down = DOWN_WRITES,
        .run = verb_mailbox_subscribe,
    },
    {
        .name = "mailbox unsubscribe",
        .arguments = "NAME MAILBOX...",
        .help = "show them no longer",
        .down = DOWN_WRITES,
        .run = verb_mailbox_unsubscribe,
    },
    {
        .name = "move",
        .arguments = "NAME MAILBOX UIDS TO-MAILBOX",
        .help = "move messages into another mailbox of the account",
        .about = ABOUT_UIDS,
        .down = DOWN_WRITES,
        .run = verb_move,
    },
    {
        .name = "pop3 preview",
        .arguments = "NAME",
        .help = "what the next POP3 login will be shown, and which rule hides the rest",
        .about = "HIDDEN_BY is the key of [pop3] that hides a message. for-good: a client has\n"
                 "downloaded it before, or deleted it with delete = hide.",
        .options = {{"--folder", "F", "of a login as NAME+F"},
                    {"--recent", NULL, "of a login as recent:NAME"}},
        .down = DOWN_READS,
        .run = verb_pop3_preview,
    },
    {
        .name = "quota",
        .arguments = "[NAME...]",
        .help = "print what accounts hold, what they may, and what could be undeleted",
        .about = "Without NAME, of all. 'tandem user set NAME store.quota=2G' sets it; what can be\n"
                 "undeleted does not count.",
        .down = DOWN_READS,
        .run = verb_quota,
    },
    {
        .name = "quota recalc",
        .arguments = "NAME...",
        .help = "count what accounts hold anew, and mend it if it was wrong",
        .down = DOWN_WRITES,
        .run = verb_quota_recalc,
    },
    {
        .name = "reload",
        .help = "have the daemon read configuration and certificates anew",
        .about = "All of it is taken, and each value that has changed is told; or every mistake is\n"
                 "told, and nothing has changed. Connections stay. SIGHUP does the same.",
        .down = DOWN_REFUSES,
        .run = verb_reload,
    },
    {
        .name = "restore",
        .arguments = "FILE",
        .help = "put a backup in the place of the store; no daemon may run",
        .about = "FILE is checked first: all of it is put in place, or nothing has changed. No UID\n"
                 "that was given after the backup is given again. \"-\" is standard input.",
        .options = {{"--replace", NULL, "lose the store that is there"},
                    {"--shard", "N", "only this shard of the backup"}},
        .input = VERB_FILE,
        .down = DOWN_ALONE,
        .run = verb_restore,
    },
    {
        .name = "search",
        .arguments = "NAME WORD...",
        .help = "find messages of an account",
        .about = "WORDs: all; seen, answered, flagged, deleted, draft, and unseen and so on;\n"
                 "keyword K, unkeyword K; from, to, cc, bcc, subject, body, text T; header FIELD T;\n"
                 "before, on, since DATE (of arrival), sentbefore, senton, sentsince DATE, such as\n"
                 "2025-02-28; older, younger AGE such as 30d; larger, smaller SIZE such as 500k;\n"
                 "uid UIDS. All of them must hold; 'or', 'not', '(' and ')' are words of their own.\n"
                 "A message has T if its decoded text has, upper case or lower.",
        .options = {{"--mailbox", "M", "only in this one"},
                    {"--uids", NULL, "a line for each mailbox, with a set of UIDs"}},
        .down = DOWN_READS,
        .run = verb_search,
    },
    {
        .name = "stats",
        .help = "print counters and measures",
        .options = {{"--openmetrics", NULL, "in the text format of OpenMetrics"}},
        .down = DOWN_REFUSES,
        .run = verb_stats,
    },
    {
        .name = "undelete",
        .arguments = "NAME",
        .help = "bring back what was expunged, and mailboxes that were deleted",
        .about = "All that [store] undelete keeps, or what the options choose of it. A message goes\n"
                 "to the mailbox that it was in, or to INBOX. Look first with --dry-run.",
        .options = {{"--since", "TIME", "lost since then: " WHEN_HELP},
                    {"--by", "WHO", "lost by pop3, imap or expiry"},
                    {"--mailbox", "M", "lost in this mailbox, or with it"},
                    {"--message-id", "ID", "only messages with this Message-ID"},
                    {"--dry-run", NULL, "list what would come back, and do nothing"}},
        .down = DOWN_WRITES,
        .run = verb_undelete,
    },
    {
        .name = "user add",
        .arguments = "NAME",
        .help = "make an account",
        .about = "The password is asked for, or is the first line of standard input.\n" ABOUT_SCHEMES,
        .options = {PASSWORD_STDIN, SCHEME},
        .input = VERB_PASSWORD,
        .down = DOWN_WRITES,
        .run = verb_user_add,
    },
    {
        .name = "user delete",
        .arguments = "NAME",
        .help = "delete an account and its mail; its sessions end",
        .down = DOWN_WRITES,
        .run = verb_user_delete,
    },
    {
        .name = "user disable",
        .arguments = "NAME",
        .help = "refuse logins and mail; its sessions end",
        .down = DOWN_WRITES,
        .run = verb_user_disable,
    },
    {
        .name = "user enable",
        .arguments = "NAME",
        .help = "take them again",
        .down = DOWN_WRITES,
        .run = verb_user_enable,
    },
    {
        .name = "user import",
        .arguments = "FILE",
        .help = "make an account of each line NAME:PASSWORD or NAME:{SCHEME}VERIFIER",
        .about = "A verifier is taken as Dovecot writes it; further fields of a passwd-file are\n"
                 "passed over. Lines that could not be taken are listed.",
        .options = {SCHEME},
        .input = VERB_FILE,
        .down = DOWN_WRITES,
        .run = verb_user_import,
    },
    {
        .name = "user list",
        .help = "list accounts, with what their mail takes",
        .down = DOWN_READS,
        .run = verb_user_list,
    },
    {
        .name = "user passwd",
        .arguments = "NAME",
        .help = "change a password",
        .about = ABOUT_SCHEMES,
        .options = {PASSWORD_STDIN,
                    SCHEME,
                    {"--apop", NULL, "the password for APOP, kept as it is"}},
        .input = VERB_PASSWORD,
        .down = DOWN_WRITES,
        .run = verb_user_passwd,
    },
    {
        .name = "user repair",
        .arguments = "NAME...",
        .help = "make the mailboxes of accounts anew that a restored shard does not have",
        .about = "For accounts that are newer than the backup their shard was put back from: 'tandem\n"
                 "check' names them. They are empty then, log in with their passwords, and get mail.",
        .down = DOWN_WRITES,
        .run = verb_user_repair,
    },
    {
        .name = "user set",
        .arguments = "NAME KEY=VALUE...",
        .help = "override settings for an account",
        .about = "For example pop3.hide_seen=yes or store.quota=2G; 'user show' lists them.",
        .down = DOWN_WRITES,
        .run = verb_user_set,
    },
    {
        .name = "user show",
        .arguments = "NAME",
        .help = "print what is known of an account",
        .down = DOWN_READS,
        .run = verb_user_show,
    },
    {
        .name = "user unset",
        .arguments = "NAME KEY...",
        .help = "take such settings back",
        .down = DOWN_WRITES,
        .run = verb_user_unset,
    },
    {
        .name = "who",
        .arguments = "[NAME]",
        .help = "list who is logged in, and since when nothing was asked",
        .down = DOWN_REFUSES,
        .run = verb_who,
    },
    {
        .name = "why",
        .arguments = "NAME [UID]",
        .help = "tell what became of a message: who did what, when, from where",
        .about = "By its UID in a mailbox, or by its Message-ID. It is followed from mailbox to\n"
                 "mailbox, also after it has gone.",
        .options = {{"--mailbox", "M", "where it has that UID, or had; INBOX by default"},
                    {"--message-id", "ID", "in whatever mailbox it is"}},
        .down = DOWN_READS,
        .run = verb_why,
    },
    {0},
};

const struct verb *verb_find(const char *name)
{
    for (const struct verb *verb = verbs; verb->name; verb++)
        if (strcmp(verb->name, name) == 0)
            return verb;
    return NULL;
}

const struct verb_opt *verb_find_option(const struct verb *verb, const char *name)
{
    for (const struct verb_opt *o = verb->options; o->name; o++)
        if (strcmp(o->name, name) == 0)
            return o;
    return NULL;
}
