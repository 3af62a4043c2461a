package turnsrv

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/pion/logging"
)

// levelTrace lies below Debug: the TURN library's lines are several a packet.
const levelTrace = slog.LevelDebug - 4

// pionLogs gives the library's lines to slog. Whether the chatty levels are on
// is decided once, and warnings come at most once a second.
type pionLogs struct {
	logger *slog.Logger
	warned *throttle
}

func (p pionLogs) NewLogger(scope string) logging.LeveledLogger {
	logger := p.logger.With("scope", scope)
	return &pionLog{
		logger: logger,
		warned: p.warned,
		trace:  logger.Enabled(context.Background(), levelTrace),
	}
}

type pionLog struct {
	logger *slog.Logger
	warned *throttle
	trace  bool
}

func (l *pionLog) chatty(format string, args []any) {
	if l.trace {
		l.logger.Log(context.Background(), levelTrace, fmt.Sprintf(format, args...))
	}
}

func (l *pionLog) severe(level slog.Level, format string, args []any) {
	if l.warned.allow(time.Now(), time.Second) {
		l.logger.Log(context.Background(), level, fmt.Sprintf(format, args...))
	}
}

func (l *pionLog) Trace(msg string)                  { l.chatty("%s", []any{msg}) }
func (l *pionLog) Tracef(format string, args ...any) { l.chatty(format, args) }
func (l *pionLog) Debug(msg string)                  { l.chatty("%s", []any{msg}) }
func (l *pionLog) Debugf(format string, args ...any) { l.chatty(format, args) }

// Info is chatty too: the library tells of every packet that no permission fits.
func (l *pionLog) Info(msg string)                   { l.chatty("%s", []any{msg}) }
func (l *pionLog) Infof(format string, args ...any)  { l.chatty(format, args) }
func (l *pionLog) Warn(msg string)                   { l.severe(slog.LevelWarn, "%s", []any{msg}) }
func (l *pionLog) Warnf(format string, args ...any)  { l.severe(slog.LevelWarn, format, args) }
func (l *pionLog) Error(msg string)                  { l.severe(slog.LevelError, "%s", []any{msg}) }
func (l *pionLog) Errorf(format string, args ...any) { l.severe(slog.LevelError, format, args) }

// throttle lets one event through per interval.
type throttle struct{ last atomic.Int64 }

func (t *throttle) allow(now time.Time, interval time.Duration) bool {
	last, current := t.last.Load(), now.UnixNano()
	if last != 0 && current-last < int64(interval) && current >= last {
		return false
	}
	return t.last.CompareAndSwap(last, current)
}
