package pipeline

// Profile is what a project risks, as its routes have it.
type Profile struct {
	Database    bool `json:"database"`    // a route reads or writes a database
	Concurrency bool `json:"concurrency"` // a route starts goroutines or shares state
	Input       bool `json:"input"`       // a route reads what a client sends, or decides who may do what
	HighRisk    bool `json:"high_risk"`   // a route's risk is high
	Financial   bool `json:"financial"`   // a route moves money

	// Mutation is the share of mutants that tests must kill at high risk, 0 to 1; default 0.6.
	Mutation float64 `json:"mutation,omitempty"`
	// Branch is where a push deploys; default "main".
	Branch string `json:"branch,omitempty"`
}

// Job is one job of a pipeline.
type Job struct {
	ID      string
	Title   string
	Stage   string   // check, test or deploy
	Needs   []string // jobs that must have passed
	Run     []string // commands for a POSIX shell, each of which must succeed
	Minutes int      // after so many the job has failed
	History bool     // needs the whole history, not the last commit only
	Deploys bool     // runs on the branch that deploys only

	Variables []string // settings of the repository that the commands read, by name; what is not set is empty
	Secrets   []string // and those that nobody may read
}

// Pipeline is a plan, whatever it is written for.
type Pipeline struct {
	Name   string
	Branch string
	Jobs   []Job
}

// tool runs the command line of the framework at the version that the project uses.
const tool = "go run github.com/ishaa-framework/ishaa/cmd/ishaa "

// vulnerabilities is the scanner of known vulnerabilities, pinned.
const vulnerabilities = "go run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./..."

// live is the variable with the address of the running application's evidence; without it the guard goes by what it can
// measure itself.
const live = "SEQP_LIVE"

// everywhere is where the tests are, those that were generated among them.
const everywhere = "./..."

// Plan returns the pipeline of a profile. The same profile gives the same pipeline.
func Plan(p Profile) Pipeline {
	if p.Branch == "" {
		p.Branch = "main"
	}
	if p.Mutation <= 0 || p.Mutation > 1 {
		p.Mutation = 0.6
	}
	plan := Pipeline{Name: "seqp", Branch: p.Branch}
	add := func(job Job) {
		if job.Minutes == 0 {
			job.Minutes = 15
		}
		plan.Jobs = append(plan.Jobs, job)
	}
	add(Job{ID: "lint", Title: "Lint", Stage: "check", Minutes: 10, Run: []string{
		`unformatted=$(gofmt -l .) && test -z "$unformatted" || { echo "gofmt would change: $unformatted"; exit 1; }`,
		"go vet ./...",
		"go mod tidy -diff",
	}})
	add(Job{ID: "build", Title: "Build", Stage: "check", Run: []string{"go build ./..."}})
	add(Job{ID: "unit", Title: "Unit tests", Stage: "test", Needs: []string{"build"}, Run: []string{"go test -shuffle=on " + everywhere}})
	if p.Database {
		add(Job{ID: "schema", Title: "Schema drift", Stage: "test", Needs: []string{"build"}, Run: []string{
			tool + "migrate run", // the job's database is empty, or that of a service that ISHAA_DATABASE_URL names
			tool + "migrate check"}})
	}
	if p.Concurrency {
		add(Job{ID: "race", Title: "Race simulation", Stage: "test", Needs: []string{"build"}, Minutes: 30, Run: []string{
			"go test -race -shuffle=on -count=2 " + everywhere}})
	}
	if p.Input {
		add(Job{ID: "security", Title: "Security scan", Stage: "test", Needs: []string{"build"}, Run: []string{
			vulnerabilities, tool + "risk --max critical"}})
	}
	if p.HighRisk || p.Financial {
		add(Job{ID: "mutation", Title: "Mutation testing", Stage: "test", Needs: []string{"unit"}, Minutes: 45, History: true, Run: []string{
			tool + "mutate --everywhere --min " + share(p.Mutation) + " ./..."}})
		add(Job{ID: "deep", Title: "Deep tests", Stage: "test", Needs: []string{"unit"}, Minutes: 30, Run: []string{
			"go test -race -shuffle=on -count=5 " + everywhere}})
	}
	if p.Financial {
		add(Job{ID: "load", Title: "Load test", Stage: "test", Needs: []string{"unit"}, Minutes: 30, Run: []string{
			"go test -run Load -count=3 " + everywhere}})
		add(Job{ID: "shadow", Title: "Shadow deployment", Stage: "test", Needs: []string{"unit"}, Minutes: 60, History: true,
			Variables: []string{live}, Secrets: []string{"ISHAA_SEQP_TOKEN"}, Run: []string{
				tool + `guard --record --base HEAD^ ${` + live + `:+--live "$` + live + `"}`}})
	}
	var gates []string
	for _, job := range plan.Jobs {
		gates = append(gates, job.ID)
	}
	add(Job{ID: "deploy", Title: "Deploy", Stage: "deploy", Needs: gates, Minutes: 30, Deploys: true, Run: []string{
		`if [ -x ./deploy ]; then ./deploy; else echo "the repository has no program ./deploy: nothing is deployed"; fi`}})
	return plan
}

// Gates returns the jobs that a deployment waits for.
func (p Pipeline) Gates() []Job {
	var list []Job
	for _, job := range p.Jobs {
		if !job.Deploys {
			list = append(list, job)
		}
	}
	return list
}
