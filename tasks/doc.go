// Package tasks runs work in the background: at once, later, or on a schedule, in this process or on many nodes. Jobs
// are rows of the application's database, so that none is lost when a process dies, and that a job can be enqueued, and
// its effects written, in a transaction.
//
//	queue := tasks.New(db, tasks.Options{MaxWorkers: 100})
//
//	sendEmail := tasks.Define(queue, "send_email", func(ctx context.Context, e Email) (string, error) {
//		return deliver(ctx, e)
//	}, tasks.MaxAttempts(5), tasks.Timeout(time.Minute))
//
//	queue.Periodic("cleanup", tasks.Every(5*time.Minute), cleanup)
//	app.Install(queue) // starts with the application and drains when it stops
//
//	job, err := sendEmail.Delay(ctx, Email{To: "alice@example.com"})
//	status, err := job.Status(ctx) // pending, running, completed, failed, cancelled
//	id, err := job.Wait(ctx)
//
// # Where jobs are
//
// On SQLite they are in the application's file, on PostgreSQL in its database, where many nodes share them. The tables
// are made when the queue is first used. There is no queue on MySQL and MariaDB: there, jobs are kept in an SQLite file
// of their own (Options.File), which one machine works off, and Task.In is an error. The engine is River
// (https://riverqueue.com), whose tables these are.
//
// # What is promised
//
// A job whose Delay returned without an error runs until it has completed, failed for good, or was cancelled. It runs
// at least once: if a process dies between the work and the note that it is done, the work is done again by another
// attempt. What must happen exactly once belongs into the transaction that completes the job: see Finish.
//
// An attempt whose process died counts as one that failed, so that a job which kills its process ends as a dead letter.
package tasks
