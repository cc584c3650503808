/* The calendar, without time zones, locks or locale: proleptic Gregorian, UTC. */
#ifndef TANDEM_BASE_DATE_H
#define TANDEM_BASE_DATE_H

#include <stdbool.h>
#include <stdint.h>

struct date {
    int32_t year;
    uint8_t month, day; /* 1..12, 1..31 */
    uint8_t hour, minute, second;
    uint8_t weekday; /* 0 = Sunday; ignored by date_to_time */
};

bool date_valid(int32_t year, unsigned month, unsigned day); /* does that day exist? */
int64_t date_to_time(const struct date *d);                  /* seconds since 1970 */
void date_from_time(int64_t seconds, struct date *ret);      /* years -9999..9999 */
const char *date_month_name(unsigned month);                 /* "Jan" of 1, as RFC 5322 writes it */
const char *date_weekday_name(unsigned weekday);             /* "Sun" of 0 */

#endif
