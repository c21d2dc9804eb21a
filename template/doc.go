// Package template renders pages in Jinja's language, compiled to closures, with escaping that fits the place of every
// value.
//
//	package main
//
//	import (
//		"os"
//
//		"github.com/ishaa-framework/ishaa"
//		"github.com/ishaa-framework/ishaa/template"
//	)
//
//	func main() {
//		app := ishaa.New("shop")
//		app.Install(template.New(os.DirFS("templates")))
//		app.Get("/", func(r *ishaa.Request) (any, error) {
//			return template.Page("index.html", map[string]any{"name": "Ann"}), nil
//		})
//		app.Run()
//	}
//
// # The language
//
// Expressions: arithmetic (+ - * / // % **), comparison chains, in and not in, tests with is, "~", inline if, literals
// of strings, numbers, lists, tuples and dicts, slices, calls with keywords, *args and **kwargs, filters.
//
// Tags: extends, block (scoped, required, super(), super.super(), self.name()), include (lists, ignore missing, with or
// without context), import, from, macro (defaults, varargs, kwargs, caller), call, for (else, loop.*, recursive, if,
// unpacking), break, continue, if, set (also as a block, with filters, and of a namespace's attributes), with, filter,
// raw, autoescape, do, print. {% trans %} writes its text as it stands. Comments, white space control by "-" and "+",
// and in [Syntax] other delimiters, line statements and comments, TrimBlocks, LstripBlocks, KeepTrailingNewline.
//
// All of Jinja's filters and tests, and the filters strip and format_number; the functions range, dict, namespace,
// cycler, joiner, lipsum; those of Python's methods of strings, lists and dicts that templates use. In a page also
// request, url and csp_nonce, see [Page].
//
// Values are Go's: fields and methods of structs, where full_name finds FullName and a method without parameters needs
// no brackets; maps, whose keys come sorted; slices; iterators, which a loop collects first; functions. Only what is
// exported is reachable. A method that returns an error stops the page, with the template's file and line. The text of
// a value is that of its method String or Error, and otherwise Python's: True, None, 1.0, ['a'].
//
// # Escaping
//
// The default, [Contextual], reads the page as a browser does while it compiles a template, and escapes each value for
// where it stands: text, an attribute with quotes or without, a URL (of a scheme other than http, https, mailto, tel,
// sms and ftp only [Blocked] remains), srcset, a script, a string or template literal in it, an event handler, a style,
// srcdoc. In a script a value is written as JSON. The filter safe, as the last one, trusts a value for the place where it
// stands: as HTML, URL, JavaScript or CSS; in an attribute it is still escaped as one. What a macro, a set block or the
// type [HTML] gives is HTML in text and plain text elsewhere.
//
// Loops, blocks, macros and included templates have to end where in the page they begin, and branches of an if have to
// agree; a value where its meaning cannot be told, as in a regular expression or in the middle of a name, is an error
// when the template is compiled. {% autoescape false %} switches escaping off, as in Jinja. Options.Escape chooses Jinja's
// own escaping, or none, by the template's name. Templates are the program's own: data is never compiled.
//
// # Differences from Jinja
//
//   - Integers have 64 bits; a result beyond them stops the page, and so does a complex number.
//   - A filter, test or tag that does not exist is an error when the template is compiled, also in a branch that is
//     never taken; so is a wrong parameter of a filter.
//   - Python's own attributes, such as __class__, do not exist; nor does the debug tag.
//   - groupby, map, select, range and the like give lists, and a for loop reads an iterator to its end first.
//   - A block inside of a macro is that of the template, not of the macro's call.
//   - A filter block's result is escaped unless it is HTML.
//   - trans does not translate.
//   - Numbers are written by Go's shortest form, which may differ in the last digit for results of **.
//   - str.format knows names and numbers in braces, not format specifications; wordwrap does not break before every
//     hyphen that Python's textwrap breaks before.
//
// # Limits
//
// [Limits] bounds output, turns of loops and nesting; a context that ends stops the page. A page is rendered into memory
// and written when it is complete, so a page with an error sends nothing.
package template
