package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"reflect"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	pb "interop/testpb"
)

const (
	largeRequest  = 271828
	largeResponse = 314159
	special       = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"
)

var (
	requestSizes  = []int{27182, 8, 1828, 45904}
	responseSizes = []int{31415, 9, 2653, 58979}
)

// The cases of gRPC's published description that this version of grpc-go can express, by their published names.
var cases = map[string]func(run){
	"empty_unary":                 emptyUnary,
	"large_unary":                 largeUnary,
	"concurrent_large_unary":      concurrentLargeUnary,
	"cacheable_unary":             cacheableUnary,
	"client_streaming":            clientStreaming,
	"server_streaming":            serverStreaming,
	"ping_pong":                   pingPong,
	"half_duplex":                 halfDuplex,
	"empty_stream":                emptyStream,
	"cancel_after_begin":          cancelAfterBegin,
	"cancel_after_first_response": cancelAfterFirstResponse,
	"timeout_on_sleeping_server":  timeoutOnSleepingServer,
	"custom_metadata":             customMetadata,
	"status_code_and_message":     func(r run) { statusAndMessage(r, "test status message") },
	"special_status_message":      func(r run) { statusAndMessage(r, special) },
	"unimplemented_method":        unimplementedMethod,
	"unimplemented_service":       unimplementedService,
	"client_compressed_unary":     clientCompressedUnary,
	"server_compressed_unary":     serverCompressedUnary,
	"client_compressed_streaming": clientCompressedStreaming,
	"server_compressed_streaming": serverCompressedStreaming,
	"rpc_soak":                    rpcSoak,
	"channel_soak":                channelSoak,
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func same(what string, got, wanted interface{}) {
	if !reflect.DeepEqual(got, wanted) {
		panic(fmt.Sprintf("%s: got %v, wanted %v", what, got, wanted))
	}
}

func refused(err error, code codes.Code) {
	same("status code", status.Code(err), code)
}

func body(size int) *pb.Payload {
	return &pb.Payload{Body: make([]byte, size)}
}

func sized(what string, payload *pb.Payload, size int) {
	if !bytes.Equal(payload.GetBody(), make([]byte, size)) {
		panic(fmt.Sprintf("%s: not %d zero bytes but %d bytes", what, size, len(payload.GetBody())))
	}
}

func large() *pb.SimpleRequest {
	return &pb.SimpleRequest{ResponseSize: largeResponse, Payload: body(largeRequest)}
}

func wants(payload int, sizes ...int) *pb.StreamingOutputCallRequest {
	request := &pb.StreamingOutputCallRequest{Payload: body(payload)}
	for _, size := range sizes {
		request.ResponseParameters = append(request.ResponseParameters, &pb.ResponseParameters{Size: int32(size)})
	}
	return request
}

func emptyUnary(r run) {
	_, err := r.client.EmptyCall(r.ctx, &pb.Empty{})
	check(err)
}

func largeUnary(r run) {
	answer, err := r.client.UnaryCall(r.ctx, large())
	check(err)
	sized("answer", answer.Payload, largeResponse)
}

func concurrentLargeUnary(r run) {
	const calls = 20
	problems := make(chan interface{}, calls)
	var all sync.WaitGroup
	for i := 0; i < calls; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			defer func() { problems <- recover() }()
			largeUnary(r)
		}()
	}
	all.Wait()
	for i := 0; i < calls; i++ {
		same("problem", <-problems, nil)
	}
}

func cacheableUnary(r run) {
	ctx := metadata.AppendToOutgoingContext(r.ctx, "x-user-ip", "1.2.3.4")
	_, err := r.client.CacheableUnaryCall(ctx, &pb.SimpleRequest{Payload: body(1)})
	check(err)
}

func clientStreaming(r run) {
	stream, err := r.client.StreamingInputCall(r.ctx)
	check(err)
	sum := 0
	for _, size := range requestSizes {
		check(stream.Send(&pb.StreamingInputCallRequest{Payload: body(size)}))
		sum += size
	}
	answer, err := stream.CloseAndRecv()
	check(err)
	same("sum", int(answer.AggregatedPayloadSize), sum)
}

func serverStreaming(r run) {
	stream, err := r.client.StreamingOutputCall(r.ctx, wants(0, responseSizes...))
	check(err)
	for _, size := range responseSizes {
		answer, err := stream.Recv()
		check(err)
		sized("answer", answer.Payload, size)
	}
	_, err = stream.Recv()
	same("end", err, io.EOF)
}

func pingPong(r run) {
	stream, err := r.client.FullDuplexCall(r.ctx)
	check(err)
	for i, size := range requestSizes {
		check(stream.Send(wants(size, responseSizes[i])))
		answer, err := stream.Recv()
		check(err)
		sized("answer", answer.Payload, responseSizes[i])
	}
	check(stream.CloseSend())
	_, err = stream.Recv()
	same("end", err, io.EOF)
}

func halfDuplex(r run) {
	stream, err := r.client.HalfDuplexCall(r.ctx)
	check(err)
	for _, size := range responseSizes {
		check(stream.Send(wants(0, size)))
	}
	check(stream.CloseSend())
	for _, size := range responseSizes {
		answer, err := stream.Recv()
		check(err)
		sized("answer", answer.Payload, size)
	}
	_, err = stream.Recv()
	same("end", err, io.EOF)
}

func emptyStream(r run) {
	stream, err := r.client.FullDuplexCall(r.ctx)
	check(err)
	check(stream.CloseSend())
	_, err = stream.Recv()
	same("end", err, io.EOF)
}

func cancelAfterBegin(r run) {
	ctx, cancel := context.WithCancel(r.ctx)
	stream, err := r.client.StreamingInputCall(ctx)
	check(err)
	cancel()
	_, err = stream.CloseAndRecv()
	refused(err, codes.Canceled)
}

func cancelAfterFirstResponse(r run) {
	ctx, cancel := context.WithCancel(r.ctx)
	stream, err := r.client.FullDuplexCall(ctx)
	check(err)
	check(stream.Send(wants(27182, 31415)))
	_, err = stream.Recv()
	check(err)
	cancel()
	_, err = stream.Recv()
	refused(err, codes.Canceled)
}

func timeoutOnSleepingServer(r run) {
	ctx, cancel := context.WithTimeout(r.ctx, time.Millisecond)
	defer cancel()
	stream, err := r.client.FullDuplexCall(ctx)
	if err == nil {
		_ = stream.Send(wants(27182)) // the deadline may pass before; the status is what counts
		_, err = stream.Recv()
	}
	refused(err, codes.DeadlineExceeded)
}

func customMetadata(r run) {
	const initial, trailing = "x-grpc-test-echo-initial", "x-grpc-test-echo-trailing-bin"
	ctx := metadata.AppendToOutgoingContext(r.ctx, initial, "test_initial_metadata_value", trailing, "\xab\xab\xab")
	echoed := func(header, trailer metadata.MD) {
		same("initial", header.Get(initial), []string{"test_initial_metadata_value"})
		same("trailing", trailer.Get(trailing), []string{"\xab\xab\xab"})
	}
	var header, trailer metadata.MD
	_, err := r.client.UnaryCall(ctx, large(), grpc.Header(&header), grpc.Trailer(&trailer))
	check(err)
	echoed(header, trailer)
	stream, err := r.client.FullDuplexCall(ctx)
	check(err)
	check(stream.Send(wants(largeRequest, largeResponse)))
	check(stream.CloseSend())
	for err == nil {
		_, err = stream.Recv()
	}
	same("end", err, io.EOF)
	header, err = stream.Header()
	check(err)
	echoed(header, stream.Trailer())
}

func statusAndMessage(r run, message string) {
	wanted := &pb.EchoStatus{Code: int32(codes.Unknown), Message: message}
	judge := func(err error) {
		refused(err, codes.Unknown)
		same("message", status.Convert(err).Message(), message)
	}
	_, err := r.client.UnaryCall(r.ctx, &pb.SimpleRequest{ResponseStatus: wanted})
	judge(err)
	stream, err := r.client.FullDuplexCall(r.ctx)
	check(err)
	check(stream.Send(&pb.StreamingOutputCallRequest{ResponseStatus: wanted}))
	check(stream.CloseSend())
	_, err = stream.Recv()
	judge(err)
}

func unimplementedMethod(r run) {
	_, err := r.client.UnimplementedCall(r.ctx, &pb.Empty{})
	refused(err, codes.Unimplemented)
}

func unimplementedService(r run) {
	_, err := pb.NewUnimplementedServiceClient(r.connection).UnimplementedCall(r.ctx, &pb.Empty{})
	refused(err, codes.Unimplemented)
}

func clientCompressedUnary(r run) {
	request := large()
	if r.probes {
		request.ExpectCompressed = &pb.BoolValue{Value: true}
		_, err := r.client.UnaryCall(r.ctx, request)
		refused(err, codes.InvalidArgument)
	}
	for _, compressed := range []bool{true, false} {
		var options []grpc.CallOption
		if compressed {
			options = append(options, grpc.UseCompressor(gzip.Name))
		}
		request.ExpectCompressed = &pb.BoolValue{Value: compressed}
		answer, err := r.client.UnaryCall(r.ctx, request, options...)
		check(err)
		sized("answer", answer.Payload, largeResponse)
	}
}

// This version of grpc-go unpacks gzip but does not announce it, so the case does.
func accepting(r run) context.Context {
	return metadata.AppendToOutgoingContext(r.ctx, "grpc-accept-encoding", gzip.Name)
}

func serverCompressedUnary(r run) {
	for _, compressed := range []bool{true, false} {
		request := large()
		request.ResponseCompressed = &pb.BoolValue{Value: compressed}
		r.wire.take()
		answer, err := r.client.UnaryCall(accepting(r), request)
		check(err)
		sized("answer", answer.Payload, largeResponse)
		same("compressed", r.wire.take(), []bool{compressed})
	}
}

// grpc-go compresses all messages of a call or none, so the published mix of both in one call is left to other clients.
func clientCompressedStreaming(r run) {
	for _, compressed := range []bool{false, true} {
		if !compressed && !r.probes {
			continue
		}
		var options []grpc.CallOption
		if compressed {
			options = append(options, grpc.UseCompressor(gzip.Name))
		}
		stream, err := r.client.StreamingInputCall(r.ctx, options...)
		check(err)
		expected := &pb.BoolValue{Value: true}
		check(stream.Send(&pb.StreamingInputCallRequest{Payload: body(27182), ExpectCompressed: expected}))
		answer, err := stream.CloseAndRecv()
		if compressed {
			check(err)
			same("sum", int(answer.AggregatedPayloadSize), 27182)
		} else {
			refused(err, codes.InvalidArgument)
		}
	}
}

func serverCompressedStreaming(r run) {
	request := wants(0, 31415, 92653)
	request.ResponseParameters[0].Compressed = &pb.BoolValue{Value: true}
	request.ResponseParameters[1].Compressed = &pb.BoolValue{Value: false}
	r.wire.take()
	stream, err := r.client.StreamingOutputCall(accepting(r), request)
	check(err)
	for _, size := range []int{31415, 92653} {
		answer, err := stream.Recv()
		check(err)
		sized("answer", answer.Payload, size)
	}
	_, err = stream.Recv()
	same("end", err, io.EOF)
	same("compressed", r.wire.take(), []bool{true, false})
}

const soakIterations = 10

func rpcSoak(r run) {
	for i := 0; i < soakIterations; i++ {
		largeUnary(r)
	}
}

func channelSoak(r run) {
	for i := 0; i < soakIterations; i++ {
		connection, err := r.dial()
		check(err)
		r.client = pb.NewTestServiceClient(connection)
		largeUnary(r)
		check(connection.Close())
	}
}
