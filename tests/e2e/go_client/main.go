// A node of LauraDB as its authors would write one: dial, register, beat, ask for the topology, leave.
// Prints what it was answered as one JSON object, for a test to judge.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"log"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	pb "lauradb/clusterpb"
)

type registration struct {
	Success      bool
	Message      string
	ClusterNodes []string
	Version      int64
}

type heartbeat struct {
	Ack           bool
	ClockSkewMs   int64
	TopologyNodes []string
}

type refusal struct {
	Code    string
	Message string
}

type report struct {
	Registered   registration
	Again        registration
	FirstBeat    heartbeat
	SecondBeat   heartbeat
	Stranger     refusal
	Topology     []string
	Unchanged    int64
	Host         string
	Port         int32
	Role         string
	Tags         map[string]string
	Deregistered bool
	AfterLeaving refusal
}

func ids(nodes []*pb.Node) []string {
	names := []string{}
	for _, node := range nodes {
		names = append(names, node.GetId())
	}
	return names
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

type member struct {
	client pb.ClusterServiceClient
	node   *pb.Node
}

func (m member) register(ctx context.Context) registration {
	answer, err := m.client.RegisterNode(ctx, &pb.NodeRegistrationRequest{Node: m.node})
	must(err)
	return registration{answer.Success, answer.Message, ids(answer.ClusterNodes), answer.GetTopology().GetVersion()}
}

func (m member) beat(ctx context.Context, id string) (*pb.HeartbeatResponse, error) {
	return m.client.Heartbeat(ctx, &pb.HeartbeatRequest{
		NodeId:    id,
		Timestamp: time.Now().UnixNano() / int64(time.Millisecond),
		Status: &pb.NodeStatus{
			Role:        m.node.Role,
			LastOplogId: 42,
			Resources:   &pb.ResourceStats{CpuPercent: 12.5, MemoryBytes: 1 << 30},
		},
	})
}

func (m member) acceptedBeat(ctx context.Context) heartbeat {
	answer, err := m.beat(ctx, m.node.Id)
	must(err)
	skew := time.Now().UnixNano()/int64(time.Millisecond) - answer.Timestamp
	return heartbeat{answer.Ack, skew, ids(answer.GetTopology().GetNodes())}
}

func (m member) refusedBeat(ctx context.Context, id string) refusal {
	_, err := m.beat(ctx, id)
	return refusal{status.Code(err).String(), status.Convert(err).Message()}
}

func main() {
	address := flag.String("address", "", "host:port of the server")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	connection, err := grpc.DialContext(ctx, *address, grpc.WithInsecure(), grpc.WithBlock())
	must(err)
	defer connection.Close()
	client := pb.NewClusterServiceClient(connection)
	node := &pb.Node{
		Id: "go-1", Host: "10.0.0.7", Port: 27017, Role: pb.NodeRole_SECONDARY, Priority: 2,
		Tags: map[string]string{"zone": "a"},
	}
	m := member{client, node}

	result := report{Registered: m.register(ctx), Again: m.register(ctx)}
	result.FirstBeat, result.SecondBeat = m.acceptedBeat(ctx), m.acceptedBeat(ctx)
	result.Stranger = m.refusedBeat(ctx, "nobody")

	topology, err := client.GetTopology(ctx, &pb.GetTopologyRequest{})
	must(err)
	result.Topology = ids(topology.Nodes)
	seen := topology.Nodes[0]
	result.Host, result.Port, result.Role, result.Tags = seen.Host, seen.Port, seen.Role.String(), seen.Tags
	same, err := client.GetTopology(ctx, &pb.GetTopologyRequest{MinVersion: topology.Version})
	must(err)
	result.Unchanged = same.Version

	left, err := client.DeregisterNode(ctx, &pb.NodeDeregistrationRequest{NodeId: node.Id, Reason: "maintenance"})
	must(err)
	result.Deregistered = left.Success
	result.AfterLeaving = m.refusedBeat(ctx, node.Id)
	must(json.NewEncoder(os.Stdout).Encode(result))
}
