package httpapi

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"
)

const readyTimeout = 3 * time.Second

func (a *App) healthz(c *fiber.Ctx) error { return c.JSON(fiber.Map{"status": "ok"}) }

// readyz asks every part and names those that fail; why goes to the log.
func (a *App) readyz(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(c.UserContext(), readyTimeout)
	defer cancel()
	status := fiber.StatusOK
	parts := fiber.Map{}
	for _, check := range a.cfg.Ready {
		parts[check.Name] = "ok"
		if err := check.Ask(ctx); err != nil {
			a.cfg.Logger.Error("not ready", "part", check.Name, "error", err)
			parts[check.Name] = "failing"
			status = fiber.StatusServiceUnavailable
		}
	}
	return c.Status(status).JSON(fiber.Map{"ready": status == fiber.StatusOK, "parts": parts})
}
