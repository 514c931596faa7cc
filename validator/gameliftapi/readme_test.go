package gameliftapi_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/validator/gameliftapi"
)

// sample is the code of a language that README.md prints.
func sample(t *testing.T, language string) string {
	t.Helper()
	block := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindStringSubmatch(readme(t))
	require.NotNil(t, block)
	return block[1]
}

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	return string(text)
}

// The game server in README.md compiles, as the body of a function.
func TestGameServerInReadme(t *testing.T) {
	t.Parallel()
	program := `package main

import (
	"net/http"
	"os"
	"time"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator/gameliftapi"
)

func main() { _ = serve() }

func serve() error {
` + sample(t, "go") + "}\n"
	file := filepath.Join(t.TempDir(), "main.go")
	require.NoError(t, os.WriteFile(file, []byte(program), 0o600))
	run(t, ".", nil, "go", "vet", file)
}

func TestOperationsInReadme(t *testing.T) {
	t.Parallel()
	_, table, _ := strings.Cut(readme(t), "## Operations")
	table, _, _ = strings.Cut(table, "All others")
	require.ElementsMatch(t, gameliftapi.Operations(), regexp.MustCompile(`(Create|Describe|Search|Update|Terminate)[A-Za-z]+Session(s|Details)?\b`).FindAllString(table, -1))
}
