//go:build !linux

package relay

import "errors"

// Kernel is not offered here.
type Kernel struct{}

// LoadKernel tells that there is no kernel path.
func LoadKernel(func()) (*Kernel, error) { return nil, errors.New("the kernel path is Linux's") }

// Put is refused.
func (*Kernel) Put(Flow, Forward) error { return ErrNoWay }

// Count is 0.
func (*Kernel) Count(Flow) Counted { return Counted{} }

// Delete does nothing.
func (*Kernel) Delete(Flow) Counted { return Counted{} }

// Flows is 0.
func (*Kernel) Flows() int { return 0 }

// Close does nothing.
func (*Kernel) Close() error { return nil }
