package bench

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"math/big"
	"net"
	"sync"
	"time"
)

// PlainHub is the least that a signalling server can be: it passes envelopes on
// by their `to`, sends its list of people and its changes, and pings. What a
// real one costs is measured beside it. It trusts whoever comes, so it is for
// loopback alone.
type PlainHub struct {
	mu      sync.Mutex
	clients map[string]*plainClient
	news    []plainPerson
	people  []plainPerson
}

type plainPerson struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Status string `json:"status"`
}

// plainClient is served by two goroutines, one of which writes.
type plainClient struct {
	queue   chan []byte
	welcome bool
}

// plainConn is a WebSocket of any library.
type plainConn interface {
	ReadMessage() (kind int, frame []byte, err error)
	WriteMessage(kind int, frame []byte) error
}

type plainEnvelope struct {
	Type string          `json:"type"`
	To   string          `json:"to,omitempty"`
	Data json.RawMessage `json:"data,omitempty"`
}

const (
	plainQueue     = 16
	plainHeartbeat = 5 * time.Second
	plainNews      = 250 * time.Millisecond
	textMessage    = 1
)

// NewPlainHub makes one.
func NewPlainHub() *PlainHub { return &PlainHub{clients: make(map[string]*plainClient)} }

// Run sends pings and changes until ctx ends.
func (h *PlainHub) Run(ctx context.Context) {
	beat, news := time.NewTicker(plainHeartbeat), time.NewTicker(plainNews)
	defer beat.Stop()
	defer news.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-beat.C:
			h.all("ping", json.RawMessage(fmt.Sprintf(`{"server_time":%d}`, now.UnixMilli())))
		case <-news.C:
			h.mu.Lock()
			changed := h.news
			h.news = nil
			h.mu.Unlock()
			if len(changed) > 0 {
				if data, err := json.Marshal(map[string]any{"people": changed}); err == nil {
					h.all("presence.update", data)
				}
			}
		}
	}
}

// serve is one connection's life.
func (h *PlainHub) serve(id string, conn plainConn) {
	c := &plainClient{queue: make(chan []byte, plainQueue)}
	h.mu.Lock()
	h.clients[id] = c
	h.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for frame := range c.queue {
			if conn.WriteMessage(textMessage, frame) != nil {
				return
			}
		}
	}()
	for {
		_, frame, err := conn.ReadMessage()
		if err != nil {
			break
		}
		h.take(c, id, frame)
	}
	h.mu.Lock()
	delete(h.clients, id)
	close(c.queue)
	h.mu.Unlock()
	<-done
}

func (h *PlainHub) take(c *plainClient, id string, frame []byte) {
	var env plainEnvelope
	if json.Unmarshal(frame, &env) != nil {
		return
	}
	switch env.Type {
	case "hello":
		var hello struct{ Name string }
		_ = json.Unmarshal(env.Data, &hello)
		h.welcome(c, plainPerson{id, hello.Name, "free"})
	case "call.signal":
		h.pass(env.To, "call.signal", env.Data)
	case "call.invite":
		h.pass(env.To, "call.incoming", env.Data)
	}
}

func (h *PlainHub) welcome(c *plainClient, who plainPerson) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c.welcome = true
	h.news, h.people = append(h.news, who), append(h.people, who)
	c.put(plainFrame("welcome", nil))
	if data, err := json.Marshal(map[string]any{"people": h.people}); err == nil {
		c.put(plainFrame("presence.snapshot", data))
	}
}

func (h *PlainHub) pass(to, kind string, data json.RawMessage) {
	frame := plainFrame(kind, data)
	h.mu.Lock()
	defer h.mu.Unlock()
	if c := h.clients[to]; c != nil {
		c.put(frame)
	}
}

// all sends one frame to everybody who has said hello.
func (h *PlainHub) all(kind string, data json.RawMessage) {
	frame := plainFrame(kind, data)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.clients {
		if c.welcome {
			c.put(frame)
		}
	}
}

func plainFrame(kind string, data json.RawMessage) []byte {
	frame, _ := json.Marshal(plainEnvelope{Type: kind, Data: data})
	return frame
}

// put drops what a full queue has no room for.
func (c *plainClient) put(frame []byte) {
	select {
	case c.queue <- frame:
	default:
	}
}

// tell is what the request that tells something to all does.
func (h *PlainHub) tell(text []byte) {
	data, err := json.Marshal(map[string]any{"people": []any{map[string]any{
		"id": "guest-0000000000000000", "name": "Bench", "line": string(bytes.TrimSpace(text)), "tags": []string{"medics", "night shift"}, "picture": "", "quiet": false,
	}}})
	if err == nil {
		h.all("profile.update", data)
	}
}

// plainListener speaks TLS with a certificate of its own, as long as a real one's.
func plainListener(address string) (net.Listener, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), DNSNames: []string{"localhost"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, NextProtos: []string{"http/1.1"}}
	return tls.Listen("tcp", address, config)
}
