package turnsrv_test

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/pion/stun/v3"

	"fieldphone/turnsrv"
)

const dontFragment = stun.AttrDontFragment

var (
	evenPort    = raw{stun.AttrEvenPort, []byte{0}}
	evenReserve = raw{stun.AttrEvenPort, []byte{0x80}}
	token       = raw{stun.AttrReservationToken, make([]byte, 8)}
	familyOne   = raw{stun.AttrRequestedAddressFamily, []byte{1, 0, 0, 0}}
	familyTwo   = raw{stun.AttrRequestedAddressFamily, []byte{2, 0, 0, 0}}
	alsoTwo     = raw{0x8000, []byte{2, 0, 0, 0}}
	alsoOne     = raw{0x8000, []byte{1, 0, 0, 0}}
)

// wrongAllocates are answered with an error by a server with room.
var wrongAllocates = map[string]struct {
	attrs   []stun.Setter
	want    int
	unknown []byte
}{
	"no transport":              {nil, 400, nil},
	"short transport":           {[]stun.Setter{raw{stun.AttrRequestedTransport, []byte{17}}}, 400, nil},
	"TCP relay":                 {[]stun.Setter{raw{stun.AttrRequestedTransport, []byte{6, 0, 0, 0}}}, 442, nil},
	"short lifetime":            {[]stun.Setter{requestUDP, raw{stun.AttrLifetime, []byte{1}}}, 400, nil},
	"IPv6":                      {[]stun.Setter{requestUDP, familyTwo}, 440, nil},
	"family of nothing":         {[]stun.Setter{requestUDP, raw{stun.AttrRequestedAddressFamily, []byte{7, 0, 0, 0}}}, 440, nil},
	"short family":              {[]stun.Setter{requestUDP, raw{stun.AttrRequestedAddressFamily, []byte{1}}}, 400, nil},
	"IPv4 besides":              {[]stun.Setter{requestUDP, alsoOne}, 400, nil},
	"a family and another":      {[]stun.Setter{requestUDP, familyOne, alsoTwo}, 400, nil},
	"two families, and reserve": {[]stun.Setter{requestUDP, alsoTwo, evenReserve}, 400, nil},
	"reserve":                   {[]stun.Setter{requestUDP, evenReserve}, 508, nil},
	"long even port":            {[]stun.Setter{requestUDP, raw{stun.AttrEvenPort, []byte{0, 0}}}, 400, nil},
	"token":                     {[]stun.Setter{requestUDP, token}, 508, nil},
	"token and even port":       {[]stun.Setter{requestUDP, token, evenPort}, 400, nil},
	"token and family":          {[]stun.Setter{requestUDP, token, familyOne}, 400, nil},
	"don't fragment":            {[]stun.Setter{requestUDP, raw{dontFragment, nil}}, 420, []byte{0, 0x1a}},
	"unknown attributes": {
		[]stun.Setter{requestUDP, raw{0x7ff0, []byte{1}}, raw{0x8ff0, nil}, raw{0x0002, nil}},
		420,
		[]byte{0x7f, 0xf0, 0, 2},
	},
}

func TestWrongAllocates(t *testing.T) {
	s := startSite(t)
	username, password := s.login("ann", "S1")
	for name, test := range wrongAllocates {
		t.Run(name, func(t *testing.T) {
			dialBoth(t, func(t *testing.T, network string) {
				c := dial(t, network, s.at(network, addrOne), username, password)
				c.challenge()
				before := s.Stats().Errors[test.want]
				c.expectError(c.request(stun.MethodAllocate, test.attrs...), stun.MethodAllocate, test.want, test.unknown)
				// The same with a fingerprint, and nothing of it lasts.
				m := c.build(stun.MethodAllocate, test.attrs...)
				c.expectError(c.requestWith(m, stun.Fingerprint), stun.MethodAllocate, test.want, test.unknown)
				if got := s.Stats().Errors[test.want]; got != before+2 {
					t.Errorf("counted %d errors %d, want 2", got-before, test.want)
				}
			})
		})
	}
	if got := s.Stats(); got.Allocations != 0 || got.AllocationsCreated != 0 {
		t.Errorf("allocations: got %d, created %d", got.Allocations, got.AllocationsCreated)
	}
}

func TestWrongUses(t *testing.T) {
	s := startSite(t, func(c *turnsrv.Config) {
		c.Policy.Deny = []netip.Prefix{netip.MustParsePrefix("10.9.0.0/16")}
	})
	peer := peerAddress(netip.AddrPortFrom(addrPeer, 4000))
	other := peerAddress(netip.AddrPortFrom(addrPeer, 4001))
	denied := peerAddress(netip.MustParseAddrPort("10.9.1.1:4000"))
	six := peerAddress(netip.MustParseAddrPort("[2001:db8::1]:4000"))
	short := raw{stun.AttrXORPeerAddress, []byte{0, 1, 0, 0}}
	mapped := peerAddress(netip.MustParseAddrPort("[::ffff:127.0.0.3]:4000"))
	for name, test := range map[string]struct {
		method stun.Method
		attrs  []stun.Setter
		want   int
	}{
		"refresh, IPv6":             {stun.MethodRefresh, []stun.Setter{familyTwo}, 443},
		"refresh, short lifetime":   {stun.MethodRefresh, []stun.Setter{raw{stun.AttrLifetime, []byte{0}}}, 400},
		"refresh, unknown":          {stun.MethodRefresh, []stun.Setter{raw{0x7001, nil}}, 420},
		"permission, no peer":       {stun.MethodCreatePermission, nil, 400},
		"permission, short peer":    {stun.MethodCreatePermission, []stun.Setter{peer, short}, 400},
		"permission, denied":        {stun.MethodCreatePermission, []stun.Setter{denied}, 403},
		"permission, one denied":    {stun.MethodCreatePermission, []stun.Setter{peer, denied, peer}, 403},
		"permission, IPv6":          {stun.MethodCreatePermission, []stun.Setter{peer, six}, 443},
		"permission, IPv4 as IPv6":  {stun.MethodCreatePermission, []stun.Setter{mapped}, 443},
		"permission, denied, IPv6":  {stun.MethodCreatePermission, []stun.Setter{six, denied}, 403},
		"channel, no number":        {stun.MethodChannelBind, []stun.Setter{peer}, 400},
		"channel, short number":     {stun.MethodChannelBind, []stun.Setter{raw{stun.AttrChannelNumber, []byte{0x40, 0}}, peer}, 400},
		"channel, number too small": {stun.MethodChannelBind, []stun.Setter{channelNumber(0x3fff), other}, 400},
		"channel, number too large": {stun.MethodChannelBind, []stun.Setter{channelNumber(0x8000), other}, 400},
		"channel, no peer":          {stun.MethodChannelBind, []stun.Setter{channelNumber(0x4001)}, 400},
		"channel, denied":           {stun.MethodChannelBind, []stun.Setter{channelNumber(0x4001), denied}, 403},
		"channel, IPv6":             {stun.MethodChannelBind, []stun.Setter{channelNumber(0x4001), six}, 443},
		"channel, other peer":       {stun.MethodChannelBind, []stun.Setter{channelNumber(0x4000), other}, 400},
		"channel, other number":     {stun.MethodChannelBind, []stun.Setter{channelNumber(0x4001), peer}, 400},
	} {
		t.Run(name, func(t *testing.T) {
			dialBoth(t, func(t *testing.T, network string) {
				username, password := s.login("ann", "S1")
				c := dial(t, network, s.at(network, addrOne), username, password)
				c.allocate()
				c.must(c.bindChannel(0x4000, netip.AddrPort(peer)))
				m := c.request(test.method, test.attrs...)
				var unknown []byte
				if test.want == 420 {
					unknown = []byte{0x70, 1}
				}
				c.expectError(m, test.method, test.want, unknown)
				c.must(c.request(stun.MethodRefresh, lifetime(0)))
				// What is wrong with the message itself is told first.
				gone := 437
				if test.method == stun.MethodRefresh && test.want != 443 {
					gone = test.want
				}
				c.expectError(c.request(test.method, test.attrs...), test.method, gone, unknown)
			})
		})
	}
}

func TestTheAllocationIsAnothers(t *testing.T) {
	s := startSite(t)
	dialBoth(t, func(t *testing.T, network string) {
		username, password := s.login("ann", "S1")
		c := dial(t, network, s.at(network, addrOne), username, password)
		c.allocate()
		c.expectError(c.tryAllocate(), stun.MethodAllocate, 437, nil)
		c.username, c.password = s.login("bob", "S2")
		for method, attrs := range map[stun.Method][]stun.Setter{
			stun.MethodRefresh:          {lifetime(0)},
			stun.MethodCreatePermission: {peerAddress(netip.AddrPortFrom(addrPeer, 0))},
			stun.MethodChannelBind:      {channelNumber(0x4000), peerAddress(netip.AddrPortFrom(addrPeer, 9))},
		} {
			c.expectError(c.request(method, attrs...), method, 441, nil)
		}
		c.username, c.password = username, password
		c.must(c.request(stun.MethodRefresh, lifetime(600)))
	})
}

// What the sender of a bad credential hears does not depend on what is bad.
func TestChallenges(t *testing.T) {
	s := startSite(t)
	username, password := s.login("ann", "S1")
	methods := map[stun.Method][]stun.Setter{
		stun.MethodAllocate:         {requestUDP},
		stun.MethodRefresh:          {lifetime(600)},
		stun.MethodCreatePermission: {peerAddress(netip.AddrPortFrom(addrPeer, 0))},
		stun.MethodChannelBind:      {channelNumber(0x4000), peerAddress(netip.AddrPortFrom(addrPeer, 9))},
	}
	dialBoth(t, func(t *testing.T, network string) {
		c := dial(t, network, s.at(network, addrOne), username, password)
		for method, attrs := range methods {
			c.nonce = ""
			c.expectChallenge(c.request(method, attrs...), stun.CodeUnauthorized)
			// A signature needs its username, realm and nonce.
			for _, part := range [][]stun.Setter{
				{stun.NewUsername(username), stun.NewRealm(realm)},
				{stun.NewUsername(username), stun.NewNonce("x")},
				{stun.NewRealm(realm), stun.NewNonce("x")},
			} {
				m := c.request(method, append(append(append([]stun.Setter{}, attrs...), part...), c.integrity())...)
				if code(m) != stun.CodeBadRequest || m.Contains(stun.AttrMessageIntegrity) {
					t.Errorf("%v without a part of the credential: got %v (%d), want an unsigned 400", method, m, code(m))
				}
			}
			c.challenge()
			good := c.nonce
			for _, nonce := range []string{"x", good + "A", good[:len(good)-1] + "~", string(bytes.Repeat([]byte("A"), len(good)))} {
				c.nonce = nonce
				c.expectChallenge(c.request(method, attrs...), stun.CodeStaleNonce)
			}
			c.nonce = good
			c.password = "wrong"
			c.expectChallenge(c.request(method, attrs...), stun.CodeUnauthorized)
			c.password = password
		}
		// Whoever follows a 438 gets in.
		c.nonce = "old"
		m := c.request(stun.MethodAllocate, requestUDP)
		nonce, _ := m.Get(stun.AttrNonce)
		c.nonce = string(nonce)
		c.allocate()
		// So does whoever has an allocation.
		c.nonce = "old"
		c.expectChallenge(c.request(stun.MethodRefresh, lifetime(600)), stun.CodeStaleNonce)
	})
}

func TestLifetimes(t *testing.T) {
	s := startSite(t)
	dialBoth(t, func(t *testing.T, network string) {
		username, password := s.login("ann", "S1")
		c := dial(t, network, s.at(network, addrOne), username, password)
		for _, test := range []struct {
			asked []stun.Setter
			want  uint32
		}{
			{nil, 600},
			{[]stun.Setter{lifetime(0)}, 600},
			{[]stun.Setter{lifetime(1)}, 600},
			{[]stun.Setter{lifetime(1000)}, 1000},
			{[]stun.Setter{lifetime(3600)}, 3599},
			{[]stun.Setter{lifetime(1 << 31)}, 3599},
		} {
			m := c.tryAllocate(test.asked...)
			c.must(m)
			if got := seconds(t, m); got != test.want {
				t.Errorf("Allocate for %v: got %d s, want %d", test.asked, got, test.want)
			}
			refreshed := c.request(stun.MethodRefresh, test.asked...)
			c.must(refreshed)
			want := test.want
			if len(test.asked) > 0 && test.asked[0].(raw).value[3] == 0 && want == 600 {
				want = 0 // Refresh for no time deletes
			}
			if got := seconds(t, refreshed); got != want {
				t.Errorf("Refresh for %v: got %d s, want %d", test.asked, got, want)
			}
			c.request(stun.MethodRefresh, lifetime(0))
		}
	})
}

// The nonce between us and the library grows old, too; clients never see that.
func TestNonceOfTheLibrary(t *testing.T) {
	s := startSite(t)
	dialBoth(t, func(t *testing.T, network string) {
		username, password := s.login("ann", "S1")
		c := dial(t, network, s.at(network, addrOne), username, password)
		c.allocate()
		for method, attrs := range map[stun.Method][]stun.Setter{
			stun.MethodRefresh:          {lifetime(600)},
			stun.MethodCreatePermission: {peerAddress(netip.AddrPortFrom(addrPeer, 0))},
			stun.MethodChannelBind:      {channelNumber(0x4000), peerAddress(netip.AddrPortFrom(addrPeer, 9))},
		} {
			s.SpoilNonces()
			c.must(c.request(method, attrs...))
		}
	})
}

// A repeated request is answered as before (RFC 8656 section 7.2), in its own
// form.
func TestRepeatedAllocate(t *testing.T) {
	s := startSite(t)
	username, password := s.login("ann", "S1")
	c := dial(t, "udp", s.udp[addrOne], username, password)
	c.challenge()
	m := c.build(stun.MethodAllocate, requestUDP, evenPort, alsoTwo)
	if err := stun.Fingerprint.AddTo(m); err != nil {
		t.Fatal(err)
	}
	c.send(m.Raw)
	first := c.response(m)
	c.must(first)
	c.send(m.Raw)
	second := c.response(m)
	c.must(second)
	a, b := c.address(first, stun.AttrXORRelayedAddress), c.address(second, stun.AttrXORRelayedAddress)
	if a != b || a.Port()%2 != 0 {
		t.Errorf("relayed addresses: got %s, then %s, want the same with an even port", a, b)
	}
	for _, response := range []*stun.Message{first, second} {
		if err := c.integrity().Check(response); err != nil {
			t.Error(err)
		}
		if err := stun.Fingerprint.Check(response); err != nil {
			t.Error(err)
		}
		if response.Contains(stun.AttrReservationToken) {
			t.Error("a reservation was promised that nobody keeps")
		}
	}
	// ADDRESS-ERROR-CODE: IPv6, 440.
	if value, err := first.Get(0x8001); err != nil || !bytes.HasPrefix(value, []byte{2, 0, 4, 40}) {
		t.Errorf("wish for a second family: got %x, %v", value, err)
	}
	if got := s.Stats().AllocationsCreated; got != 1 {
		t.Errorf("allocations created: got %d, want 1", got)
	}
}

func TestUnauthenticatedMessages(t *testing.T) {
	s := startSite(t)
	dialBoth(t, func(t *testing.T, network string) {
		c := dial(t, network, s.at(network, addrOne), "", "")
		bad := c.build(stun.MethodBinding, raw{0x7fff, []byte("?")}, raw{dontFragment, nil})
		response := c.requestWith(bad, stun.Fingerprint)
		c.expectError(response, stun.MethodBinding, 420, []byte{0x7f, 0xff, 0, 0x1a})

		// A wrong fingerprint and an unknown method are dropped.
		wrong := c.build(stun.MethodBinding)
		wrong.Add(stun.AttrFingerprint, []byte{1, 2, 3, 4})
		c.silent(wrong)
		c.silent(c.build(stun.Method(0x0aa)))
	})
}

// An indication with something in it that must be understood is dropped (RFC
// 8489 section 6.3.2).
func TestIndicationsWithUnknownAttributes(t *testing.T) {
	s := startSite(t)
	dialBoth(t, func(t *testing.T, network string) {
		live := s.call(t, network)
		for _, attr := range []stun.AttrType{0x7fff, dontFragment} {
			m := stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodSend, stun.ClassIndication),
				peerAddress(local(live.peer)), raw{stun.AttrData, []byte("not understood")}, raw{attr, nil})
			live.send(m.Raw)
			live.indicate(local(live.peer), "understood")
			expectFrom(t, live.peer, "understood")
		}
	})
}

// What strangers get is not much more than what they send.
func TestNoAmplification(t *testing.T) {
	s, _ := startSquare(t) // where Binding responses are longest
	c := dial(t, "udp", s.udp[addrOne], "", "")
	for _, method := range []stun.Method{
		stun.MethodBinding, stun.MethodAllocate, stun.MethodRefresh, stun.MethodCreatePermission, stun.MethodChannelBind,
	} {
		bare := c.build(method)
		response := c.requestWith(bare, stun.Fingerprint)
		if got := len(response.Raw); got > 4*len(bare.Raw) {
			t.Errorf("%v: %d bytes for %d", method, got, len(bare.Raw))
		}
	}
}

func seconds(t *testing.T, m *stun.Message) uint32 {
	t.Helper()
	value, err := m.Get(stun.AttrLifetime)
	if err != nil || len(value) != 4 {
		t.Fatalf("%v: LIFETIME %x, %v", m, value, err)
	}
	return binary.BigEndian.Uint32(value)
}

// requestWith appends something that must come last, and sends.
func (c *client) requestWith(m *stun.Message, last stun.Setter) *stun.Message {
	c.t.Helper()
	if err := last.AddTo(m); err != nil {
		c.t.Fatal(err)
	}
	c.send(m.Raw)
	response := c.response(m)
	if err := stun.Fingerprint.Check(response); err != nil {
		c.t.Errorf("%v with a fingerprint, its response: %v", m.Type, err)
	}
	return response
}

// expectError looks at every byte of an error response that has a fixed place.
func (c *client) expectError(m *stun.Message, method stun.Method, want int, unknown []byte) {
	c.t.Helper()
	p := m.Raw
	if got, want := binary.BigEndian.Uint16(p), uint16(method)|0x0110; got != want {
		c.t.Fatalf("type: got %04x, want %04x", got, want)
	}
	if len(p) != 20+int(binary.BigEndian.Uint16(p[2:])) || len(p)%4 != 0 {
		c.t.Fatalf("length: got %d in %d bytes", binary.BigEndian.Uint16(p[2:]), len(p))
	}
	if !bytes.Equal(p[20:22], []byte{0, 9}) || !bytes.Equal(p[24:26], []byte{0, 0}) {
		c.t.Fatalf("ERROR-CODE is not first: %x", p)
	}
	if got := int(p[26])*100 + int(p[27]); got != want {
		c.t.Fatalf("code: got %d (%s), want %d", got, p[28:24+binary.BigEndian.Uint16(p[22:])], want)
	}
	value, err := m.Get(stun.AttrUnknownAttributes)
	if (err == nil) != (want == 420) || !bytes.Equal(value, unknown) {
		c.t.Errorf("UNKNOWN-ATTRIBUTES: got %x, %v, want %x", value, err, unknown)
	}
	if c.nonce == "" {
		if m.Contains(stun.AttrMessageIntegrity) {
			c.t.Error("signed, although nobody asked for it")
		}
		return
	}
	if err := c.integrity().Check(m); err != nil {
		c.t.Errorf("the response %d is not signed: %v", want, err)
	}
}
