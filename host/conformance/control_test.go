package conformance

import "testing"

// What is filled in arrives as it is, in the path and in the query.
func TestCallFillsIn(t *testing.T) {
	const id, status = "a/b?c", "NOT PAID+%"
	c := call{Request: "POST /orders/{id}/{status}?status={status}"}
	r, err := c.to("http://sandbox.test/", map[string]string{"{id}": id, "{status}": status})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.URL.Path, "/orders/"+id+"/"+status; got != want || r.URL.Query().Get("status") != status {
		t.Errorf("it calls %q, %q", got, r.URL.RawQuery)
	}
}
