package peer

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// pionLogs hands pion's log to ours. What pion warns of is often ordinary (an
// address that does not answer), so nothing of it is above debug level.
type pionLogs struct{ log *slog.Logger }

// NewLogger implements logging.LoggerFactory.
func (f pionLogs) NewLogger(scope string) logging.LeveledLogger {
	return pionLog{f.log.With("pion", scope)}
}

type pionLog struct{ log *slog.Logger }

func (l pionLog) line(level, text string) { l.log.Debug("peer: "+text, "level", level) }

func (l pionLog) linef(level, format string, args []any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.line(level, fmt.Sprintf(format, args...))
	}
}

// Trace and Debug are one line for each packet, which nobody could read.

func (pionLog) Trace(string)          {}
func (pionLog) Tracef(string, ...any) {}
func (pionLog) Debug(string)          {}
func (pionLog) Debugf(string, ...any) {}

func (l pionLog) Info(text string)                  { l.line("info", text) }
func (l pionLog) Infof(format string, args ...any)  { l.linef("info", format, args) }
func (l pionLog) Warn(text string)                  { l.line("warn", text) }
func (l pionLog) Warnf(format string, args ...any)  { l.linef("warn", format, args) }
func (l pionLog) Error(text string)                 { l.line("error", text) }
func (l pionLog) Errorf(format string, args ...any) { l.linef("error", format, args) }
