package people

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"fieldphone/httpapi/account"

	"golang.org/x/text/unicode/norm"
)

// The bounds of what people say of themselves and of each other.
const (
	MaxLineChars = 80
	MaxTagChars  = 24
	MaxTags      = 8
	MaxContacts  = 1000 // whom one person may mark
)

// The codes of refusals, besides those of account.
const (
	CodeInvalidLine     = "invalid_line"      // the line breaks the rule of [CleanLine]
	CodeInvalidTags     = "invalid_tags"      // the tags break the rule of [CleanTags]
	CodeInvalidPicture  = "invalid_picture"   // no picture that this server reads
	CodePictureTooLarge = "picture_too_large" // of bytes or pixels
	CodeTooManyContacts = "too_many_contacts" // as many as one person may mark
	CodeNotYourself     = "not_yourself"      // one cannot mark oneself
)

// Codes lists the catalogue, so that whoever maps codes to statuses can be
// tested for completeness.
func Codes() []string {
	return []string{CodeInvalidLine, CodeInvalidTags, CodeInvalidPicture, CodePictureTooLarge, CodeTooManyContacts, CodeNotYourself}
}

// CleanLine gives what somebody says of themselves, such as "medic, tent 4",
// by the rule of account.TextRule; it may be empty. The error is an
// [*account.Error] with invalid_line.
func CleanLine(line string) (string, error) {
	return account.TextRule{
		Code: CodeInvalidLine, Field: "line", What: "line", MaxChars: MaxLineChars, MaxBytes: 4 * MaxLineChars, Optional: true,
	}.Clean(line)
}

// CleanTags gives the tags as they are compared and shown: in Unicode's
// composed form, lower case, with single spaces, each once, in the order
// given. The error is an [*account.Error] with invalid_tags.
func CleanTags(tags []string) ([]string, error) {
	rule := account.TextRule{Code: CodeInvalidTags, Field: "tags", What: "tag", MaxChars: MaxTagChars, MaxBytes: 4 * MaxTagChars}
	var clean []string
	for _, tag := range tags {
		if utf8.ValidString(tag) { // else the rule says so
			tag = strings.ToLower(norm.NFC.String(strings.Join(strings.Fields(tag), " ")))
		}
		tag, err := rule.Clean(tag)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(clean, tag) {
			clean = append(clean, tag)
		}
		if len(clean) > MaxTags {
			return nil, &account.Error{
				Code: CodeInvalidTags, Field: "tags", Message: fmt.Sprintf("These are too many tags. Give at most %d.", MaxTags),
			}
		}
	}
	return clean, nil
}

// clean checks all of a change before any of it is written.
func (c Change) clean() (Change, error) {
	if c.Name != nil {
		name, err := account.CleanName(*c.Name)
		if err != nil {
			return Change{}, err
		}
		c.Name = &name
	}
	if c.Line != nil {
		line, err := CleanLine(*c.Line)
		if err != nil {
			return Change{}, err
		}
		c.Line = &line
	}
	if c.Tags != nil {
		tags, err := CleanTags(*c.Tags)
		if err != nil {
			return Change{}, err
		}
		c.Tags = &tags
	}
	return c, nil
}
