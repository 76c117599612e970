// Rival: the generated callback service of gRPC C++ over a map and a mutex.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>

#include <grpcpp/grpcpp.h>

#include "lauradb/cluster/cluster.grpc.pb.h"

namespace {

namespace pb = lauradb::cluster;
using Clock = std::chrono::steady_clock;

class ClusterService final : public pb::ClusterService::CallbackService {
 public:
  explicit ClusterService(bool always_topology) : always_topology_(always_topology) { topology_.set_version(1); }

  grpc::ServerUnaryReactor* RegisterNode(grpc::CallbackServerContext* context,
                                         const pb::NodeRegistrationRequest* request,
                                         pb::NodeRegistrationResponse* answer) override {
    auto* reactor = context->DefaultReactor();
    const std::lock_guard<std::mutex> guard(mutex_);
    const auto& node = request->node();
    if (!nodes_.emplace(node.id(), node).second) {
      answer->set_message("node " + node.id() + " already registered");
    } else {
      ++version_;
      answer->set_success(true);
      answer->set_message("registered");
      if (!request->omit_members()) {
        *answer->mutable_topology() = Current();
        *answer->mutable_cluster_nodes() = topology_.nodes();
      }
    }
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  grpc::ServerUnaryReactor* DeregisterNode(grpc::CallbackServerContext* context,
                                           const pb::NodeDeregistrationRequest* request,
                                           pb::NodeDeregistrationResponse* answer) override {
    auto* reactor = context->DefaultReactor();
    const std::lock_guard<std::mutex> guard(mutex_);
    const bool found = nodes_.erase(request->node_id()) != 0;
    version_ += found ? 1 : 0;
    answer->set_success(found);
    answer->set_message(found ? "deregistered" : "node " + request->node_id() + " not found");
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  grpc::ServerUnaryReactor* Heartbeat(grpc::CallbackServerContext* context, const pb::HeartbeatRequest* request,
                                      pb::HeartbeatResponse* answer) override {
    auto* reactor = context->DefaultReactor();
    const std::lock_guard<std::mutex> guard(mutex_);
    if (nodes_.find(request->node_id()) == nodes_.end()) {
      reactor->Finish({grpc::StatusCode::NOT_FOUND, "node " + request->node_id() + " not registered"});
      return reactor;
    }
    seen_[request->node_id()] = Clock::now();
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    answer->set_ack(true);
    answer->set_timestamp(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
    if (WantsTopology(*request)) {
      *answer->mutable_topology() = Current();
      told_[request->node_id()] = version_;
    }
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  grpc::ServerUnaryReactor* GetTopology(grpc::CallbackServerContext* context, const pb::GetTopologyRequest*,
                                        pb::ClusterTopology* answer) override {
    auto* reactor = context->DefaultReactor();
    const std::lock_guard<std::mutex> guard(mutex_);
    *answer = Current();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

 private:
  // The topology, rebuilt after a registration; std::map keeps the nodes sorted by id. The caller holds the mutex.
  const pb::ClusterTopology& Current() {
    if (topology_.version() != version_) {
      topology_.Clear();
      topology_.set_version(version_);
      for (const auto& entry : nodes_) *topology_.add_nodes() = entry.second;
    }
    return topology_;
  }

  // Whether the beat's answer carries the members. The caller holds the mutex.
  bool WantsTopology(const pb::HeartbeatRequest& request) {
    if (always_topology_) return true;
    if (request.has_known_topology_version()) return request.known_topology_version() < version_;
    return told_[request.node_id()] < version_;
  }

  const bool always_topology_;
  std::mutex mutex_;
  std::map<std::string, pb::Node> nodes_;
  std::unordered_map<std::string, Clock::time_point> seen_;
  std::unordered_map<std::string, int64_t> told_;
  int64_t version_ = 1;
  pb::ClusterTopology topology_;
};

// Writes the ready file in one step, so that a reader never sees half of it.
void Announce(const std::string& path, int port) {
  const std::string draft = path + ".draft";
  std::ofstream(draft) << "127.0.0.1:" << port << "\n";
  if (std::rename(draft.c_str(), path.c_str()) != 0) std::perror("ready file");
}

std::string Option(int count, char** arguments, const std::string& name, const std::string& otherwise) {
  for (int i = 1; i + 1 < count; ++i) {
    if (arguments[i] == "--" + name) return arguments[i + 1];
  }
  return otherwise;
}

}  // namespace

int main(int count, char** arguments) {
  ClusterService service(Option(count, arguments, "topology", "changed") == "always");
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:" + Option(count, arguments, "port", "0"), grpc::InsecureServerCredentials(),
                           &port);
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  if (server == nullptr) {
    std::cerr << "cannot listen\n";
    return EXIT_FAILURE;
  }
  Announce(Option(count, arguments, "ready-file", ""), port);
  server->Wait();
}
