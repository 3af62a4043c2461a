package turnsrv

import (
	"net"

	"github.com/pion/stun/v3"
)

// bind answers a Binding request (RFC 8489 section 2). It needs no
// authentication and gets none.
func (e *endpoint) bind(r *request) {
	s := e.server
	if !s.rates.bindings.allow(r.client.Addr(), s.limits().BindingsPerSource) {
		s.counters.limited.bindings.Add(1)
		return
	}
	if len(r.unknown) > 0 {
		e.refuse(r, &refuseUnknown)
		return
	}
	e.reply(r, []stun.Setter{
		stun.NewTransactionIDSetter(r.message.TransactionID),
		stun.BindingSuccess,
		&stun.XORMappedAddress{IP: net.IP(r.client.Addr().AsSlice()), Port: int(r.client.Port())},
	})
}
