package cache

// Waiting is how many callers wait for a key's load.
func Waiting(c *Cache, key string) int {
	stored, _ := c.storeKey(key)
	c.flights.mu.Lock()
	defer c.flights.mu.Unlock()
	if f := c.flights.byKey[stored]; f != nil {
		return f.waiting
	}
	return 0
}

// Linked reports whether the cache hears other nodes.
func Linked(c *Cache) bool { return c.link()%2 == 0 }

// Weight is how much memory the first level takes for its values.
func Weight(c *Cache) uint64 { return c.near.WeightedSize() }

// Inputs is how many inputs the one route that was asked depends on.
func Inputs(c *Cache) int {
	n := -1
	c.routes.byRoute.Range(func(_, value any) bool {
		if list := value.(*routeInputs).list.Load(); list != nil {
			n = len(*list)
		}
		return true
	})
	return n
}
