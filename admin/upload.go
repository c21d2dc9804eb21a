package admin

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/tasks"
)

// A large file is imported by a job. It waits for that in the database, in parts, since the job may run on another node. A job
// runs once: what it has done of a file before a process died cannot be told from what the file says.

// filePart is a part of a file that waits to be imported.
type filePart struct {
	ID   int64
	File string `db:"size:32,index:part"`
	N    int    `db:"index:part"`
	Data []byte
	At   time.Time `db:"auto_now_add,index"`
}

// TableName implements orm.Tabler.
func (filePart) TableName() string { return "admin_files" }

// TableAside implements orm.Aside: the panel makes the table when it starts.
func (filePart) TableAside() {}

const (
	partSize  = 128 << 10
	partsKept = 7 * 24 * time.Hour // of a job that never came to its end
)

// importLater keeps a file for a job, and goes to the page that shows how far that is.
func (v *visit) importLater(m *model, file *ishaa.FormFile, mode string) (any, error) {
	if _, err := orm.Of[filePart](v.panel.db).Filter("at__lt", v.r.Time().Add(-partsKept)).Delete(v.ctx); err != nil {
		return nil, err
	}
	content, err := file.Open()
	if err != nil {
		return nil, err
	}
	defer content.Close()
	name := rand.Text()
	err = v.panel.db.Tx(v.ctx, func(tx *orm.Tx) error {
		part := make([]byte, partSize)
		for n := 0; ; n++ {
			size, err := io.ReadFull(content, part)
			if errors.Is(err, io.EOF) {
				return nil
			} else if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
				return err
			}
			if _, err := orm.Of[filePart](tx).Create(v.ctx, filePart{File: name, N: n, Data: part[:size]}); err != nil {
				return err
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return v.delay(v.panel.imports, jobArgs{File: name, Size: file.Size(), Mode: mode, Model: m.slug, Name: "Import"})
}

// importJob imports a file that was kept, in the name of who sent it.
func (p *Panel) importJob(ctx context.Context, args jobArgs) (result jobResult, err error) {
	defer func() {
		_, dropErr := orm.Of[filePart](p.db).Filter("file", args.File).Delete(context.WithoutCancel(ctx))
		err = errors.Join(err, dropErr)
	}()
	v, err := p.inNameOf(ctx, args)
	if err != nil {
		return result, err
	}
	m := p.bySlug[args.Model]
	if m == nil || !v.may(m, View) || !v.may(m, Import) {
		return result, tasks.Permanent(errors.New("who sent the file may not import it any more"))
	}
	result.Import, err = v.importAll(m, args.Mode, func(v *visit) (io.ReadCloser, error) {
		return io.NopCloser(&keptFile{visit: v, name: args.File, size: args.Size}), nil
	})
	return result, err
}

// keptFile reads a file part by part, and reports how far the job is.
type keptFile struct {
	visit *visit
	name  string
	size  int64
	read  int64
	next  int
	rest  []byte
}

// Read implements io.Reader.
func (f *keptFile) Read(p []byte) (int, error) {
	if len(f.rest) == 0 {
		part, err := orm.Of[filePart](f.visit.on).Filter("file", f.name, "n", f.next).First(f.visit.ctx)
		if errors.Is(err, orm.ErrNotFound) {
			return 0, f.end()
		} else if err != nil {
			return 0, err
		}
		f.rest = part.Data
		f.next++
		if err := f.report(); err != nil {
			return 0, err
		}
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	f.read += int64(n)
	return n, nil
}

// end is the end of the file, unless a part of it is missing.
func (f *keptFile) end() error {
	if f.read != f.size {
		return io.ErrUnexpectedEOF
	}
	return io.EOF
}

// report says how far the job is, except from within a transaction of SQLite, which lets nobody else write.
func (f *keptFile) report() error {
	if _, inside := f.visit.on.(*orm.Tx); inside && f.visit.panel.db.Dialect() == "sqlite" {
		return nil
	}
	return tasks.Progress(f.visit.ctx, f.read, f.size, "")
}
