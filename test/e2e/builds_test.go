// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/multus-ip-registrar/multus-ip-registrar/test/e2e/image"
	"github.com/multus-ip-registrar/multus-ip-registrar/test/e2e/node/config"
)

const (
	module = "github.com/multus-ip-registrar/multus-ip-registrar"
	// productUser is the one in the Dockerfile.
	productUser = "65532:65532"
)

// otherBuild gives the workers images of registrar and webhook that are built
// as another version, which is their tag.
func otherBuild(t *testing.T, version string) {
	t.Helper()
	bin := t.TempDir()
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -X "+module+"/internal/cli.release="+version, "-o", bin, "./cmd/registrar", "./cmd/webhook")
	cmd.Dir, cmd.Env = "../..", append(os.Environ(), "CGO_ENABLED=0")
	if _, err := output(cmd); err != nil {
		t.Fatal(err)
	}
	var images []image.Image
	for _, name := range []string{"registrar", "webhook"} {
		program, err := os.ReadFile(filepath.Join(bin, name))
		if err != nil {
			t.Fatal(err)
		}
		images = append(images, image.Image{
			Name: registry + "/multus-ip-registrar/" + name + ":" + version, User: productUser, Entrypoint: []string{"/" + name},
			Files: []image.File{{Path: "/" + name, Content: program}},
		})
	}
	for _, w := range []worker{worker1, worker2} {
		w.load(t, images...)
	}
}

// load gives a worker images, as if it had pulled them.
func (w worker) load(t *testing.T, images ...image.Image) {
	t.Helper()
	const archive = "late.tar"
	path := filepath.Join(the.dir, string(w), archive)
	f, err := os.Create(path)
	if err == nil {
		defer os.Remove(path)
		err = image.Write(f, images...)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(fmt.Errorf("write %s: %w", path, err))
	}
	programs := filepath.Dir(os.Getenv(kubectlEnv))
	w.run(t, filepath.Join(programs, "ctr"), "--address", config.ContainerdSocket, "--namespace", "k8s.io",
		"images", "import", filepath.Join(config.Share, archive))
}
