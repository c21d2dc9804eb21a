// Package schema describes the row to ent, whose code in the folder above is generated from it.
package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
)

// Person is the row that all are asked for.
type Person struct{ ent.Schema }

// Annotations names its table.
func (Person) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Annotation{Table: "people"}}
}

// Fields are its columns.
func (Person) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("id"), field.String("name"), field.String("email"), field.Int64("age"), field.Float("score"),
	}
}
