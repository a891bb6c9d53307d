package sandbox

import (
	"fmt"
	"math"
	"testing"
)

// TestBrandsAreReadable: WCAG 2.2 wants a contrast of 4.5:1 between text and
// what it stands on. Here that is white on a brand's colour, or the reverse.
func TestBrandsAreReadable(t *testing.T) {
	for name, b := range brands {
		for _, color := range []string{b.Color, b.Shade} {
			if got := 1.05 / (luminance(t, color) + 0.05); got < 4.5 {
				t.Errorf("%s: %s on white has a contrast of %.2f", name, color, got)
			}
		}
	}
}

// luminance is WCAG's relative luminance of #rrggbb.
func luminance(t *testing.T, color string) (sum float64) {
	t.Helper()
	var rgb [3]int
	if _, err := fmt.Sscanf(color, "#%02x%02x%02x", &rgb[0], &rgb[1], &rgb[2]); err != nil {
		t.Fatalf("%s: %v", color, err)
	}
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		c := float64(rgb[i]) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
