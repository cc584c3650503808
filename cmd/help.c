#include "cmd/help.h"

#include <stdio.h>
#include <string.h>

#include "cmd/setup.h"

enum { NAME_WIDTH = 22 };

static void print_option(const struct verb_opt *opt)
{
    printf("%s%s%s", opt->name, opt->value ? " " : "", opt->value ? opt->value : "");
}

static void print_usage(const struct verb *verb)
{
    printf("%s", verb->name);
    for (const struct verb_opt *opt = verb->options; opt->name; opt++) {
        bool needed = verb->needs && strcmp(verb->needs, opt->name) == 0;
        fputs(needed ? " " : " [", stdout);
        print_option(opt);
        fputs(needed ? "" : "]", stdout);
    }
    printf("%s%s\n", verb->arguments ? " " : "", verb->arguments ? verb->arguments : "");
}

static void print_verb(const struct verb *verb)
{
    printf("  %-*s %s\n", NAME_WIDTH, verb->name, verb->help);
}

void help_print(void)
{
    puts("Usage: tandem [-c FILE] VERB ...\n"
         "Look after the mail store, while the daemon runs or while it is down.\n\n"
         "  -c, --config FILE   configuration (/etc/tandem/tandem.ini)\n"
         "  -h, --help          print this; behind a VERB, all about it\n"
         "      --version       print the version\n"
         "      --json          tables as JSON: an array of objects\n"
         "      --no-header     tables without their first line\n");
    printf("  %-*s check configuration and certificates\n", NAME_WIDTH, "config check");
    for (const struct verb *verb = verbs; verb->name; verb++)
        print_verb(verb);
    puts("\nExit status: 0 done, 1 failed, 2 wrong use or configuration, 3 partly done.");
}

void help_verb(const struct verb *verb)
{
    fputs("Usage: tandem ", stdout);
    print_usage(verb);
    printf("\n%c%s.\n", ascii_upper(verb->help[0]), verb->help + 1);
    if (verb->about)
        printf("%s\n", verb->about);
    if (verb->options[0].name)
        puts("");
    for (const struct verb_opt *opt = verb->options; opt->name; opt++) {
        int width =
            printf("  %s%s%s", opt->name, opt->value ? " " : "", opt->value ? opt->value : "");
        printf("%*s %s\n", width < NAME_WIDTH ? NAME_WIDTH - width : 1, "", opt->help);
    }
    if (verb->down == DOWN_REFUSES)
        puts("\nOnly while the daemon runs.");
    if (verb->down == DOWN_ALONE)
        puts("\nOnly while the daemon is down.");
}

/* `user` of "user add" */
static bool belongs(const struct verb *verb, const char *word)
{
    size_t len = strlen(word);
    return strncmp(verb->name, word, len) == 0 && verb->name[len] == ' ';
}

int help_unknown(int argc, char **argv)
{
    bool group = false;
    bool asked = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
    for (const struct verb *verb = verbs; verb->name; verb++) {
        if (!belongs(verb, argv[0]))
            continue;
        group = true;
        if (asked)
            print_verb(verb);
    }
    if (group && asked)
        return EXIT_DONE;
    if (group && argc > 1)
        setup_complain("there is no verb '%s %s'; try 'tandem %s --help'", argv[0], argv[1],
                       argv[0]);
    else if (group)
        setup_complain("%s what? Try 'tandem %s --help'", argv[0], argv[0]);
    else
        setup_complain("there is no verb '%s'; try 'tandem --help'", argv[0]);
    return EXIT_USAGE;
}
