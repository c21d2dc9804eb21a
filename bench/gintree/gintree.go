// Package gintree calls Gin's route tree alone, without the context that its ServeHTTP takes from a pool, clears and
// puts back, so that trees are compared with trees. Gin does not export its tree, so this reaches it by its symbol; it
// fits one version of Gin and says so when it meets another.
//
//	tree, err := gintree.Of(engine)
//	handler := tree.Find("GET", "/users/octocat")
package gintree

import (
	"fmt"
	"reflect"
	"unsafe"

	"github.com/gin-gonic/gin"
)

// version is the one whose unexported types are mirrored below.
const version = "v1.12.0"

type skippedNode struct {
	_ string
	_ unsafe.Pointer
	_ int16
}

type nodeValue struct {
	handlers gin.HandlersChain
	_        *gin.Params
	_        bool
	fullPath string
}

//go:linkname getValue github.com/gin-gonic/gin.(*node).getValue
func getValue(root unsafe.Pointer, path string, params *gin.Params, skipped *[]skippedNode, unescape bool) nodeValue

// Tree is the route tree of an engine. It is for one goroutine.
type Tree struct {
	methods []string
	roots   []unsafe.Pointer
	params  gin.Params
	skipped []skippedNode
	engine  *gin.Engine // keeps the roots alive
}

// Of returns the tree of an engine whose routes are all registered. It fails if Gin is of another version, or if its
// types are not those known here.
func Of(engine *gin.Engine) (*Tree, error) {
	if gin.Version != version {
		return nil, fmt.Errorf("gintree: Gin is %s, but its tree is known here as of %s: compare the types and raise the version", gin.Version, version)
	}
	context, ok := reflect.TypeFor[gin.Context]().FieldByName("skippedNodes")
	if !ok || context.Type.Elem().Elem().Size() != unsafe.Sizeof(skippedNode{}) {
		return nil, fmt.Errorf("gintree: Gin's skippedNode is not as it is known here")
	}
	t := &Tree{engine: engine, params: make(gin.Params, 0, 32), skipped: make([]skippedNode, 0, 64)}
	trees := reflect.ValueOf(engine).Elem().FieldByName("trees")
	for i := range trees.Len() {
		one := trees.Index(i)
		t.methods = append(t.methods, one.FieldByName("method").String())
		t.roots = append(t.roots, one.FieldByName("root").UnsafePointer())
	}
	return t, nil
}

// Find returns the pattern that a path matches, empty if there is none. It does what Gin's ServeHTTP does to find a
// handler, and leaves the parameters in the tree.
func (t *Tree) Find(method, path string) (pattern string) {
	for i, m := range t.methods {
		if m != method {
			continue
		}
		t.params, t.skipped = t.params[:0], t.skipped[:0]
		value := getValue(t.roots[i], path, &t.params, &t.skipped, false)
		if value.handlers == nil {
			return ""
		}
		return value.fullPath
	}
	return ""
}
