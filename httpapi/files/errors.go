package files

import (
	"errors"
	"fmt"
	"syscall"
)

// The codes that an [Error] carries. Clients translate them, so a code never
// changes its meaning.
const (
	CodeFileTooLarge  = "file_too_large" // over the largest size, or more than its owner said
	CodeQuotaFull     = "quota_full"     // the owner's quota, or everybody's, is used up
	CodeDiskFull      = "disk_full"      // the server's disk has no room
	CodeFileGone      = "file_gone"      // it was kept, and its time is over
	CodeNoSuchFile    = "no_such_file"   // never kept, not complete, or not for this user
	CodeWrongChecksum = "wrong_checksum" // what came is not what was sent
	CodeWrongOffset   = "wrong_offset"   // the chunk does not begin where the content ends
	CodeInvalidFile   = "invalid_file"   // a field of the description is wrong
	CodeFileTaken     = "file_taken"     // another file has this name
	CodeRateLimited   = "rate_limited"   // too many at once
	CodeUnavailable   = "store_unavailable"
)

// Codes lists the whole catalogue.
func Codes() []string {
	return []string{
		CodeFileTooLarge, CodeQuotaFull, CodeDiskFull, CodeFileGone, CodeNoSuchFile, CodeWrongChecksum,
		CodeWrongOffset, CodeInvalidFile, CodeFileTaken, CodeRateLimited, CodeUnavailable,
	}
}

// Error is a refusal that a client may see. The cause that it wraps, if any, is
// for the log alone.
type Error struct {
	Code    string
	Message string // what happened and what to do, in English
	Field   string // of the request
	Offset  int64  // of CodeWrongOffset: where the content ends
	cause   error
}

// Error implements error.
func (e *Error) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Message, e.cause)
	}
	return e.Code + ": " + e.Message
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

func refuse(code, message string) *Error { return &Error{Code: code, Message: message} }

func invalid(field, rule string) *Error {
	return &Error{Code: CodeInvalidFile, Message: "The field " + field + " " + rule + ".", Field: field}
}

func noSuchFile() *Error {
	return refuse(CodeNoSuchFile, "The server has no such file for you. Ask its sender to send it again.")
}

func gone() *Error {
	return refuse(CodeFileGone, "The server keeps this file no more. Ask its sender to send it again.")
}

func diskFull(cause error) *Error {
	return &Error{Code: CodeDiskFull, Message: "The server's disk is full. Try later, or ask the administrator to make room.", cause: cause}
}

// stored makes of a store's error one that a client may see, where it may.
func stored(err error) error {
	switch {
	case errors.Is(err, ErrNotFound):
		return noSuchFile()
	case errors.Is(err, ErrExists):
		return refuse(CodeFileTaken, "Another file has this name. Choose a new one.")
	case errors.Is(err, ErrOwnerFull):
		return refuse(CodeQuotaFull, "You have no room left for files on this server. Delete some, or wait until older ones expire.")
	case errors.Is(err, ErrFull):
		return refuse(CodeQuotaFull, "The server has no room left for files. Wait until older ones expire, or ask the administrator.")
	case errors.Is(err, ErrUnavailable):
		return &Error{Code: CodeUnavailable, Message: "The server cannot reach its database. Try again soon.", cause: err}
	}
	return err
}

// written tells a full disk from other failures to write.
func written(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, errQuota) {
		return diskFull(err)
	}
	return fmt.Errorf("files: write: %w", err)
}
