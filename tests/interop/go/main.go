// Runs gRPC's interoperability cases from grpc-go: reads the name of a case per line, answers one JSON line each.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	pb "interop/testpb"
)

const (
	caseTimeout = 20 * time.Second
	maxMessage  = 16 << 20
)

// What a case needs: the connection, its stubs, what arrived on the wire, and what this server can check.
type run struct {
	ctx        context.Context
	connection *grpc.ClientConn
	client     pb.TestServiceClient
	wire       *wire
	dial       func() (*grpc.ClientConn, error)
	// The server can tell a compressed request from a plain one, so a lie about it is refused.
	probes bool
}

type verdict struct {
	Case  string
	Error string
}

func (r run) judge(name string) (answer verdict) {
	answer.Case = name
	test, known := cases[name]
	if !known {
		answer.Error = "no such case"
		return
	}
	defer func() {
		if problem := recover(); problem != nil {
			answer.Error = fmt.Sprint(problem)
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), caseTimeout)
	defer cancel()
	r.ctx = ctx
	test(r)
	return
}

func options(ca string, watcher *wire) ([]grpc.DialOption, error) {
	common := []grpc.DialOption{
		grpc.WithBlock(),
		grpc.WithStatsHandler(watcher),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)),
	}
	if ca == "" {
		return append(common, grpc.WithInsecure()), nil
	}
	trusted, err := credentials.NewClientTLSFromFile(ca, "localhost")
	return append(common, grpc.WithTransportCredentials(trusted)), err
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	address := flag.String("address", "", "host:port of the server")
	ca := flag.String("ca", "", "PEM file of the authority to trust; plaintext without")
	probes := flag.Bool("probes", false, "the server checks expect_compressed")
	flag.Parse()
	watcher := &wire{}
	chosen, err := options(*ca, watcher)
	must(err)
	dial := func() (*grpc.ClientConn, error) {
		ctx, cancel := context.WithTimeout(context.Background(), caseTimeout)
		defer cancel()
		return grpc.DialContext(ctx, *address, chosen...)
	}
	connection, err := dial()
	must(err)
	defer connection.Close()
	all := run{connection: connection, client: pb.NewTestServiceClient(connection), wire: watcher, dial: dial, probes: *probes}
	names, answers := bufio.NewScanner(os.Stdin), json.NewEncoder(os.Stdout)
	for names.Scan() {
		must(answers.Encode(all.judge(names.Text())))
	}
}
