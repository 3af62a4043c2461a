package bench

import (
	"context"
	"fmt"
	"io"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
)

// ServeFiber runs a plain hub as Fiber and contrib/websocket come, on a port of
// its choice, which it prints.
func ServeFiber(ctx context.Context, out io.Writer) error {
	hub := NewPlainHub()
	ln, err := plainListener("127.0.0.1:0")
	if err != nil {
		return err
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/ws", websocket.New(func(c *websocket.Conn) { hub.serve(c.Query("id"), c) }))
	app.Post("/all", func(c *fiber.Ctx) error {
		hub.tell(c.Body())
		return c.SendStatus(fiber.StatusNoContent)
	})
	go hub.Run(ctx)
	go func() {
		<-ctx.Done()
		_ = ln.Close()
	}()
	fmt.Fprintln(out, ln.Addr())
	return app.Listener(ln)
}
