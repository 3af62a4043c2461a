package rtc

// Code names what went wrong in a way that a client can act on.
type Code string

// The codes of the error message; PROTOCOL.md says what each means.
const (
	CodeBadJSON       Code = "bad_json"
	CodeUnknownType   Code = "unknown_type"
	CodeBadData       Code = "bad_data"
	CodeHelloExpected Code = "hello_expected"
	CodeNoSuchCall    Code = "no_such_call"
	CodeNoSuchTest    Code = "no_such_test"
	CodeWrongState    Code = "wrong_state"
	CodeOffline       Code = "offline"
	CodeInCall        Code = "in_call"
	CodeRateLimited   Code = "rate_limited"
	CodeNoSuchChat    Code = "no_such_chat"
	CodeNoSuchText    Code = "no_such_text"
	CodeNotAllowed    Code = "not_allowed"
	CodeBlocked       Code = "blocked"
	CodeNotStored     Code = "not_stored"
	CodeInternal      Code = "internal"
)

// EndReason says why a call ended.
type EndReason string

// The reasons of call.ended; PROTOCOL.md says what each means.
const (
	EndHangup            EndReason = "hangup"
	EndDeclined          EndReason = "declined"
	EndCancelled         EndReason = "cancelled"
	EndBusy              EndReason = "busy"
	EndTimeout           EndReason = "timeout"
	EndUnreachable       EndReason = "unreachable"
	EndAnsweredElsewhere EndReason = "answered_elsewhere"
	EndDeclinedElsewhere EndReason = "declined_elsewhere"
	EndMerged            EndReason = "merged"
	EndLost              EndReason = "lost"
	EndFailed            EndReason = "failed"
	EndSessionEnded      EndReason = "session_ended"
	EndByAdmin           EndReason = "ended_by_admin"
	EndMoved             EndReason = "moved"
	EndQuiet             EndReason = "quiet"
	EndBlocked           EndReason = "blocked"
)

// EndReasons lists every reason for a call to end.
func EndReasons() []EndReason {
	return []EndReason{
		EndHangup, EndDeclined, EndCancelled, EndBusy, EndTimeout, EndUnreachable, EndAnsweredElsewhere,
		EndDeclinedElsewhere, EndMerged, EndLost, EndFailed, EndSessionEnded, EndByAdmin, EndMoved, EndQuiet, EndBlocked,
	}
}

// Close is why the server closes a connection: a WebSocket close code and its
// reason. Codes below 4500 ask the client to connect again.
type Close struct {
	Code   int
	Reason string
}

// The server's reasons to close a connection.
var (
	CloseGoingAway     = Close{4000, "going_away"}
	CloseSlow          = Close{4001, "slow"}
	CloseHeartbeat     = Close{4002, "heartbeat"}
	CloseHelloExpected = Close{4003, "hello_expected"}
	CloseSessionEnded  = Close{4500, "session_ended"}
	CloseReplaced      = Close{4501, "replaced"}
	CloseProtocolError = Close{4502, "protocol_error"}
)

// Reconnect tells whether the client should connect again.
func (c Close) Reconnect() bool { return c.Code < 4500 }
