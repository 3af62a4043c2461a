//go:build !linux

package bench

import (
	"os"
	"time"
)

func selfPID() int { return os.Getpid() }

// cpuOf is not measured here.
func cpuOf(int) time.Duration { return 0 }

// rssOf is not measured here.
func rssOf(int) float64 { return 0 }

// fdsOf is not measured here.
func fdsOf(int) int { return 0 }

func pause(d time.Duration) {
	timer := time.NewTimer(d)
	<-timer.C
}
