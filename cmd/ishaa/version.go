package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/ishaa-framework/ishaa/internal/scaffold"
)

func (c *cli) versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "version", Short: "print the versions of ishaa and of Go", Args: none,
		RunE: func(*cobra.Command, []string) error {
			v := struct {
				Ishaa    string `json:"ishaa"`
				Go       string `json:"go"`
				Platform string `json:"platform"`
				Checkout string `json:"checkout,omitempty"`
			}{Ishaa: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
			if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
				v.Ishaa = info.Main.Version
			}
			if framework, err := scaffold.Locate(""); err == nil {
				v.Checkout = framework.Checkout
			}
			if asJSON {
				return json.NewEncoder(c.out).Encode(v)
			}
			fmt.Fprintf(c.out, "ishaa %s\n%s %s\n", v.Ishaa, v.Go, v.Platform)
			if v.Checkout != "" {
				fmt.Fprintf(c.out, "new projects use the checkout in %s\n", v.Checkout)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
