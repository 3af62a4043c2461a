// Package account keeps the users of a site, their passwords and their
// sessions.
//
// A user signs in with an id and a password and gets a session: a JSON Web
// Token (RFC 7519) signed with HMAC-SHA256, whose jti names the session.
// [Service.Authenticate] checks a token without asking the database. What
// makes an ended session stop at once is a set of ended sessions in memory,
// fed by this process's own calls and by polling the [Store], where every end
// carries a growing sequence number; so an end made by another process or
// another node is heard within one polling interval.
//
// Every refusal is an [*Error] with a machine code from the catalogue in this
// package; anything else that is returned is an internal failure for the log.
package account
