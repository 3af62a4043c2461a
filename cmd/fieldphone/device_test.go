package main

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"fieldphone/rtc"

	"github.com/fasthttp/websocket"
)

// rawDevice says whatever a test wants said.
type rawDevice struct {
	t    *testing.T
	conn *websocket.Conn
	user string
	id   int
}

// device registers a user and connects a device from a local address.
func (r *runner) device(user string, from netip.Addr) *rawDevice {
	r.t.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: from.AsSlice()}}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: r.tls, DialContext: dialer.DialContext}}
	defer client.CloseIdleConnections()
	body := fmt.Sprintf(`{"id":%q,"name":%q,"password":"correct horse %s"}`, user, strings.ToUpper(user), user)
	resp, err := client.Post(r.url+"/api/v1/register", "application/json", strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	resp.Body.Close()
	ws := websocket.Dialer{TLSClientConfig: r.tls, NetDialContext: dialer.DialContext}
	conn, resp, err := ws.DialContext(r.t.Context(), strings.Replace(r.url, "https:", "wss:", 1)+"/api/v1/ws", http.Header{"Authorization": {"Bearer " + r.signIn(user)}})
	if err != nil {
		r.t.Fatal(err)
	}
	resp.Body.Close()
	r.t.Cleanup(func() { conn.Close() })
	d := &rawDevice{t: r.t, conn: conn, user: user}
	d.say(&rtc.Hello{Device: "device-of-" + user})
	hear[*rtc.Welcome](d)
	return d
}

// say sends a request.
func (d *rawDevice) say(msg rtc.Message) {
	d.t.Helper()
	d.id++
	frame, err := rtc.EncodeRequest(msg, fmt.Sprint(d.id))
	if err != nil {
		d.t.Fatal(err)
	}
	if err := d.conn.WriteMessage(websocket.TextMessage, frame); err != nil {
		d.t.Fatal(err)
	}
}

// do sends a request and waits until it was carried out.
func (d *rawDevice) do(msg rtc.Message) {
	d.t.Helper()
	d.say(msg)
	hear[*rtc.Ack](d)
}

// hear waits for a message of one kind and passes over others.
func hear[M rtc.Message](d *rawDevice) M {
	d.t.Helper()
	if err := d.conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		d.t.Fatal(err)
	}
	for {
		_, frame, err := d.conn.ReadMessage()
		if err != nil {
			var want M
			d.t.Fatalf("%s waits for %T: %v", d.user, want, err)
		}
		_, msg, err := rtc.Decode(frame)
		if err != nil {
			d.t.Fatalf("%s: %v: %s", d.user, err, frame)
		}
		switch m := msg.(type) {
		case M:
			return m
		case *rtc.Error:
			d.t.Fatalf("%s is refused: %v", d.user, m)
		}
	}
}

// call brings two devices into a call.
func (d *rawDevice) call(id string, other *rawDevice) {
	d.t.Helper()
	d.do(&rtc.CallInvite{Call: id, To: other.user, Media: rtc.Video})
	hear[*rtc.CallIncoming](other)
	other.say(&rtc.CallAccept{Call: id, Media: rtc.Video})
	hear[*rtc.CallStarted](d)
	hear[*rtc.CallStarted](other)
}
