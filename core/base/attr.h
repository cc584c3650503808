/* Compiler attributes, wrapped once: the only language extension in the tree. */
#ifndef TANDEM_BASE_ATTR_H
#define TANDEM_BASE_ATTR_H

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(format, first) __attribute__((format(printf, format, first)))
#define NO_RETURN __attribute__((noreturn))

#endif
