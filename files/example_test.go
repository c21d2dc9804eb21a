package files_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/ishaa-framework/ishaa/files"
)

func Example() {
	folder, _ := os.MkdirTemp("", "uploads")
	defer os.RemoveAll(folder)
	uploads, err := files.Open(folder, files.Options{Types: []string{"image/png", "text/plain"}, MaxSize: 1 << 20})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer uploads.Close()
	ctx := context.Background()

	f, err := uploads.Save(ctx, "../../notes.txt", strings.NewReader("buy tea"))
	fmt.Println(f.Name, f.Type, f.Size, err)

	_, err = uploads.Save(ctx, "holiday.png", strings.NewReader("<html><script>…"))
	fmt.Println(errors.Is(err, files.ErrType), err)
	// Output:
	// notes.txt text/plain 7 <nil>
	// true files: files of this type are not taken: text/html
}
