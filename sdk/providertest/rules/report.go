package rules

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// Tally counts verdicts.
type Tally struct {
	Passed  int `json:"passed"`
	Failed  int `json:"failed"`
	Skipped int `json:"skipped"`
}

// Count returns how many passed, failed and were skipped.
func Count(results []Result) (t Tally) {
	for _, r := range results {
		switch r.Verdict {
		case Pass:
			t.Passed++
		case Skip:
			t.Skipped++
		default:
			t.Failed++
		}
	}
	return t
}

// String prints the figures.
func (t Tally) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", t.Passed, t.Failed, t.Skipped)
}

// WriteText writes a line for a result, the rule under what failed, and why
// something was skipped. Words of strangers can't steer a terminal.
func WriteText(w io.Writer, r Result) error {
	lines := fmt.Sprintf("%s  %s\n", r.Verdict, r.ID)
	if r.Verdict == Fail {
		lines += fmt.Sprintf("      rule: %s\n", r.Says)
	}
	if r.Verdict != Pass {
		for _, d := range r.Details {
			lines += fmt.Sprintf("      %s\n", strings.ReplaceAll(printable(d), "\n", "\n      "))
		}
	}
	_, err := io.WriteString(w, lines)
	return err
}

// printable also leaves out what XML can't hold.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string     `xml:"name,attr"`
	Class   string     `xml:"classname,attr"` // the family
	Time    string     `xml:"time,attr"`
	Failure *junitText `xml:"failure"`
	Skipped *junitText `xml:"skipped"`
}

type junitText struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes the results as JUnit's XML, which CI systems show.
func WriteJUnit(w io.Writer, name string, results []Result) error {
	tally := Count(results)
	suite := junitSuite{Name: name, Tests: len(results), Failures: tally.Failed, Skipped: tally.Skipped}
	var total float64
	for _, r := range results {
		family, short, _ := strings.Cut(r.ID, "/")
		c := junitCase{Name: short, Class: name + "." + family, Time: fmt.Sprintf("%.3f", r.Seconds)}
		why := printable(strings.Join(r.Details, "\n"))
		switch r.Verdict {
		case Fail:
			c.Failure = &junitText{r.Says, why}
		case Skip:
			c.Skipped = &junitText{why, ""}
		}
		suite.Cases = append(suite.Cases, c)
		total += r.Seconds
	}
	suite.Time = fmt.Sprintf("%.3f", total)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(suite); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
