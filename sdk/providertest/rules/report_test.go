package rules_test

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"github.com/paymux/paymux/sdk/providertest/rules"
)

var results = []rules.Result{
	{ID: "create/answer", Says: "It answers.", Verdict: rules.Pass, Details: []string{"a remark"}, Seconds: 0.5},
	{ID: "create/bad", Says: "It is good.", Verdict: rules.Fail, Details: []string{"got <b>\x1b[31m\x00\nline two"}, Seconds: 1},
	{ID: "refund/none", Says: "It refunds.", Verdict: rules.Skip, Details: []string{"it has no Refund"}},
}

func TestWriteText(t *testing.T) {
	var b strings.Builder
	for _, r := range results {
		if err := rules.WriteText(&b, r); err != nil {
			t.Fatal(err)
		}
	}
	const want = "pass  create/answer\n" +
		"fail  create/bad\n      rule: It is good.\n      got <b> [31m \n      line two\n" +
		"skip  refund/none\n      it has no Refund\n"
	if b.String() != want || rules.Count(results).String() != "1 passed, 1 failed, 1 skipped" {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestWriteJUnit(t *testing.T) {
	var b strings.Builder
	if err := rules.WriteJUnit(&b, "paymux-provider-x", results); err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(strings.NewReader(b.String())); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, b.String())
		}
	}
	for _, part := range []string{
		`tests="3" failures="1" skipped="1" time="1.500"`,
		`<testcase name="bad" classname="paymux-provider-x.create" time="1.000">`,
		`<failure message="It is good.">got &lt;b&gt; [31m`,
		`<skipped message="it has no Refund">`,
	} {
		if !strings.Contains(b.String(), part) {
			t.Errorf("no %s in\n%s", part, b.String())
		}
	}
}
