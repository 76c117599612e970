// Load from grpc-go: the same prepared message again and again, each call with another deadline.
// Prints the seconds it took, the CPU seconds it used and each call's microseconds as one JSON object.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/grpc"
)

// raw passes bytes through, so that the client's protobuf is not what is measured.
type raw struct{}

func (raw) Name() string                                { return "proto" }
func (raw) Marshal(v interface{}) ([]byte, error)       { return *v.(*[]byte), nil }
func (raw) Unmarshal(data []byte, v interface{}) error { *v.(*[]byte) = append((*v.(*[]byte))[:0], data...); return nil }

type report struct {
	Seconds    float64 `json:"seconds"`
	CPUSeconds float64 `json:"cpu_seconds"`
	TimesUs    []int64 `json:"times_us"`
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func cpuSeconds() float64 {
	var used syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return float64(used.Utime.Nano()+used.Stime.Nano()) / 1e9
}

// call makes the call of this number and checks how long the answer is.
func call(connection *grpc.ClientConn, path string, message []byte, number int64, answerBytes int) int64 {
	deadline := 20*time.Second + time.Duration(number%1000)*time.Millisecond
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	var answer []byte
	started := time.Now()
	must(connection.Invoke(ctx, path, &message, &answer, grpc.ForceCodec(raw{})))
	taken := time.Since(started).Nanoseconds() / 1000
	if len(answer) != answerBytes {
		log.Fatalf("an answer of %d bytes, not %d", len(answer), answerBytes)
	}
	return taken
}

func main() {
	address := flag.String("address", "", "host:port")
	path := flag.String("path", "", "of the method")
	body := flag.String("body", "", "file with the encoded message")
	answerBytes := flag.Int("answer-bytes", 0, "length of each right answer")
	requests := flag.Int64("requests", 1, "calls in all")
	connections := flag.Int("connections", 1, "connections")
	streams := flag.Int("streams", 1, "calls in flight on each connection")
	flag.Parse()
	message, err := os.ReadFile(*body)
	must(err)
	var opened []*grpc.ClientConn
	for i := 0; i < *connections; i++ {
		connection, err := grpc.Dial(*address, grpc.WithInsecure(), grpc.WithBlock())
		must(err)
		opened = append(opened, connection)
	}
	times := make([]int64, *requests)
	var next int64
	var working sync.WaitGroup
	started, startedCPU := time.Now(), cpuSeconds()
	for _, connection := range opened {
		for i := 0; i < *streams; i++ {
			working.Add(1)
			go func(connection *grpc.ClientConn) {
				defer working.Done()
				for number := atomic.AddInt64(&next, 1) - 1; number < *requests; number = atomic.AddInt64(&next, 1) - 1 {
					times[number] = call(connection, *path, message, number, *answerBytes)
				}
			}(connection)
		}
	}
	working.Wait()
	seconds, cpu := time.Since(started).Seconds(), cpuSeconds()-startedCPU
	text, err := json.Marshal(report{seconds, cpu, times})
	must(err)
	fmt.Println(string(text))
}
