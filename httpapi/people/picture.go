package people

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/gif" // formats that Decode reads
	"image/jpeg"
	_ "image/png"
	"time"

	"fieldphone/httpapi/account"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp"
)

// The bounds of a picture as it comes, and what is made of it.
const (
	MaxPictureBytes  = 1 << 20
	MaxPictureSide   = 4096 // pixels
	maxPicturePixels = 8 << 20
	pictureSide      = 256 // pixels, of what is kept
	pictureQuality   = 85
	picturesAtOnce   = 2 // decoded: each may take 64 MB for a moment
)

func invalidPicture(cause error) error {
	return fmt.Errorf("%w (%w)", &account.Error{
		Code: CodeInvalidPicture, Field: "picture", Message: "This is no picture that can be read here. Give a JPEG, PNG, WebP or GIF.",
	}, cause)
}

func pictureTooLarge() error {
	return &account.Error{
		Code: CodePictureTooLarge, Field: "picture",
		Message: fmt.Sprintf("The picture is too large. Give at most 1 MiB, %d pixels a side and 8 million pixels.", MaxPictureSide),
	}
}

// makePicture decodes a picture from outside and makes the JPEG that is kept:
// nothing of what came, such as a place in its metadata, is in it. It looks at
// the dimensions before it decodes, since a few bytes may claim any number of
// pixels.
func makePicture(raw []byte) (made []byte, err error) {
	defer func() {
		if broken := recover(); broken != nil { // a decoder's bug must not end everybody's calls
			made, err = nil, invalidPicture(fmt.Errorf("decoder: %v", broken))
		}
	}()
	if len(raw) > MaxPictureBytes {
		return nil, pictureTooLarge()
	}
	claimed, _, err := image.DecodeConfig(bytes.NewReader(raw))
	switch {
	case err != nil:
		return nil, invalidPicture(err)
	case claimed.Width <= 0 || claimed.Height <= 0:
		return nil, invalidPicture(errors.New("without pixels"))
	case claimed.Width > MaxPictureSide || claimed.Height > MaxPictureSide || claimed.Width*claimed.Height > maxPicturePixels:
		return nil, pictureTooLarge()
	}
	picture, _, err := image.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, invalidPicture(err)
	}
	square := image.NewRGBA(image.Rect(0, 0, pictureSide, pictureSide))
	draw.Draw(square, square.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.CatmullRom.Scale(square, square.Bounds(), picture, middle(picture.Bounds()), draw.Over, nil)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, square, &jpeg.Options{Quality: pictureQuality}); err != nil {
		return nil, invalidPicture(err)
	}
	return out.Bytes(), nil
}

// middle is the largest square in the middle of a picture.
func middle(b image.Rectangle) image.Rectangle {
	side := min(b.Dx(), b.Dy())
	from := b.Min.Add(image.Pt((b.Dx()-side)/2, (b.Dy()-side)/2))
	return image.Rectangle{Min: from, Max: from.Add(image.Pt(side, side))}
}

// SetPicture makes somebody's picture of what came and gives the person. Its
// errors are invalid_picture, picture_too_large, rate_limited, busy, not_found
// and store_unavailable.
func (s *Service) SetPicture(ctx context.Context, id string, raw []byte) (Person, error) {
	if err := s.mayChange(id); err != nil {
		return Person{}, err
	}
	select {
	case s.decoding <- struct{}{}:
	case <-time.After(decodeWait):
		return Person{}, &account.Error{
			Code: account.CodeBusy, Message: "The server is busy with other pictures. Try again in a few seconds.", RetryAfter: 2 * time.Second,
		}
	}
	made, err := makePicture(raw)
	<-s.decoding
	if err != nil {
		return Person{}, err
	}
	sum := sha256.Sum256(made)
	return s.written(ctx, id, s.store.SetPicture(ctx, id, hex.EncodeToString(sum[:8]), made))
}

// RemovePicture takes somebody's picture away and gives the person.
func (s *Service) RemovePicture(ctx context.Context, id string) (Person, error) {
	if err := s.mayChange(id); err != nil {
		return Person{}, err
	}
	return s.written(ctx, id, s.store.SetPicture(ctx, id, "", nil))
}

// Picture gives somebody's picture as a JPEG, and its version. Its errors are
// not_found and store_unavailable.
func (s *Service) Picture(ctx context.Context, id string) (version string, jpeg []byte, err error) {
	if person, ok := s.Person(id); !ok || person.Picture == "" { // without the database
		return "", nil, account.StoreFailure("look for picture", account.ErrNotFound)
	}
	version, jpeg, err = s.store.Picture(ctx, id)
	if err != nil {
		return "", nil, account.StoreFailure("read picture", err)
	}
	return version, jpeg, nil
}
