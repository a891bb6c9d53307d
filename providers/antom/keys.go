package antom

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"

	"github.com/paymux/paymux/sdk"
)

// leastBits is the size of the acquirer's keys.
const leastBits = 2048

// readPrivateKey reads our key from PEM. Errors never quote it.
func readPrivateKey(pointer, text string) (*rsa.PrivateKey, error) {
	block, err := readPEM(pointer, text)
	if err != nil {
		return nil, err
	}
	var key any
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	default:
		return nil, sdk.ConfigError(pointer, "must be your RSA private key: PEM of the type PRIVATE KEY or RSA PRIVATE KEY, not encrypted")
	}
	private, ok := key.(*rsa.PrivateKey)
	if err != nil || !ok {
		return nil, sdk.ConfigError(pointer, "is PEM, but not of an RSA private key")
	}
	if private.N.BitLen() < leastBits {
		return nil, sdk.ConfigError(pointer, "must have at least %d bits, not %d", leastBits, private.N.BitLen())
	}
	return private, nil
}

// readPublicKey reads one of the acquirer's keys from PEM.
func readPublicKey(pointer, text string) (*rsa.PublicKey, error) {
	block, err := readPEM(pointer, text)
	if err != nil {
		return nil, err
	}
	if block.Type != "PUBLIC KEY" {
		return nil, sdk.ConfigError(pointer, "must be the acquirer's RSA public key: PEM of the type PUBLIC KEY")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	public, ok := key.(*rsa.PublicKey)
	if err != nil || !ok {
		return nil, sdk.ConfigError(pointer, "is PEM, but not of an RSA public key")
	}
	if public.N.BitLen() < leastBits {
		return nil, sdk.ConfigError(pointer, "must have at least %d bits, not %d", leastBits, public.N.BitLen())
	}
	return public, nil
}

// readPEM takes exactly one block: of two it would be open which one counts.
func readPEM(pointer, text string) (*pem.Block, error) {
	block, rest := pem.Decode([]byte(text))
	if block == nil {
		return nil, sdk.ConfigError(pointer, "must be PEM, with its lines -----BEGIN … and -----END …")
	}
	if strings.TrimSpace(string(rest)) != "" {
		return nil, sdk.ConfigError(pointer, "must hold one key and nothing after it")
	}
	return block, nil
}
