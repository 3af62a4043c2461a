package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

// ServeGorilla runs a plain hub as net/http and gorilla/websocket come, on a
// port of its choice, which it prints.
func ServeGorilla(ctx context.Context, out io.Writer) error {
	hub := NewPlainHub()
	ln, err := plainListener("127.0.0.1:0")
	if err != nil {
		return err
	}
	var upgrader websocket.Upgrader
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ws", func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return // it has been answered
		}
		hub.serve(r.URL.Query().Get("id"), conn)
		_ = conn.Close()
	})
	mux.HandleFunc("POST /all", func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(io.LimitReader(r.Body, 1<<16))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		hub.tell(text)
		w.WriteHeader(http.StatusNoContent)
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go hub.Run(ctx)
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	fmt.Fprintln(out, ln.Addr())
	return server.Serve(ln)
}
