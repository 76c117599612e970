// Rival: the generated server of grpc-go over a map and a mutex.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"sort"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "lauradb/clusterpb"
)

type server struct {
	pb.UnimplementedClusterServiceServer
	alwaysTopology bool

	mu       sync.Mutex
	nodes    map[string]*pb.Node // never changed once in here, so answers may share them
	told     map[string]int64
	seen     map[string]time.Time
	topology *pb.ClusterTopology // rebuilt after a registration, never changed
	version  int64
}

func (s *server) RegisterNode(_ context.Context, request *pb.NodeRegistrationRequest) (*pb.NodeRegistrationResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	node := request.GetNode()
	if _, taken := s.nodes[node.GetId()]; taken {
		return &pb.NodeRegistrationResponse{Message: fmt.Sprintf("node %s already registered", node.GetId())}, nil
	}
	s.nodes[node.GetId()] = node
	s.version++
	answer := &pb.NodeRegistrationResponse{Success: true, Message: "registered"}
	if !request.GetOmitMembers() {
		answer.Topology = s.current()
		answer.ClusterNodes = answer.Topology.Nodes
	}
	return answer, nil
}

func (s *server) DeregisterNode(_ context.Context, request *pb.NodeDeregistrationRequest) (*pb.NodeDeregistrationResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.nodes[request.NodeId]; !known {
		return &pb.NodeDeregistrationResponse{Message: fmt.Sprintf("node %s not found", request.NodeId)}, nil
	}
	delete(s.nodes, request.NodeId)
	s.version++
	return &pb.NodeDeregistrationResponse{Success: true, Message: "deregistered"}, nil
}

func (s *server) Heartbeat(_ context.Context, request *pb.HeartbeatRequest) (*pb.HeartbeatResponse, error) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.nodes[request.NodeId]; !known {
		return nil, status.Errorf(codes.NotFound, "node %s not registered", request.NodeId)
	}
	s.seen[request.NodeId] = now
	answer := &pb.HeartbeatResponse{Ack: true, Timestamp: now.UnixNano() / int64(time.Millisecond)}
	if s.wantsTopology(request) {
		answer.Topology = s.current()
		s.told[request.NodeId] = s.version
	}
	return answer, nil
}

func (s *server) GetTopology(context.Context, *pb.GetTopologyRequest) (*pb.ClusterTopology, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current(), nil
}

// current returns the topology, nodes sorted by id. The caller holds the mutex.
func (s *server) current() *pb.ClusterTopology {
	if s.topology == nil || s.topology.Version != s.version {
		nodes := make([]*pb.Node, 0, len(s.nodes))
		for _, node := range s.nodes {
			nodes = append(nodes, node)
		}
		sort.Slice(nodes, func(i, j int) bool { return nodes[i].Id < nodes[j].Id })
		s.topology = &pb.ClusterTopology{Version: s.version, Nodes: nodes}
	}
	return s.topology
}

// wantsTopology tells whether the beat's answer carries the members. The caller holds the mutex.
func (s *server) wantsTopology(request *pb.HeartbeatRequest) bool {
	if s.alwaysTopology {
		return true
	}
	if request.KnownTopologyVersion != nil {
		return *request.KnownTopologyVersion < s.version
	}
	return s.told[request.NodeId] < s.version
}

// announce writes the ready file in one step, so that a reader never sees half of it.
func announce(path string, address net.Addr) error {
	draft := path + ".draft"
	if err := os.WriteFile(draft, []byte(address.String()+"\n"), 0o644); err != nil {
		return err
	}
	return os.Rename(draft, path)
}

func main() {
	port := flag.Int("port", 0, "0 picks a free one")
	readyFile := flag.String("ready-file", "", "gets host:port once the server listens")
	topology := flag.String("topology", "changed", "changed or always")
	flag.Parse()
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		log.Fatal(err)
	}
	service := &server{
		alwaysTopology: *topology == "always",
		nodes:          map[string]*pb.Node{},
		told:           map[string]int64{},
		seen:           map[string]time.Time{},
		version:        1,
	}
	carrier := grpc.NewServer()
	pb.RegisterClusterServiceServer(carrier, service)
	if err := announce(*readyFile, listener.Addr()); err != nil {
		log.Fatal(err)
	}
	log.Fatal(carrier.Serve(listener))
}
