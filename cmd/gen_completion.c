/* Writes what shells complete behind `tandem`, from the tables of verbs and of keys, at build time:
 * gen_completion bash|zsh. Both do the same: verbs by word, the verb's options, schemes, keys that
 * can be overridden, files. zsh takes what is written for bash, by its own bashcompinit. */
#include <stdio.h>
#include <string.h>

#include "cmd/verb.h"

static const char head[] =
    "_tandem_words() {\n"
    "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb= options= "
    "at=1 i\n"
    "    COMPREPLY=()\n"
    "    while [[ ${COMP_WORDS[at]} == -* && $at -lt $COMP_CWORD ]]; do\n"
    "        [[ ${COMP_WORDS[at]} == -c || ${COMP_WORDS[at]} == --config ]] && ((at++))\n"
    "        ((at++))\n"
    "    done\n"
    "    if [[ $before == -c || $before == --config ]]; then\n"
    "        COMPREPLY=($(compgen -f -- \"$word\"))\n"
    "        return\n"
    "    fi\n";

static const char tail[] =
    "    case $before in\n"
    "    --scheme)\n"
    "        COMPREPLY=($(compgen -W 'argon2id bcrypt scram-sha-1 scram-sha-256 sha512-crypt "
    "ssha256 ssha512 "
    "yescrypt' -- \"$word\"))\n"
    "        return ;;\n"
    "    esac\n"
    "    if [[ $word == -* ]]; then\n"
    "        COMPREPLY=($(compgen -W \"$options --json --no-header --help\" -- \"$word\"))\n"
    "        return\n"
    "    fi\n"
    "    case $verb in\n"
    "    'user set'|'user unset'|'domain set'|'domain unset')\n"
    "        [[ $COMP_CWORD -gt $((at + 2)) ]] && COMPREPLY=($(compgen -W \"$keys\" -- \"$word\")) "
    ";;\n"
    "    *)\n"
    "        COMPREPLY=($(compgen -f -- \"$word\")) ;;\n"
    "    esac\n"
    "}\n";

/* The words of verbs at one place: `first` NULL: their first ones, each once; else the second ones
 * behind it. */
static void put_words(const char *first)
{
    char last[32] = "";
    for (const struct verb *verb = verbs; verb->name; verb++) {
        const char *blank = strchr(verb->name, ' ');
        size_t n = blank ? (size_t)(blank - verb->name) : strlen(verb->name);
        if (first && (!blank || n != strlen(first) || strncmp(verb->name, first, n) != 0))
            continue;
        char word[32];
        snprintf(word, sizeof word, "%.*s", first ? 31 : (int)n, first ? blank + 1 : verb->name);
        if (strcmp(word, last) != 0)
            printf(" %s", word);
        snprintf(last, sizeof last, "%s", word);
    }
}

/* `config check` is the tool's own. */
static void put_families(void)
{
    char last[32] = "";
    for (const struct verb *verb = verbs; verb->name; verb++) {
        const char *blank = strchr(verb->name, ' ');
        char word[32];
        if (!blank)
            continue;
        snprintf(word, sizeof word, "%.*s", (int)(blank - verb->name), verb->name);
        if (strcmp(word, last) == 0)
            continue;
        snprintf(last, sizeof last, "%s", word);
        printf("        %s) words='%s", word, strcmp(word, "config") == 0 ? "check" : "");
        put_words(word);
        printf("' ;;\n");
    }
}

static void put_options(void)
{
    printf("    case $verb in\n");
    for (const struct verb *verb = verbs; verb->name; verb++) {
        if (!verb->options[0].name)
            continue;
        printf("    '%s') options='", verb->name);
        for (const struct verb_opt *o = verb->options; o->name; o++)
            printf("%s%s", o == verb->options ? "" : " ", o->name);
        printf("' ;;\n");
    }
    printf("    esac\n");
}

static void put_keys(void)
{
    struct config_key_info k;
    printf("    local keys='");
    for (unsigned i = 0; config_key_info(i, &k); i++)
        if (k.overridable)
            printf(" %s.%s", k.section, k.key);
    printf("'\n");
}

int main(int argc, char **argv)
{
    bool zsh = argc == 2 && strcmp(argv[1], "zsh") == 0;
    if (!zsh && (argc != 2 || strcmp(argv[1], "bash") != 0)) {
        fputs("Usage: gen_completion bash|zsh\n", stderr);
        return 2;
    }
    puts(zsh ? "#compdef tandem\nautoload -U +X bashcompinit && bashcompinit"
             : "# bash completion for tandem(1)");
    fputs(head, stdout);
    printf("    if [[ $COMP_CWORD -eq $at ]]; then\n        COMPREPLY=($(compgen -W '");
    put_words(NULL);
    printf(" --config --json --no-header --help --version' -- \"$word\"))\n        return\n    fi\n"
           "    verb=${COMP_WORDS[at]}\n"
           "    local words=\n"
           "    case $verb in\n");
    put_families();
    printf("    esac\n"
           "    if [[ -n $words ]]; then\n"
           "        if [[ $COMP_CWORD -eq $((at + 1)) ]]; then\n"
           "            COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n            return\n"
           "        fi\n"
           "        verb=\"$verb ${COMP_WORDS[at + 1]}\"\n    fi\n");
    put_options();
    put_keys();
    fputs(tail, stdout);
    /* zsh runs the file itself at the first completion. */
    puts(zsh ? "_bash_complete -o filenames -F _tandem_words"
             : "complete -o filenames -F _tandem_words tandem");
    return 0;
}
