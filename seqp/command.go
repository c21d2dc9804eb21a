package seqp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/ishaa-framework/ishaa"
)

const usage = `seqp evidence   print what requests say of the release that answers them, for ishaa guard --live
seqp unfreeze   lift a freeze of releases, so that the one that mends its cause can go out

Both go by the file that Options.State names. A program that runs writes it every ten windows and when it stops, and sees
an unfreeze within a window.
`

// command is "./program seqp …".
func (p *Pipeline) command() ishaa.Command {
	return ishaa.Command{Name: "seqp", Usage: "evidence for a release, and lifting a freeze; seqp -h says how", Run: p.run}
}

func (p *Pipeline) run(_ context.Context, _ *ishaa.App, args []string, out io.Writer) error {
	if len(args) == 0 || args[0] == "-h" || args[0] == "--help" || args[0] == "help" {
		_, err := io.WriteString(out, usage)
		return err
	}
	if len(args) > 1 || args[0] != "evidence" && args[0] != "unfreeze" {
		return fmt.Errorf("seqp: %q is none of evidence and unfreeze; seqp -h says what there is", args)
	}
	if p.options.State == "" {
		return errors.New("seqp: the running program keeps its state in its memory: give seqp.Options.State a file")
	}
	saved, err := readState(p.options.State)
	if err != nil {
		return err
	}
	saved.Frozen, err = lifted(p.options.State, saved.Frozen)
	if err != nil {
		return err
	}
	if args[0] == "evidence" {
		drift := NewDrift(p.limits)
		drift.restore(saved)
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(tallied(saved.Releases, drift))
	}
	if saved.Frozen == "" {
		_, err := fmt.Fprintln(out, "Releases are not frozen.")
		return err
	}
	if err := os.WriteFile(p.options.State+unfreezeSuffix, []byte(saved.Frozen), 0o600); err != nil {
		return fmt.Errorf("seqp: the freeze is not lifted: %w", err)
	}
	_, err = fmt.Fprintf(out, "Lifted: %s\n", saved.Frozen)
	return err
}

// unfreezeSuffix names the file beside the state by which a person lifts a freeze. It holds the reason of that freeze, so
// it lifts no later one.
const unfreezeSuffix = ".unfreeze"

// lifted is what is left of a freeze after what people said.
func lifted(state, frozen string) (string, error) {
	if frozen == "" {
		return "", nil
	}
	text, err := os.ReadFile(state + unfreezeSuffix)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return frozen, nil
	case err != nil:
		return frozen, fmt.Errorf("seqp: the file that lifts a freeze: %w", err)
	case string(text) == frozen:
		return "", nil
	}
	return frozen, nil
}

// heed lifts a freeze that a person has lifted by the command.
func (p *Pipeline) heed() error {
	reason, frozen := p.Drift.Frozen()
	if !frozen || p.options.State == "" {
		return nil
	}
	left, err := lifted(p.options.State, reason)
	if err != nil || left != "" {
		return err
	}
	// The file goes first: if the program dies here, releases stay frozen.
	if err := os.Remove(p.options.State + unfreezeSuffix); err != nil {
		return err
	}
	p.Drift.Unfreeze()
	return p.save()
}
