package main

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"rsc.io/qr/coding"
)

func TestQRCodeDecodes(t *testing.T) {
	for _, text := range []string{
		"https://qr.alipay.example/01JXYZ",
		"https://intlmapi.alipay.example/gateway.do?_input_charset=UTF-8&body=order+description&currency=HKD&sign=" + strings.Repeat("0a", 80),
		"a", "繁體中文", `"><script>alert(1)</script>`,
	} {
		svg, err := qrSVG(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := decodeQR(t, modules(t, string(svg))); got != text {
			t.Errorf("drew %q, read %q", text, got)
		}
		if strings.Contains(string(svg), "script") {
			t.Error("text in the markup")
		}
	}
	if _, err := qrSVG(strings.Repeat("x", 5000)); err == nil {
		t.Error("5000 bytes fit")
	}
}

// modules reads the drawing back into a matrix, without its quiet zone.
func modules(t *testing.T, svg string) [][]bool {
	t.Helper()
	m := regexp.MustCompile(`viewBox="0 0 (\d+) (\d+)"`).FindStringSubmatch(svg)
	if m == nil || m[1] != m[2] {
		t.Fatalf("no square: %s", svg)
	}
	side, _ := strconv.Atoi(m[1])
	size := side - 2*quietZone
	grid := make([][]bool, size)
	for y := range grid {
		grid[y] = make([]bool, size)
	}
	for _, run := range regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1H(\d+)z`).FindAllStringSubmatch(svg, -1) {
		var n [4]int
		for i := range n {
			n[i], _ = strconv.Atoi(run[i+1])
		}
		if n[0] != n[3] {
			t.Fatalf("a path that isn't closed: %s", run[0])
		}
		for x := range n[2] {
			grid[n[1]-quietZone][n[0]-quietZone+x] = true // panics if the quiet zone isn't quiet
		}
	}
	return grid
}

// decodeQR reads a matrix as a scanner would: the format says which mask hides
// the data bits, and the data begin with their mode and length.
func decodeQR(t *testing.T, grid [][]bool) string {
	t.Helper()
	version := coding.Version((len(grid) - 17) / 4)
	for mask := range coding.Mask(8) {
		plan, err := coding.NewPlan(version, coding.M, mask)
		if err != nil {
			t.Fatal(err)
		}
		if sameFormat(plan, grid) {
			return readBytes(t, version, dataBits(plan, grid))
		}
	}
	t.Fatal("no mask fits the format bits")
	return ""
}

func sameFormat(plan *coding.Plan, grid [][]bool) bool {
	for y, row := range plan.Pixel {
		for x, p := range row {
			switch p.Role() {
			case coding.Position, coding.Alignment, coding.Timing, coding.Format, coding.PVersion:
				if (p&coding.Black != 0) != grid[y][x] {
					return false
				}
			}
		}
	}
	return true
}

func dataBits(plan *coding.Plan, grid [][]bool) []bool {
	bits := make([]bool, 8*plan.DataBytes)
	for y, row := range plan.Pixel {
		for x, p := range row {
			if p.Role() == coding.Data {
				bits[p.Offset()] = grid[y][x] != (p&coding.Invert != 0)
			}
		}
	}
	return bits
}

func readBytes(t *testing.T, version coding.Version, bits []bool) string {
	t.Helper()
	next := func(n int) (v int) {
		for range n {
			v *= 2
			if bits[0] {
				v++
			}
			bits = bits[1:]
		}
		return v
	}
	if mode := next(4); mode != 4 {
		t.Fatalf("mode %d, want bytes", mode)
	}
	length := 8
	if version > 9 {
		length = 16
	}
	raw := make([]byte, next(length))
	for i := range raw {
		raw[i] = byte(next(8))
	}
	return string(raw)
}
