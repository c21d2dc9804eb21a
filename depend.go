package ishaa

type dependencies struct{}

type providers struct{}

func (r *Request) closeDependencies(err error, streams bool) error { return nil }
