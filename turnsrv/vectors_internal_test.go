package turnsrv

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/pion/stun/v3"
)

// The test vectors of RFC 5769.
const (
	vectorRequest = `00010058 2112a442 b7e7a701 bc34d686 fa87dfae
		80220010 5354554e 20746573 7420636c 69656e74
		00240004 6e0001ff
		80290008 932ff9b1 51263b36
		00060009 6576746a 3a683676 59202020
		00080014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249 c1b571a2
		80280004 e57a3bcf`
	vectorLongTerm = `00010060 2112a442 78ad3433 c6ad72c0 29da412e
		00060012 e3839ee3 8388e383 aae38383 e382afe3 82b90000
		0015001c 662f2f34 39396b39 35346436 4f4c3334 6f4c3946 53547679 36347341
		0014000b 6578616d 706c652e 6f726700
		00080014 f6702465 6dd64a3e 02b8e071 2e85c9a2 8ca89666`
	vectorTransaction = `b7e7a701 bc34d686 fa87dfae`
	vectorMappedIPv4  = `0001a147 e112a643`
	vectorMappedIPv6  = `0002a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9`
)

func vector(t *testing.T, text string) []byte {
	t.Helper()
	p, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestVectorsOfRFC5769(t *testing.T) {
	client := netip.MustParseAddrPort("192.0.2.1:32853")
	for name, test := range map[string]struct {
		text        string
		key         stun.MessageIntegrity
		fingerprint bool
		unknown     []stun.AttrType
	}{
		"2.1": {vectorRequest, stun.MessageIntegrity("VOkJxbRl1RmTxUk/WvJxBt"), true, []stun.AttrType{stun.AttrPriority}},
		"2.4": {vectorLongTerm, stun.NewLongTermIntegrity("マトリックス", "example.org", "TheMatrIX"), false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := vector(t, test.text)
			var r request
			if !r.read(p, client) || !r.provedBy(test.key) {
				t.Fatal("a good message was refused")
			}
			if r.fingerprint != test.fingerprint || len(r.unknown) != len(test.unknown) {
				t.Errorf("fingerprint %v, unknown %v, want %v, %v", r.fingerprint, r.unknown, test.fingerprint, test.unknown)
			}
			if r.provedBy(test.key[1:]) {
				t.Error("another key fits, too")
			}
			for i := range 8 * len(p) {
				changed := append([]byte{}, p...)
				changed[i/8] ^= 1 << (i % 8)
				if r.read(changed, client) && r.provedBy(test.key) && r.fingerprint == test.fingerprint {
					t.Errorf("bit %d changed: still good", i)
				}
			}
			for n := range p {
				if r.read(p[:n], client) {
					t.Errorf("the first %d bytes are taken for a message", n)
				}
			}
			if r.read(append(p[:len(p):len(p)], 0, 0, 0, 0), client) {
				t.Error("a message with something behind it is taken for one")
			}
		})
	}
}

func TestXORAddress(t *testing.T) {
	id := [stun.TransactionIDSize]byte(vector(t, vectorTransaction))
	for text, want := range map[string]string{
		vectorMappedIPv4: "192.0.2.1:32853",
		vectorMappedIPv6: "[2001:db8:1234:5678:11:2233:4455:6677]:32853",
	} {
		value := vector(t, text)
		if got, _, ok := xorAddress(value, id); !ok || got.String() != want {
			t.Errorf("got %s, %v, want %s", got, ok, want)
		}
		for n := range value {
			if got, _, ok := xorAddress(value[:n], id); ok {
				t.Errorf("%d bytes of %s: got %s", n, want, got)
			}
		}
		if _, _, ok := xorAddress(append(value, 0), id); ok {
			t.Errorf("%s and one byte more was taken", want)
		}
	}
	if _, _, ok := xorAddress([]byte{0, 3, 0, 0, 1, 2, 3, 4}, id); ok {
		t.Error("a family that does not exist was taken")
	}
}

// Anybody can append to a signed message: it must say nothing.
func TestNothingCountsBehindTheSignature(t *testing.T) {
	key := stun.NewLongTermIntegrity("ann", "example.org", "secret")
	m, err := stun.Build(stun.TransactionID, stun.NewType(stun.MethodCreatePermission, stun.ClassRequest),
		stun.NewUsername("ann"), key,
		stun.NewNonce("later"), stun.RawAttribute{Type: stun.AttrXORPeerAddress, Value: make([]byte, 8)},
		stun.RawAttribute{Type: stun.AttrDontFragment}, stun.Fingerprint)
	if err != nil {
		t.Fatal(err)
	}
	var r request
	if !r.read(m.Raw, netip.AddrPort{}) || !r.provedBy(key) {
		t.Fatal("the message was refused")
	}
	if r.message.Contains(stun.AttrNonce) || r.message.Contains(stun.AttrXORPeerAddress) || len(r.unknown) > 0 {
		t.Errorf("got %v, unknown %v", r.message.Attributes, r.unknown)
	}
}
