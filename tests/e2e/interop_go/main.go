// gRPC's published interoperability cases from grpc-go. Prints one JSON object, case to "" or what went wrong.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	pb "interop/testpb"
)

const (
	largeRequest  = 271828
	largeResponse = 314159
	special       = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"
	initialKey    = "x-grpc-test-echo-initial"
	trailingKey   = "x-grpc-test-echo-trailing-bin"
)

var (
	requestSizes  = []int{27182, 8, 1828, 45904}
	responseSizes = []int32{31415, 9, 2653, 58979}
)

type testCase func(context.Context, pb.TestServiceClient, *grpc.ClientConn) error

func payload(size int) *pb.Payload { return &pb.Payload{Body: make([]byte, size)} }

func wants(payloadSize int, sizes ...int32) *pb.StreamingOutputCallRequest {
	request := &pb.StreamingOutputCallRequest{Payload: payload(payloadSize)}
	for _, size := range sizes {
		request.ResponseParameters = append(request.ResponseParameters, &pb.ResponseParameters{Size: size})
	}
	return request
}

func expectCode(err error, want codes.Code) error {
	if got := status.Code(err); got != want {
		return fmt.Errorf("code %v instead of %v: %v", got, want, err)
	}
	return nil
}

func expectSize(answer *pb.Payload, want int) error {
	if got := len(answer.GetBody()); got != want {
		return fmt.Errorf("%d bytes instead of %d", got, want)
	}
	return nil
}

func emptyUnary(ctx context.Context, client pb.TestServiceClient, _ *grpc.ClientConn) error {
	_, err := client.EmptyCall(ctx, &pb.Empty{})
	return err
}

func largeUnary(ctx context.Context, client pb.TestServiceClient, _ *grpc.ClientConn) error {
	answer, err := client.UnaryCall(ctx, &pb.SimpleRequest{ResponseSize: largeResponse, Payload: payload(largeRequest)})
	if err != nil {
		return err
	}
	return expectSize(answer.Payload, largeResponse)
}

func clientStreaming(ctx context.Context, client pb.TestServiceClient, _ *grpc.ClientConn) error {
	stream, err := client.StreamingInputCall(ctx)
	if err != nil {
		return err
	}
	for _, size := range requestSizes {
		if err := stream.Send(&pb.StreamingInputCallRequest{Payload: payload(size)}); err != nil {
			return err
		}
	}
	answer, err := stream.CloseAndRecv()
	if err == nil && answer.AggregatedPayloadSize != 74922 {
		err = fmt.Errorf("aggregated %d", answer.AggregatedPayloadSize)
	}
	return err
}

func serverStreaming(ctx context.Context, client pb.TestServiceClient, _ *grpc.ClientConn) error {
	stream, err := client.StreamingOutputCall(ctx, wants(0, responseSizes...))
	if err != nil {
		return err
	}
	for _, size := range responseSizes {
		answer, err := stream.Recv()
		if err != nil {
			return err
		}
		if err := expectSize(answer.Payload, int(size)); err != nil {
			return err
		}
	}
	if _, err := stream.Recv(); err != io.EOF {
		return fmt.Errorf("no end: %v", err)
	}
	return nil
}

func pingPong(ctx context.Context, client pb.TestServiceClient, _ *grpc.ClientConn) error {
	stream, err := client.FullDuplexCall(ctx)
	if err != nil {
		return err
	}
	for i, size := range requestSizes {
		if err := stream.Send(wants(size, responseSizes[i])); err != nil {
			return err
		}
		answer, err := stream.Recv()
		if err != nil {
			return err
		}
		if err := expectSize(answer.Payload, int(responseSizes[i])); err != nil {
			return err
		}
	}
	return expectEnd(stream)
}

func emptyStream(ctx context.Context, client pb.TestServiceClient, _ *grpc.ClientConn) error {
	stream, err := client.FullDuplexCall(ctx)
	if err != nil {
		return err
	}
	return expectEnd(stream)
}

func expectEnd(stream pb.TestService_FullDuplexCallClient) error {
	if err := stream.CloseSend(); err != nil {
		return err
	}
	if _, err := stream.Recv(); err != io.EOF {
		return fmt.Errorf("no end: %v", err)
	}
	return nil
}

func cancelAfterBegin(ctx context.Context, client pb.TestServiceClient, _ *grpc.ClientConn) error {
	ctx, cancel := context.WithCancel(ctx)
	stream, err := client.StreamingInputCall(ctx)
	if err != nil {
		cancel()
		return err
	}
	cancel()
	_, err = stream.CloseAndRecv()
	return expectCode(err, codes.Canceled)
}

func cancelAfterFirstResponse(ctx context.Context, client pb.TestServiceClient, _ *grpc.ClientConn) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := client.FullDuplexCall(ctx)
	if err != nil {
		return err
	}
	if err := stream.Send(wants(27182, 31415)); err != nil {
		return err
	}
	if _, err := stream.Recv(); err != nil {
		return err
	}
	cancel()
	_, err = stream.Recv()
	return expectCode(err, codes.Canceled)
}

func timeoutOnSleepingServer(ctx context.Context, client pb.TestServiceClient, _ *grpc.ClientConn) error {
	ctx, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	request := wants(0, 9)
	request.ResponseParameters[0].IntervalUs = 1000000
	stream, err := client.StreamingOutputCall(ctx, request)
	if err != nil {
		return expectCode(err, codes.DeadlineExceeded)
	}
	_, err = stream.Recv()
	return expectCode(err, codes.DeadlineExceeded)
}

func customMetadata(ctx context.Context, client pb.TestServiceClient, _ *grpc.ClientConn) error {
	ctx = metadata.AppendToOutgoingContext(ctx, initialKey, "test_initial_metadata_value", trailingKey, "\xab\xab\xab")
	var header, trailer metadata.MD
	_, err := client.UnaryCall(ctx, &pb.SimpleRequest{ResponseSize: 1}, grpc.Header(&header), grpc.Trailer(&trailer))
	if err != nil {
		return err
	}
	if err := expectMetadata(header, trailer); err != nil {
		return err
	}
	stream, err := client.FullDuplexCall(ctx)
	if err != nil {
		return err
	}
	if err := stream.Send(wants(1, 1)); err != nil {
		return err
	}
	if _, err := stream.Recv(); err != nil {
		return err
	}
	if err := expectEnd(stream); err != nil {
		return err
	}
	header, err = stream.Header()
	if err != nil {
		return err
	}
	return expectMetadata(header, stream.Trailer())
}

func expectMetadata(header, trailer metadata.MD) error {
	if got := header.Get(initialKey); len(got) != 1 || got[0] != "test_initial_metadata_value" {
		return fmt.Errorf("initial metadata %v", header)
	}
	if got := trailer.Get(trailingKey); len(got) != 1 || got[0] != "\xab\xab\xab" {
		return fmt.Errorf("trailing metadata %v", trailer)
	}
	return nil
}

func statusCodeAndMessage(message string) testCase {
	return func(ctx context.Context, client pb.TestServiceClient, _ *grpc.ClientConn) error {
		wanted := &pb.EchoStatus{Code: int32(codes.Unknown), Message: message}
		_, err := client.UnaryCall(ctx, &pb.SimpleRequest{ResponseStatus: wanted})
		if err := expectStatus(err, message); err != nil {
			return err
		}
		stream, err := client.FullDuplexCall(ctx)
		if err != nil {
			return err
		}
		if err := stream.Send(&pb.StreamingOutputCallRequest{ResponseStatus: wanted}); err != nil {
			return err
		}
		_, err = stream.Recv()
		return expectStatus(err, message)
	}
}

func expectStatus(err error, message string) error {
	if got := status.Convert(err).Message(); got != message {
		return fmt.Errorf("message %q", got)
	}
	return expectCode(err, codes.Unknown)
}

func unimplementedMethod(ctx context.Context, client pb.TestServiceClient, _ *grpc.ClientConn) error {
	_, err := client.UnimplementedCall(ctx, &pb.Empty{})
	return expectCode(err, codes.Unimplemented)
}

func unimplementedService(ctx context.Context, _ pb.TestServiceClient, connection *grpc.ClientConn) error {
	_, err := pb.NewUnimplementedServiceClient(connection).UnimplementedCall(ctx, &pb.Empty{})
	return expectCode(err, codes.Unimplemented)
}

func compressedUnary(ctx context.Context, client pb.TestServiceClient, _ *grpc.ClientConn) error {
	yes := &pb.BoolValue{Value: true}
	request := &pb.SimpleRequest{
		ResponseSize: largeResponse, Payload: payload(largeRequest), ExpectCompressed: yes, ResponseCompressed: yes,
	}
	answer, err := client.UnaryCall(ctx, request, grpc.UseCompressor(gzip.Name))
	if err != nil {
		return err
	}
	return expectSize(answer.Payload, largeResponse)
}

func manyAtOnce(ctx context.Context, client pb.TestServiceClient, _ *grpc.ClientConn) error {
	results := make(chan error)
	for i := 0; i < 1000; i++ {
		go func(i int) {
			ctx, cancel := context.WithTimeout(ctx, time.Duration(5000+i)*time.Millisecond)
			defer cancel()
			answer, err := client.UnaryCall(ctx, &pb.SimpleRequest{ResponseSize: int32(i)})
			if err == nil {
				err = expectSize(answer.Payload, i)
			}
			results <- err
		}(i)
	}
	var failed error
	for i := 0; i < 1000; i++ {
		if err := <-results; err != nil {
			failed = err
		}
	}
	return failed
}

func main() {
	address := flag.String("address", "", "host:port")
	authority := flag.String("ca", "", "PEM file to trust; plain text without it")
	flag.Parse()
	security := grpc.WithInsecure()
	if *authority != "" {
		transport, err := credentials.NewClientTLSFromFile(*authority, "localhost")
		if err != nil {
			log.Fatal(err)
		}
		security = grpc.WithTransportCredentials(transport)
	}
	connection, err := grpc.Dial(*address, security)
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	cases := map[string]testCase{
		"empty_unary":                 emptyUnary,
		"large_unary":                 largeUnary,
		"client_streaming":            clientStreaming,
		"server_streaming":            serverStreaming,
		"ping_pong":                   pingPong,
		"empty_stream":                emptyStream,
		"cancel_after_begin":          cancelAfterBegin,
		"cancel_after_first_response": cancelAfterFirstResponse,
		"timeout_on_sleeping_server":  timeoutOnSleepingServer,
		"custom_metadata":             customMetadata,
		"status_code_and_message":     statusCodeAndMessage("test status message"),
		"special_status_message":      statusCodeAndMessage(special),
		"unimplemented_method":        unimplementedMethod,
		"unimplemented_service":       unimplementedService,
		"compressed_unary":            compressedUnary,
		"many_at_once":                manyAtOnce,
	}
	outcome := map[string]string{}
	for name, run := range cases {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		outcome[name] = ""
		if err := run(ctx, pb.NewTestServiceClient(connection), connection); err != nil {
			outcome[name] = err.Error()
		}
		cancel()
	}
	json.NewEncoder(os.Stdout).Encode(outcome)
}
