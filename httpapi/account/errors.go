package account

import (
	"errors"
	"fmt"
	"time"
)

// The catalogue of codes that an [Error] carries. Clients translate them, so
// a code never changes its meaning.
const (
	CodeIDTaken          = "id_taken"           // another user has this id
	CodeInvalidID        = "invalid_id"         // the id breaks the rule of [NormalizeID]
	CodeInvalidName      = "invalid_name"       // the name breaks the rule of [CleanName]
	CodePasswordTooShort = "password_too_short" // fewer than [MinPasswordChars] characters
	CodePasswordTooLong  = "password_too_long"  // more than [MaxPasswordBytes] bytes
	CodeWrongCredentials = "wrong_credentials"  // unknown id or wrong password
	CodeUserDisabled     = "user_disabled"      // right password, but the admin disabled the user
	CodeRateLimited      = "rate_limited"       // too many attempts; see Error.RetryAfter
	CodeBusy             = "busy"               // too many passwords are being checked; see Error.RetryAfter
	CodeNotFound         = "not_found"          // no such user
	CodeUnavailable      = "store_unavailable"  // the database is locked or out of reach
	CodeUnauthenticated  = "unauthenticated"    // not a token of this site
	CodeSessionExpired   = "session_expired"    // the session reached its end
	CodeSessionRevoked   = "session_revoked"    // the session was ended before its time

	CodeRegistrationClosed = "registration_closed" // only the administrator makes accounts here
	CodeGuestsOff          = "guests_off"          // this site takes no guests
	CodeTooManyGuests      = "too_many_guests"     // as many guests as are allowed are here
	CodeInviteRequired     = "invite_required"     // joining takes an invite, and none was given
	CodeInviteUnknown      = "invite_unknown"      // not an invite of this site
	CodeInviteExpired      = "invite_expired"      // the invite's time is over
	CodeInviteUsedUp       = "invite_used_up"      // the invite's uses are spent
	CodeInviteRevoked      = "invite_revoked"      // the invite was taken back
	CodeInvalidInvite      = "invalid_invite"      // uses or lifetime of a new invite are out of bounds
	CodeTooManyInvites     = "too_many_invites"    // as many open invites as one user may have
	CodeNotAllowed         = "not_allowed"         // this user may not do that
	CodeAdminExists        = "admin_exists"        // the first administrator is there already
	CodeLastAdmin          = "last_admin"          // nobody would be left who can administer
	CodeAdminCodeWrong     = "admin_code_wrong"    // not the code on the server's console, or used or expired
)

// Codes lists the whole catalogue, so that whoever maps codes to statuses can
// be tested for completeness.
func Codes() []string {
	return []string{
		CodeIDTaken, CodeInvalidID, CodeInvalidName, CodePasswordTooShort,
		CodePasswordTooLong, CodeWrongCredentials, CodeUserDisabled,
		CodeRateLimited, CodeBusy, CodeNotFound, CodeUnavailable,
		CodeUnauthenticated, CodeSessionExpired, CodeSessionRevoked,
		CodeRegistrationClosed, CodeGuestsOff, CodeTooManyGuests,
		CodeInviteRequired, CodeInviteUnknown, CodeInviteExpired,
		CodeInviteUsedUp, CodeInviteRevoked, CodeInvalidInvite,
		CodeTooManyInvites, CodeNotAllowed, CodeAdminExists, CodeLastAdmin, CodeAdminCodeWrong,
	}
}

// Error is a refusal that a client may see. The cause that it wraps, if any,
// is for the log alone.
type Error struct {
	Code  string // one of the Code constants
	Field string // the input that is at fault ("id", "name", "password", "current",
	// "invite", "uses", "expires_in", "code"), or empty
	Message    string        // a sentence that says what to do
	RetryAfter time.Duration // when to try again, for rate_limited, busy and store_unavailable

	cause error
}

// Error gives the code, the sentence and the cause.
func (e *Error) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("account: %s: %s: %v", e.Code, e.Message, e.cause)
	}
	return fmt.Sprintf("account: %s: %s", e.Code, e.Message)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

// CodeOf gives the code of the [*Error] in err's chain, or "" if there is none.
func CodeOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}

func wrongCredentials(field string) *Error {
	return &Error{
		Code:    CodeWrongCredentials,
		Field:   field,
		Message: "The user ID or the password is wrong. Check both and try again.",
	}
}

func userDisabled() *Error {
	return &Error{
		Code:    CodeUserDisabled,
		Message: "This account is disabled. Ask the administrator of this site.",
	}
}

func notFound(cause error) *Error {
	return &Error{Code: CodeNotFound, Field: "id", Message: "There is no user with this ID.", cause: cause}
}

func rateLimited(wait time.Duration) *Error {
	return &Error{
		Code:       CodeRateLimited,
		Message:    "Too many attempts. Wait a moment and try again.",
		RetryAfter: wait,
	}
}

func busy() *Error {
	return &Error{
		Code:       CodeBusy,
		Message:    "The server is checking too many passwords. Try again in a few seconds.",
		RetryAfter: 2 * time.Second,
	}
}

func unauthenticated(cause error) *Error {
	return &Error{Code: CodeUnauthenticated, Message: "Sign in first.", cause: cause}
}

func sessionExpired(cause error) *Error {
	return &Error{Code: CodeSessionExpired, Message: "Your session has expired. Sign in again.", cause: cause}
}

func sessionRevoked() *Error {
	return &Error{Code: CodeSessionRevoked, Message: "Your session was ended. Sign in again."}
}

func storeFailure(doing string, err error) error { return StoreFailure(doing, err) }

// StoreFailure turns an error of a store that answers as [Store] does into
// what a caller may see, and keeps the store's own error as the cause.
func StoreFailure(doing string, err error) error {
	err = fmt.Errorf("%s: %w", doing, err)
	switch {
	case errors.Is(err, ErrNotFound):
		return notFound(err)
	case errors.Is(err, ErrUnavailable):
		return &Error{
			Code:       CodeUnavailable,
			Message:    "The account database does not answer. Try again in a few seconds.",
			RetryAfter: 2 * time.Second,
			cause:      err,
		}
	default:
		return fmt.Errorf("account: %w", err)
	}
}
