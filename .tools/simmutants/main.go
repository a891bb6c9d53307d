// Simmutants proves that the simulation can fail: it breaks the code in one place
// at a time and looks whether a seed notices. The checkout is never changed: go
// test builds each mutant through an overlay. It fails if a mutant survives, or if
// a patch no longer fits the code.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// mutant is one mistake that somebody could make.
type mutant struct {
	name  string
	edits []edit
}

// edit replaces a text that occurs once in a file.
type edit struct{ file, old, new string }

// result is what became of a mutant.
type result struct {
	seed, rule string
	took       time.Duration
	err        error
}

var (
	root  = flag.String("root", "..", "the repository's folder")
	seeds = flag.Int("seeds", 600, "how many seeds may pass before a mutant has survived")
	only  = flag.String("only", "", "run the mutants whose name contains this")
	jobs  = flag.Int("jobs", 2, "how many mutants are built and run at a time")
)

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "simmutants:", err)
		os.Exit(1)
	}
}

func run() error {
	folder, err := filepath.Abs(*root)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "simmutants")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	begun := time.Now()
	// The unchanged code must hold, or what the mutants show is worth nothing.
	if r := try(folder, filepath.Join(work, "none"), mutant{"none", nil}, 50); r.err == nil || !errors.Is(r.err, errSurvived) {
		return fmt.Errorf("the simulation doesn't hold without a mutation: seed %s, %s, %v", r.seed, r.rule, r.err)
	}
	var chosen []mutant
	for _, m := range mutants {
		if strings.Contains(m.name, *only) {
			chosen = append(chosen, m)
		}
	}
	results := make([]result, len(chosen))
	slots := make(chan struct{}, *jobs)
	var all sync.WaitGroup
	for i, m := range chosen {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			r := try(folder, filepath.Join(work, strconv.Itoa(i)), m, *seeds)
			results[i] = r
			fmt.Fprintf(os.Stderr, "%3.0f s  %s: seed %s, %s %v\n", r.took.Seconds(), m.name, r.seed, r.rule, r.err)
		})
	}
	all.Wait()
	return report(chosen, results, time.Since(begun))
}

func report(chosen []mutant, results []result, took time.Duration) error {
	caught := 0
	fmt.Println("| mutation | seed | broken rule | s |")
	fmt.Println("|---|---|---|---|")
	for i, m := range chosen {
		r := results[i]
		if r.err != nil {
			r.rule = r.err.Error()
		} else {
			caught++
		}
		fmt.Printf("| %s | %s | %s | %.0f |\n", m.name, r.seed, r.rule, r.took.Seconds())
	}
	fmt.Printf("%d of %d mutants caught in %s\n", caught, len(chosen), took.Round(time.Second))
	if caught < len(chosen) {
		return errors.New("not every mutant was caught")
	}
	return nil
}

var errSurvived = errors.New("SURVIVED")

var broken = regexp.MustCompile(`BROKEN seed=(\d+) rule=([^:\n]*)`)

// try builds a mutant and runs seeds, one after the other, until one notices.
func try(folder, work string, m mutant, seeds int) (r result) {
	begun := time.Now()
	defer func() { r.took = time.Since(begun) }()
	binary, err := build(folder, work, m)
	if err != nil {
		return result{err: err}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	// One processor: then the first seed that notices is always the same.
	cmd := exec.CommandContext(ctx, binary, "-test.run", "^TestSim$", "-test.cpu", "1", "-sim.seeds", strconv.Itoa(seeds), "-sim.broken", "1")
	cmd.Dir = filepath.Join(folder, "host")
	out, err := cmd.CombinedOutput()
	if found := broken.FindSubmatch(out); found != nil {
		return result{seed: string(found[1]), rule: string(found[2])}
	}
	if err == nil {
		return result{err: errSurvived}
	}
	return result{err: fmt.Errorf("ended without a broken rule: %w: %s", err, tail(out))}
}

func build(folder, work string, m mutant) (binary string, err error) {
	if err := os.MkdirAll(work, 0o700); err != nil {
		return "", err
	}
	replace := map[string]string{}
	for _, e := range m.edits {
		path := filepath.Join(folder, e.file)
		from := path
		if replace[path] != "" { // a second edit of the same file
			from = replace[path]
		}
		text, err := os.ReadFile(from)
		if err != nil {
			return "", err
		}
		if n := bytes.Count(text, []byte(e.old)); n != 1 {
			return "", fmt.Errorf("PATCH DOESN'T FIT: %s has it %d times: %q", e.file, n, e.old)
		}
		replace[path] = filepath.Join(work, strings.ReplaceAll(e.file, "/", "_"))
		if err := os.WriteFile(replace[path], bytes.Replace(text, []byte(e.old), []byte(e.new), 1), 0o600); err != nil {
			return "", err
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	list := filepath.Join(work, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		return "", err
	}
	binary = filepath.Join(work, "host.test")
	cmd := exec.Command("go", "test", "-c", "-vet=off", "-ldflags=-s -w", "-overlay", list, "-o", binary, "./host")
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("DOESN'T BUILD: %w: %s", err, tail(out))
	}
	return binary, nil
}

// tail returns the end of an output, in one line.
func tail(out []byte) string {
	const most = 600
	return strings.Join(strings.Fields(string(out[max(0, len(out)-most):])), " ")
}
