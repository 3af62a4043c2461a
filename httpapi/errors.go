package httpapi

import (
	"errors"
	"log/slog"
	"math"
	"strconv"

	"fieldphone/httpapi/account"
	"fieldphone/httpapi/files"
	"fieldphone/httpapi/people"
	"fieldphone/rtc"
	"fieldphone/rtc/chat"

	"github.com/gofiber/fiber/v2"
)

// refusal is an error that a client may see.
type refusal struct {
	status  int
	code    string
	message string
	field   string
}

func (r refusal) Error() string { return r.code + ": " + r.message }

// statusOf maps account's codes to HTTP statuses.
var statusOf = map[string]int{
	account.CodeIDTaken:          fiber.StatusConflict,
	account.CodeInvalidID:        fiber.StatusUnprocessableEntity,
	account.CodeInvalidName:      fiber.StatusUnprocessableEntity,
	account.CodePasswordTooShort: fiber.StatusUnprocessableEntity,
	account.CodePasswordTooLong:  fiber.StatusUnprocessableEntity,
	account.CodeWrongCredentials: fiber.StatusUnauthorized,
	account.CodeUserDisabled:     fiber.StatusForbidden,
	account.CodeRateLimited:      fiber.StatusTooManyRequests,
	account.CodeBusy:             fiber.StatusServiceUnavailable,
	account.CodeNotFound:         fiber.StatusNotFound,
	account.CodeUnavailable:      fiber.StatusServiceUnavailable,
	account.CodeUnauthenticated:  fiber.StatusUnauthorized,
	account.CodeSessionExpired:   fiber.StatusUnauthorized,
	account.CodeSessionRevoked:   fiber.StatusUnauthorized,

	account.CodeRegistrationClosed: fiber.StatusForbidden,
	account.CodeGuestsOff:          fiber.StatusForbidden,
	account.CodeTooManyGuests:      fiber.StatusServiceUnavailable,
	account.CodeInviteRequired:     fiber.StatusForbidden,
	account.CodeInviteUnknown:      fiber.StatusForbidden,
	account.CodeInviteExpired:      fiber.StatusGone,
	account.CodeInviteUsedUp:       fiber.StatusGone,
	account.CodeInviteRevoked:      fiber.StatusGone,
	account.CodeInvalidInvite:      fiber.StatusUnprocessableEntity,
	account.CodeTooManyInvites:     fiber.StatusConflict,
	account.CodeNotAllowed:         fiber.StatusForbidden,
	account.CodeAdminExists:        fiber.StatusConflict,
	account.CodeLastAdmin:          fiber.StatusConflict,
	account.CodeAdminCodeWrong:     fiber.StatusForbidden,

	people.CodeInvalidLine:     fiber.StatusUnprocessableEntity,
	people.CodeInvalidTags:     fiber.StatusUnprocessableEntity,
	people.CodeInvalidPicture:  fiber.StatusUnprocessableEntity,
	people.CodePictureTooLarge: fiber.StatusRequestEntityTooLarge,
	people.CodeTooManyContacts: fiber.StatusConflict,
	people.CodeNotYourself:     fiber.StatusUnprocessableEntity,
}

// fiberCodes names what Fiber itself refuses.
var fiberCodes = map[int]struct{ code, message string }{
	fiber.StatusBadRequest:                  {"bad_request", "The request cannot be understood."},
	fiber.StatusNotFound:                    {"not_found", "There is nothing at this address."},
	fiber.StatusMethodNotAllowed:            {"method_not_allowed", "This address does not take this method."},
	fiber.StatusRequestEntityTooLarge:       {"body_too_large", "The request is too large."},
	fiber.StatusUpgradeRequired:             {"bad_request", "This address speaks WebSocket; see rtc/PROTOCOL.md."},
	fiber.StatusRequestHeaderFieldsTooLarge: {"bad_request", "The request's header is too large."},
}

type errorBody struct {
	Error errorFields `json:"error"`
}

type errorFields struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Field   string `json:"field,omitempty"`

	Problems []SettingProblem `json:"problems,omitempty"` // settings_invalid
	Keys     []string         `json:"keys,omitempty"`     // undo_overtaken
	By       *whoBody         `json:"by,omitempty"`       // settings_changed
	At       int64            `json:"at,omitempty"`       // settings_changed; Unix milliseconds
	Offset   *int64           `json:"offset,omitempty"`   // wrong_offset
}

// errorHandler answers with a code and a sentence. What only the admin should
// see goes to the log.
func errorHandler(log *slog.Logger) fiber.ErrorHandler {
	return func(c *fiber.Ctx, err error) error {
		status, fields := describe(c, err)
		_, meant := errors.AsType[refusal](err)
		if !meant {
			_, meant = errors.AsType[*rtc.Error](err)
		}
		if !meant && (status == fiber.StatusInternalServerError || status == fiber.StatusServiceUnavailable) {
			log.Error("request failed", "method", c.Method(), "path", c.Path(), "error", err)
		}
		return c.Status(status).JSON(errorBody{fields})
	}
}

func describe(c *fiber.Ctx, err error) (status int, fields errorFields) {
	if r, ok := errors.AsType[refusal](err); ok {
		return r.status, errorFields{Code: r.code, Message: r.message, Field: r.field}
	}
	if d, ok := errors.AsType[detailed](err); ok {
		return d.status, d.fields
	}
	if e, ok := errors.AsType[*account.Error](err); ok {
		status, known := statusOf[e.Code]
		if !known {
			status = fiber.StatusInternalServerError
		}
		if e.RetryAfter > 0 {
			c.Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
		}
		if status == fiber.StatusUnauthorized {
			c.Set("WWW-Authenticate", "Bearer")
		}
		return status, errorFields{Code: e.Code, Message: e.Message, Field: e.Field}
	}
	if e, ok := errors.AsType[*files.Error](err); ok {
		fields := errorFields{Code: e.Code, Message: e.Message, Field: e.Field}
		if e.Code == files.CodeWrongOffset {
			fields.Offset = &e.Offset
		}
		if fileStatus[e.Code] == fiber.StatusTooManyRequests {
			c.Set("Retry-After", "2")
		}
		return fileStatus[e.Code], fields
	}
	if e, ok := errors.AsType[*rtc.Error](err); ok {
		return describeChat(e)
	}
	if errors.Is(err, chat.ErrUnavailable) {
		return fiber.StatusServiceUnavailable, errorFields{Code: account.CodeUnavailable, Message: "The database does not answer. Try again in a moment."}
	}
	if e, ok := errors.AsType[*fiber.Error](err); ok && e.Code < 500 {
		if known, ok := fiberCodes[e.Code]; ok {
			return e.Code, errorFields{Code: known.code, Message: known.message}
		}
		return e.Code, errorFields{Code: "bad_request", Message: "The request was refused."}
	}
	return fiber.StatusInternalServerError, errorFields{Code: "internal", Message: "The server failed. Its log says why."}
}
