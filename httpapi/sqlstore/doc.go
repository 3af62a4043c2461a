// Package sqlstore keeps everything that lasts, in one SQLite file by default
// or in a MySQL or MariaDB database.
//
// [DB] is the database; for each room that needs something kept it has a
// method that gives an implementation of that room's store interface, such as
// [DB.Accounts], in a file of its own, with its tables in a migration of its
// own.
//
// # Migrations
//
// migrations/NNNN_name.sql changes the schema in both dialects, or
// NNNN_name.sqlite.sql and NNNN_name.mysql.sql do it each for one. A statement
// ends with a semicolon at the end of a line. A migration that was released
// never changes. MySQL commits at every CREATE and ALTER, so a migration for it
// is written to be repeatable (IF NOT EXISTS, INSERT IGNORE): a crash half way
// repeats it at the next start. In SQLite each is one transaction.
package sqlstore
