package main

import (
	"context"
	"sync"

	"google.golang.org/grpc/stats"
)

// Remembers of each received message whether it was smaller on the wire than in memory, so: compressed.
type wire struct {
	mutex      sync.Mutex
	compressed []bool
}

func (w *wire) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (w *wire) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (w *wire) HandleConn(context.Context, stats.ConnStats)                       {}

func (w *wire) HandleRPC(_ context.Context, event stats.RPCStats) {
	if payload, ok := event.(*stats.InPayload); ok {
		w.mutex.Lock()
		defer w.mutex.Unlock()
		w.compressed = append(w.compressed, payload.WireLength < payload.Length)
	}
}

// What arrived since the last time.
func (w *wire) take() []bool {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	seen := w.compressed
	w.compressed = nil
	return seen
}
