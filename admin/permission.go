package admin

import (
	"context"
	"slices"

	"github.com/ishaa-framework/ishaa/auth"
)

// Action is what somebody wants to do to rows of a model.
type Action string

// The actions.
const (
	View   Action = "view"
	Create Action = "create"
	Edit   Action = "edit"
	Delete Action = "delete"
	Run    Action = "run" // an action of the program's own
	Export Action = "export"
	Import Action = "import" // with it, rows are also checked for Create and Edit
	Audit  Action = "audit"  // reads what others have done
)

// Ask is a question about a permission. It is asked twice where a row is involved: first for the model as a whole, then for
// the row, as it is in the database; an edit is asked for once more with the row as it would be.
type Ask struct {
	Who    *auth.Identity
	Action Action
	Model  string // the table; "" for the log of all models
	Name   string // of the program's own action, for Run
	Row    any    // a pointer to the model, or nil for the model as a whole
}

// Roles say what may be done by whom: actions by role, for all models and rows. Its method Allow is the panel's default
// permission, with DefaultRoles.
type Roles map[string][]Action

// DefaultRoles are admin, who may do everything; editor, who may do all but import and read the log of others; and reader, who
// may look and export.
func DefaultRoles() Roles {
	return Roles{
		"admin":  {View, Create, Edit, Delete, Run, Export, Import, Audit},
		"editor": {View, Create, Edit, Delete, Run, Export},
		"reader": {View, Export},
	}
}

// Allow answers by the roles of who asks.
func (roles Roles) Allow(_ context.Context, ask Ask) (bool, error) {
	for role, actions := range roles {
		if slices.Contains(actions, ask.Action) && ask.Who != nil && ask.Who.HasRole(role) {
			return true, nil
		}
	}
	return false, nil
}

// may asks whether the visitor may do something to a model as a whole.
func (v *visit) may(m *model, a Action) bool {
	return !m.noActions[a] && v.mayAsk(Ask{Action: a, Model: m.slug})
}

// mayRow asks for a model and one of its rows.
func (v *visit) mayRow(m *model, a Action, row any) bool {
	return v.may(m, a) && v.mayAsk(Ask{Action: a, Model: m.slug, Row: row})
}

// mayRun asks for an action of the program's own; row may be nil.
func (v *visit) mayRun(m *model, name string, row any) bool {
	return v.mayAsk(Ask{Action: Run, Model: m.slug, Name: name, Row: row})
}

// mayAsk asks the program. An error is a refusal, and is logged.
func (v *visit) mayAsk(ask Ask) bool {
	ask.Who = v.who
	ok, err := v.panel.options.Allow(v.ctx, ask)
	if err != nil {
		v.panel.logger.ErrorContext(v.ctx, "admin: a permission could not be decided, so it was refused", "action", ask.Action, "model", ask.Model, "error", err)
		return false
	}
	return ok
}
