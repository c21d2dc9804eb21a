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
// cycler, joiner, lipsum; those of Python's methods of strings, lists and dicts that templates use, with str.format and
// its format specifications. In a page also request, url, csp_nonce and what Options.PerRequest names, see [Page].
//
// Values are Go's: fields and methods of structs, where full_name finds FullName and a method without parameters needs
// no brackets; maps, whose keys come sorted; slices; iterators, which a loop collects first; functions. Only what is
// exported is reachable. A method that returns an error stops the page, with the template's file and line. The text of
// a value is that of its method String or Error, and otherwise Python's: True, None, 1.0, ['a'].
//
// # Escaping
//
// The default, [Contextual], reads the page as a browser does while it compiles a template, and escapes each value for
// where it stands:
//
//	text, title, textarea   &, <, >, " and '
//	an attribute            the same; without quotes also white space
//	a URL                   percent-encoded by its part; at its beginning a scheme other than http, https, mailto, tel,
//	                        sms and ftp leaves only [Blocked]; behind "/" a value cannot name a host
//	srcset, refresh, data:  the same for each address in it; of data: only images, sounds, videos and fonts
//	script, onclick, v-if   JSON; within quotes the inside of a string, also of a template literal; nothing in comments
//	style                   words, numbers, colours and lengths; within quotes a string; in url() a URL
//	srcdoc                  for its place in the page that the attribute is
//	<h{{ level }}>          1 to 6
//	<option{{ x }}>         an attribute's name, of attributes that are only text
//
// The attributes of htmx, Alpine and Vue that hold expressions or JSON count as scripts. The filter safe, as the last one,
// trusts a value for the place where it stands: as HTML, URL, JavaScript or CSS; in an attribute it is still escaped as
// one. What a macro, a set block or the type [HTML] gives is HTML in text and plain text elsewhere. The filter xmlattr
// escapes each value for its attribute, but takes what is constant in the template as it is.
//
// Loops have to end where in the page they begin, so have blocks, macros and included templates, and branches of an if
// have to agree. Where the meaning of a value cannot be told, there is an error when the template is compiled: in a
// regular expression, in a javascript: URL, in front of the ":" of a URL, in the middle of a name, behind "</" in a
// script's string. {% autoescape false %} switches escaping off, as in Jinja. Options.Escape chooses Jinja's own escaping,
// or none, by the template's name. Templates are the program's own: data is never compiled.
//
// # Differences from Jinja
//
//   - Integers have 64 bits; a result beyond them stops the page, and so does a complex number, as of (-8) ** 0.5: pages
//     have no use for either, and every other number costs nothing to make.
//   - A filter, test or tag that does not exist is an error when the template is compiled, also in a branch that is
//     never taken; so is a wrong parameter of a filter. Mistakes are found before anybody visits the page.
//   - Python's own attributes, such as __class__, do not exist, as there is no Python; nor does the debug tag, which shows
//     Python's objects.
//   - groupby, map, select, range and the like give lists, not iterators, and a for loop reads an iterator to its end
//     first, so that its length is known: their own text, as <generator object …>, is that of a list.
//   - A block inside of a macro is that of the template, not of the macro's call.
//   - A filter block's result is escaped unless it is HTML.
//   - trans does not translate: its text stays as it is. A function in Options.PerRequest can translate.
//   - -1 ** n is (-1) ** n; in Jinja that depends on whether n is a constant. HTML that ~ joins stays HTML, also if all of
//     it is constant, where Jinja's optimizer loses it.
//   - Results of ** are rounded correctly, which the C library of Python does not always do: the last digit may differ.
//   - In str.format "#" does nothing for numbers that are no integers, and a specification holds no braces.
//
// # Limits
//
// [Limits] bounds output, turns of loops and nesting; a context that ends stops the page. Besides, a page may compare a
// million items within lists and mappings, and the text of one value may have 16 MiB. A page is rendered into memory and
// written when it is complete, so a page with an error sends nothing.
package template
