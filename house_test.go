// Package usher_test holds the rules of the house that no compiler knows:
// what the module requires, who imports whom, and what lies where.
package usher_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"go/version"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/usher-go/usher"

// A game that imports the library gets these three and what they need.
func TestRequirements(t *testing.T) {
	t.Parallel()
	const (
		zerolog = "github.com/rs/zerolog"
		testify = "github.com/stretchr/testify"
		atomic  = "go.uber.org/atomic"
	)
	var direct []string
	for _, r := range readMod(t, "go.mod").Require {
		if !r.Indirect {
			direct = append(direct, r.Path)
		}
	}
	require.ElementsMatch(t, []string{zerolog, testify, atomic}, direct)

	var library, tests []string
	for _, f := range sources(t, "session", "slot", "validator") {
		if f.test() {
			tests = append(tests, f.imports()...)
		} else {
			library = append(library, f.imports()...)
		}
	}
	require.True(t, importsFrom(library, zerolog), "the library does not import zerolog")
	require.True(t, importsFrom(library, atomic), "the library does not import atomic")
	require.True(t, importsFrom(tests, testify), "no test imports testify")
	require.False(t, importsFrom(library, testify), "testify is for tests")
}

// validator → slot → session, and never back.
func TestImportDirection(t *testing.T) {
	t.Parallel()
	for room, mayImport := range map[string][]string{
		"session":   nil,
		"slot":      {"session", "slot/internal"},
		"validator": {"session", "slot", "validator/internal"},
	} {
		for _, f := range sources(t, room) {
			if f.test() {
				continue
			}
			for _, imported := range f.imports() {
				inner, ours := strings.CutPrefix(imported, module+"/")
				allowed := slices.ContainsFunc(mayImport, func(p string) bool { return within(inner, p) })
				require.True(t, !ours || allowed, "%s imports %s", f.path, inner)
			}
		}
	}
}

// The wheel is handed the time and is called under its owner's lock, so that
// it can be tested and reasoned about as plain data.
func TestWheelHasNoLockAndNoClock(t *testing.T) {
	t.Parallel()
	reads := []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"}
	for _, f := range sources(t, "slot/internal/wheel") {
		if f.test() {
			continue
		}
		for _, imported := range f.imports() {
			require.False(t, within(imported, module), "%s imports %s", f.path, imported)
			require.NotContains(t, []string{"sync", "sync/atomic", "go.uber.org/atomic"}, imported, f.path)
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" {
					require.NotContains(t, reads, s.Sel.Name, f.path)
				}
			}
			return true
		})
	}
}

// What a newcomer sees first. Names that begin with a dot belong to tools, the
// reader's own among them, so of those only ours are asked for.
func TestTopLevel(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	ignored := strings.Fields(read(t, ".gitignore"))

	var seen, dotted []string
	for _, e := range entries {
		switch name := e.Name(); {
		case strings.HasPrefix(name, "."):
			dotted = append(dotted, name)
		case !slices.ContainsFunc(ignored, func(p string) bool { return matches(t, p, name) }):
			seen = append(seen, name)
		}
	}
	require.ElementsMatch(t, []string{
		"bench", "examples", "session", "slot", "validator",
		"LICENSE", "README.md", "go.mod", "go.sum", "house_test.go",
	}, seen)
	require.Subset(t, dotted, []string{".ci", ".github", ".gitignore", ".golangci.yml", ".tools"})
}

// A nested module is built against this checkout, never against a release.
func TestNestedModules(t *testing.T) {
	t.Parallel()
	walk(t, ".", func(p string) {
		if path.Base(p) != "go.mod" || p == "go.mod" {
			return
		}
		mod := readMod(t, p)
		require.GreaterOrEqual(t, version.Compare("go"+mod.Go, "go1.25.0"), 0, "%s: go %s", p, mod.Go)
		i := slices.IndexFunc(mod.Replace, func(r replacement) bool { return r.Old.Path == module })
		require.GreaterOrEqual(t, i, 0, "%s: no replace for %s", p, module)
		root := mod.Replace[i].New.Path
		require.False(t, filepath.IsAbs(root), "%s: replace => %s", p, root)
		require.Equal(t, ".", path.Join(path.Dir(p), root), "%s: replace => %s", p, root)
	})
}

// Every command line of the README names folders that exist.
func TestReadmeCommands(t *testing.T) {
	t.Parallel()
	lines := strings.Split(read(t, "README.md"), "\n")
	require.Contains(t, lines, "go run ./examples/quickstart")
	require.Contains(t, lines, "go test ./...")
	for _, line := range lines {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] != "go" {
			continue
		}
		dir := "."
		if i := slices.Index(words, "-C"); i >= 0 && i+1 < len(words) {
			dir = words[i+1]
		}
		require.DirExists(t, dir, line)
		for _, w := range words {
			if strings.HasPrefix(w, "./") {
				require.DirExists(t, filepath.Join(dir, strings.TrimSuffix(w, "...")), line)
			}
		}
	}
}

// mod is the part of `go mod edit -json` that the rules speak of.
type mod struct {
	Go      string
	Require []struct {
		Path     string
		Indirect bool
	}
	Replace []replacement
}

type replacement struct {
	Old, New struct{ Path string }
}

func readMod(t *testing.T, file string) mod {
	t.Helper()
	require.FileExists(t, file) // looked at by this process, or a cached result outlives a change
	out, err := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json", file).Output()
	require.NoError(t, err)
	var m mod
	require.NoError(t, json.Unmarshal(out, &m))
	return m
}

// source is one Go file, whatever its build constraints.
type source struct {
	path   string
	syntax *ast.File
}

func (s source) test() bool { return strings.HasSuffix(s.path, "_test.go") }

func (s source) imports() []string {
	var paths []string
	for _, i := range s.syntax.Imports {
		if p, err := strconv.Unquote(i.Path.Value); err == nil {
			paths = append(paths, p)
		}
	}
	return paths
}

// sources parses every Go file below the given folders of the root module.
func sources(t *testing.T, dirs ...string) []source {
	t.Helper()
	var files []source
	for _, dir := range dirs {
		n := len(files)
		walk(t, dir, func(p string) {
			if path.Ext(p) != ".go" {
				return
			}
			f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			files = append(files, source{path: p, syntax: f})
		})
		require.Greater(t, len(files), n, "no Go files in %s", dir)
	}
	return files
}

// walk visits the files below dir, those of dot-folders left out.
func walk(t *testing.T, dir string, visit func(slashed string)) {
	t.Helper()
	require.NoError(t, fs.WalkDir(os.DirFS("."), dir, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && p != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case !d.IsDir():
			visit(p)
		}
		return nil
	}))
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	return strings.ReplaceAll(string(b), "\r\n", "\n") // as git may check out on Windows
}

func matches(t *testing.T, pattern, name string) bool {
	t.Helper()
	ok, err := path.Match(pattern, name)
	require.NoError(t, err)
	return ok
}

func importsFrom(imports []string, from string) bool {
	return slices.ContainsFunc(imports, func(p string) bool { return within(p, from) })
}

// within reports whether the package p is parent or lies below it.
func within(p, parent string) bool {
	return p == parent || strings.HasPrefix(p, parent+"/")
}
