package internal_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// source is one Go file of the program, tests left out.
type source struct {
	path string // "cases/store.go"
	file *ast.File
	fset *token.FileSet
}

func (s source) line(n ast.Node) string {
	return s.path + ":" + strconv.Itoa(s.fset.Position(n.Pos()).Line)
}

// pkg is the folder directly under internal.
func (s source) pkg() string { return strings.Split(s.path, "/")[0] }

func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(fset, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		out = append(out, source{path: filepath.ToSlash(path), file: f, fset: fset})
		return nil
	})
	if err != nil || len(out) == 0 {
		t.Fatalf("read the program: %v", err)
	}
	return out
}

// literal is the text of a string expression; what only the running program knows stands as ‹…› in it. False when the
// expression is no string.
func literal(e ast.Expr) (string, bool) {
	switch x := e.(type) {
	case *ast.BasicLit:
		if x.Kind != token.STRING {
			return "", false
		}
		s, err := strconv.Unquote(x.Value)
		return s, err == nil
	case *ast.ParenExpr:
		return literal(x.X)
	case *ast.BinaryExpr:
		if x.Op != token.ADD {
			return "", false
		}
		l, lok := literal(x.X)
		r, rok := literal(x.Y)
		if !lok && !rok {
			return "", false
		}
		if !lok {
			l = hole(x.X)
		}
		if !rok {
			r = hole(x.Y)
		}
		return l + r, true
	}
	return "", false
}

// hole stands for a part that is not written in place: the columns of a row type by their alias, anything else by name.
func hole(e ast.Expr) string {
	if c, ok := e.(*ast.CallExpr); ok {
		if isColumns(c.Fun) && len(c.Args) == 1 {
			if alias, _ := literal(c.Args[0]); alias != "" {
				return alias + ".‹columns›"
			}
			return "‹columns›"
		}
	}
	if id, ok := e.(*ast.Ident); ok {
		return "‹" + id.Name + "›"
	}
	return "‹…›"
}

func isColumns(fun ast.Expr) bool {
	if x, ok := fun.(*ast.IndexExpr); ok {
		fun = x.X
	}
	sel, ok := fun.(*ast.SelectorExpr)
	return ok && sel.Sel.Name == "Columns"
}

// texts calls fn with every string expression of a file, joined over its + signs, once.
func texts(s source, fn func(n ast.Node, text string)) {
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.Field:
			if x.Tag != nil {
				ast.Inspect(x.Type, func(ast.Node) bool { return true })
				return false
			}
		case *ast.BinaryExpr, *ast.BasicLit:
			if text, ok := literal(x.(ast.Expr)); ok {
				fn(n, text)
				return false
			}
		}
		return true
	})
}
