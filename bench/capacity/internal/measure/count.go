package measure

import (
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// count writes a number with commas.
func count(n int) string { return message.NewPrinter(language.English).Sprintf("%d", n) }
