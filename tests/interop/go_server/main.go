// Serves gRPC's interoperability cases with grpc-go: prints its address, ends with its input.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	pb "interop/testpb"
)

const (
	initialKey  = "x-grpc-test-echo-initial"
	trailingKey = "x-grpc-test-echo-trailing-bin"
)

type compressionKey struct{}

// Remembers how each call's requests are packed: handlers are not told.
type watcher struct{}

func (watcher) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	return context.WithValue(ctx, compressionKey{}, new(string))
}

func (watcher) HandleRPC(ctx context.Context, event stats.RPCStats) {
	if header, ok := event.(*stats.InHeader); ok {
		*ctx.Value(compressionKey{}).(*string) = header.Compression
	}
}

func (watcher) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

func (watcher) HandleConn(context.Context, stats.ConnStats) {}

func checkCompression(ctx context.Context, expected *pb.BoolValue) error {
	compressed := *ctx.Value(compressionKey{}).(*string) == "gzip"
	if expected != nil && expected.GetValue() != compressed {
		return status.Errorf(codes.InvalidArgument, "compressed: %v", compressed)
	}
	return nil
}

func asked(wanted *pb.EchoStatus) error {
	return status.Error(codes.Code(wanted.GetCode()), wanted.GetMessage())
}

func payload(size int32) *pb.Payload {
	return &pb.Payload{Body: make([]byte, size)}
}

// What of the caller's metadata goes back, first and last.
func echoes(ctx context.Context) (metadata.MD, metadata.MD) {
	sent, _ := metadata.FromIncomingContext(ctx)
	initial, trailing := metadata.MD{}, metadata.MD{}
	if values := sent[initialKey]; len(values) > 0 {
		initial[initialKey] = values
	}
	if values := sent[trailingKey]; len(values) > 0 {
		trailing[trailingKey] = values
	}
	return initial, trailing
}

type server struct {
	pb.UnimplementedTestServiceServer
}

func (*server) EmptyCall(context.Context, *pb.Empty) (*pb.Empty, error) { return &pb.Empty{}, nil }

func (*server) UnaryCall(ctx context.Context, request *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	initial, trailing := echoes(ctx)
	if err := grpc.SetHeader(ctx, initial); err != nil {
		return nil, err
	}
	if err := grpc.SetTrailer(ctx, trailing); err != nil {
		return nil, err
	}
	if err := checkCompression(ctx, request.GetExpectCompressed()); err != nil {
		return nil, err
	}
	if err := asked(request.GetResponseStatus()); err != nil {
		return nil, err
	}
	return &pb.SimpleResponse{Payload: payload(request.GetResponseSize())}, nil
}

type answers interface {
	Send(*pb.StreamingOutputCallResponse) error
}

func answer(request *pb.StreamingOutputCallRequest, stream answers) error {
	for _, wanted := range request.GetResponseParameters() {
		time.Sleep(time.Duration(wanted.GetIntervalUs()) * time.Microsecond)
		if err := stream.Send(&pb.StreamingOutputCallResponse{Payload: payload(wanted.GetSize())}); err != nil {
			return err
		}
	}
	return nil
}

func (*server) StreamingOutputCall(request *pb.StreamingOutputCallRequest, stream pb.TestService_StreamingOutputCallServer) error {
	return answer(request, stream)
}

func (*server) StreamingInputCall(stream pb.TestService_StreamingInputCallServer) error {
	var size int32
	for {
		request, err := stream.Recv()
		if err == io.EOF {
			return stream.SendAndClose(&pb.StreamingInputCallResponse{AggregatedPayloadSize: size})
		}
		if err != nil {
			return err
		}
		if err := checkCompression(stream.Context(), request.GetExpectCompressed()); err != nil {
			return err
		}
		size += int32(len(request.GetPayload().GetBody()))
	}
}

func (*server) FullDuplexCall(stream pb.TestService_FullDuplexCallServer) error {
	initial, trailing := echoes(stream.Context())
	if err := stream.SetHeader(initial); err != nil {
		return err
	}
	stream.SetTrailer(trailing)
	for {
		request, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := asked(request.GetResponseStatus()); err != nil {
			return err
		}
		if err := answer(request, stream); err != nil {
			return err
		}
	}
}

func main() {
	certificate := flag.String("cert", "", "PEM file of the certificate chain; with -key, TLS")
	key := flag.String("key", "", "PEM file of its key")
	flag.Parse()
	options := []grpc.ServerOption{grpc.StatsHandler(watcher{})}
	if *certificate != "" {
		credential, err := credentials.NewServerTLSFromFile(*certificate, *key)
		if err != nil {
			log.Fatal(err)
		}
		options = append(options, grpc.Creds(credential))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	serving := grpc.NewServer(options...)
	pb.RegisterTestServiceServer(serving, &server{})
	fmt.Println(listener.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		serving.Stop()
	}()
	if err := serving.Serve(listener); err != nil {
		log.Fatal(err)
	}
}
