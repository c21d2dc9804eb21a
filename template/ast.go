package template

// The syntax tree. Expressions and statements carry where they stand.

type expr interface{ where() *position }

type at struct{ pos *position }

func (a at) where() *position { return a.pos }

type (
	constX struct {
		at
		v value
	}
	nameX struct {
		at
		name string
	}
	listX struct {
		at
		items []expr
		tuple bool
	}
	dictX struct {
		at
		keys, values []expr
	}
	attrX struct {
		at
		of   expr
		name string
	}
	itemX struct {
		at
		of, index expr
	}
	sliceX struct {
		at
		of                expr
		start, stop, step expr
	}
	callX struct {
		at
		fn   expr
		args arguments
	}
	filterX struct {
		at
		of   expr // nil at the head of a filter block
		name string
		args arguments
	}
	testX struct {
		at
		of   expr
		name string
		args arguments
		not  bool
	}
	unaryX struct {
		at
		op string // "-", "+", "not"
		of expr
	}
	binaryX struct {
		at
		op          string // arithmetic, "and", "or"
		left, right expr
	}
	concatX struct {
		at
		parts []expr
	}
	compareX struct {
		at
		first expr
		ops   []string
		rest  []expr
	}
	condX struct {
		at
		test, then, otherwise expr // otherwise may be nil
	}
)

type keyword struct {
	name  string
	value expr
}

// arguments of a call, filter or test; star and doubleStar are *args and **kwargs.
type arguments struct {
	pos              []expr
	kw               []keyword
	star, doubleStar expr
}

type stmt interface{ where() *position }

type (
	textS struct {
		at
		text string
	}
	outputS struct {
		at
		x expr
	}
	ifS struct {
		at
		tests  []expr
		bodies [][]stmt // one more than tests where there is an else
	}
	forS struct {
		at
		target, iter, filter expr
		recursive            bool
		body, otherwise      []stmt
	}
	breakS struct {
		at
		again bool // continue
	}
	setS struct {
		at
		target, value expr
	}
	setBlockS struct {
		at
		target expr
		filter expr // nil or a chain whose head is nil
		body   []stmt
	}
	withS struct {
		at
		names  []expr
		values []expr
		body   []stmt
	}
	filterS struct {
		at
		filter expr
		body   []stmt
	}
	autoescapeS struct {
		at
		on   expr
		body []stmt
	}
	blockS struct {
		at
		name             string
		scoped, required bool
		body             []stmt
	}
	extendsS struct {
		at
		name expr
	}
	includeS struct {
		at
		name          expr
		ignoreMissing bool
		withContext   bool
	}
	importS struct {
		at
		name        expr
		as          string      // import … as
		names       [][2]string // from … import name as alias
		withContext bool
	}
	macroS struct {
		at
		name     string // "" for the body of a call block
		params   []string
		defaults []expr // of the last parameters
		body     []stmt
	}
	callS struct {
		at
		call expr
		body *macroS
	}
	doS struct {
		at
		x expr
	}
)
