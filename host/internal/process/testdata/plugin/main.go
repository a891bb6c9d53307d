// The plugin of the tests. Its environment is clean and it gets no arguments, so
// the name of its binary says how it behaves.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/plugin"
	"github.com/paymux/paymux/sdk/wire"
)

func main() {
	if len(os.Args) > 1 { // a grandchild
		forEver()
	}
	socket := filepath.Join(os.Getenv("PLUGIN_UNIX_SOCKET_DIR"), "s")
	switch filepath.Base(os.Args[0]) {
	case "exits":
		fmt.Fprintln(os.Stderr, "the licence has run out")
		os.Exit(3)
	case "crashes":
		_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
		forEver()
	case "silent":
		forEver()
	case "closes":
		os.Stdout.Close()
		forEver()
	case "garbage":
		fmt.Print(strings.Repeat("no plugin at all ", 10_000))
		forEver()
	case "banner":
		fmt.Println("Welcome!\n1|2|3\n\x1b[31m1 | 1\n" + strings.Repeat("=", 1000))
	case "elsewhere":
		handshake("1|1|tcp|127.0.0.1:1|grpc|")
	case "other-dir":
		handshake("1|1|unix|" + filepath.Join(filepath.Dir(socket), "..", "s") + "|grpc|")
	case "netrpc":
		handshake("1|1|unix|" + socket + "|netrpc|")
	case "dies":
		fmt.Println("1|1|unix|" + socket + "|grpc|")
		os.Exit(0)
	case "deaf-daemon":
		listener, err := net.Listen("unix", socket)
		if err != nil {
			panic(err)
		}
		file, _ := listener.(*net.UnixListener).File()
		grandchild(&syscall.SysProcAttr{Setsid: true}, file)
		fmt.Println("1|1|unix|" + socket + "|grpc|")
		os.Exit(0)
	case "deaf":
		listener, err := net.Listen("unix", socket)
		fmt.Fprintln(os.Stderr, listener.Addr(), err)
		handshake("1|1|unix|" + socket + "|grpc|")
	case "protocol":
		server, err := plugin.NewServer(definition())
		if err != nil {
			panic(err)
		}
		goplugin.Serve(&goplugin.ServeConfig{
			HandshakeConfig:  wire.Handshake(),
			VersionedPlugins: map[int]goplugin.PluginSet{99: {wire.PluginName: &wire.GRPCPlugin{Service: server}}},
			GRPCServer:       goplugin.DefaultGRPCServer,
		})
		return
	case "newer": // it is a version ahead of this repository
		server, err := plugin.NewServer(definition())
		if err != nil {
			panic(err)
		}
		goplugin.Serve(&goplugin.ServeConfig{
			HandshakeConfig:  wire.Handshake(),
			VersionedPlugins: wire.Served(wire.Protocol+1, &wire.GRPCPlugin{Service: server}),
			GRPCServer:       goplugin.DefaultGRPCServer,
		})
		return
	case "unhealthy": // it says so itself
		server, err := plugin.NewServer(definition())
		if err != nil {
			panic(err)
		}
		goplugin.Serve(&goplugin.ServeConfig{
			HandshakeConfig:  wire.Handshake(),
			VersionedPlugins: wire.Served(wire.Protocol, &wire.GRPCPlugin{Service: server}),
			GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
				return grpc.NewServer(append(opts, grpc.UnaryInterceptor(notServing))...)
			},
		})
		return
	case "stock": // as go-plugin's documentation has it
		server, err := plugin.NewServer(definition())
		if err != nil {
			panic(err)
		}
		goplugin.Serve(&goplugin.ServeConfig{
			HandshakeConfig:  wire.Handshake(),
			VersionedPlugins: map[int]goplugin.PluginSet{wire.Protocol: {wire.PluginName: &wire.GRPCPlugin{Service: server}}},
			GRPCServer:       goplugin.DefaultGRPCServer,
		})
		return
	case "flood":
		go func() {
			for line := []byte("nothing new\n"); ; {
				_, _ = os.Stderr.Write(line)
			}
		}()
	case "ill-typed":
		fmt.Fprintln(os.Stderr, `{"@level":5,"@message":{"a":1},"@timestamp":true,"deep":{"b":[1]},"none":null}`)
		fmt.Fprintln(os.Stderr, `{"@level":"error","@message":123}`)
		fmt.Fprintln(os.Stderr, `{"@level":"error","@message":"well typed","count":7}`)
	case "stubborn":
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	case "parent":
		grandchild(&syscall.SysProcAttr{})
	case "parent-of-daemon":
		grandchild(&syscall.SysProcAttr{Setsid: true})
	case "leaver":
		runtime.LockOSThread() // the grandchild dies with this thread
		pid := grandchild(&syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL})
		if err := syscall.Setpgid(0, pid); err != nil {
			panic(err)
		}
	case "no-tls":
		os.Unsetenv("PLUGIN_CLIENT_CERT")
	}
	plugin.Serve(definition())
}

// notServing answers health checks.
func notServing(ctx context.Context, r any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	if info.FullMethod == grpc_health_v1.Health_Check_FullMethodName {
		return &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_NOT_SERVING}, nil
	}
	return handle(ctx, r)
}

// forEver is longer than any test, but not for ever: should one fail, nothing is
// left on the machine.
func forEver() {
	time.Sleep(2 * time.Minute)
	os.Exit(0)
}

func handshake(line string) {
	fmt.Println(line)
	forEver()
}

// grandchild starts a process that holds stderr and the files.
func grandchild(attributes *syscall.SysProcAttr, files ...*os.File) int {
	cmd := exec.Command("/proc/self/exe", "grandchild")
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles, cmd.SysProcAttr = os.Stdout, os.Stderr, files, attributes
	err := cmd.Start()
	fmt.Fprintln(os.Stderr, "grandchild", cmd.Process.Pid, err)
	return cmd.Process.Pid
}

// definition describes the process to the test in the name of its acquirer.
func definition() sdk.Plugin {
	var names []string
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		names = append(names, name)
	}
	dir, _ := os.Getwd()
	stdin, _ := os.Readlink("/proc/self/fd/0")
	return sdk.Plugin{
		Info:         sdk.Info{Name: "test", Version: "1.0.0", Acquirer: strings.Join([]string{strings.Join(names, " "), dir, stdin}, "\n")},
		ConfigSchema: `{"type":"object","additionalProperties":false,"required":["uid"],"properties":{"uid":{"type":"string","x-paymux-account":true}}}`,
		Capabilities: sdk.Capabilities{
			Rows:      []sdk.Capability{{Method: sdk.AlipayHK, Flow: sdk.MobileWeb, Currency: "HKD", Actions: []sdk.ActionType{sdk.ActionRedirect}}},
			QueryKeys: []sdk.QueryKey{sdk.QueryByMerchantOrder},
		},
		Open: func(context.Context, sdk.Config) (sdk.Provider, error) {
			fmt.Println("printed to stdout by Open")
			_, _ = syscall.Write(1, []byte("printed to the descriptor by Open\n")) // past go-plugin
			fmt.Fprintln(os.Stderr, "printed to stderr by Open")
			return nil, errors.New("there is no provider")
		},
	}
}
