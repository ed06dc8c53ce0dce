#include "tests/simulation/machine.hpp"

#include "tests/simulation/network.hpp"

namespace pp::sim {

machine::machine(int number, const std::filesystem::path& home, services::config c)
    : name_("node" + std::to_string(number)), configuration_(std::move(c)) {
    os_.number = number;
    os_.power_went = [this] { power_off("in the middle of a write"); };
    home_.root = home;
    network::the().add(os_);
}

void machine::switch_on() {
    running_ = true;
    os_.powered = true;
    ++os_.starts;
    tell("%s is switched on", name_.c_str());
    network::the().rebooted(os_);
    scheduler::the().spawn(os_, [this]() -> void* {
        live();
        return nullptr;
    });
}

void machine::live() {
    try {
        auto home = services::node::open(home_, configuration_);
        if (!home) {
            if (os_.powered && !os_.disk_full) complaint = name_ + " does not open: " + home.error().message();
            tell("%s does not start: %s", name_.c_str(), home.error().message().c_str());
        } else {
            node_ = std::move(*home);
            if (opened) opened(*node_);
            server_ = std::make_unique<net::server>(*node_);
            const auto sentence = server_->start();
            if (!sentence.empty()) {
                complaint = name_ + " does not listen: " + sentence;
            } else {
                tell("%s serves", name_.c_str());
                serving_ = true;
                server_->run();
                tell("%s has stopped", name_.c_str());
            }
        }
    } catch (const power_lost&) {
    } catch (const std::exception& e) {
        complaint = name_ + " ended with an exception: " + e.what();
    }
    serving_ = false;
    server_.reset();
    node_.reset();
    if (os_.powered) network::the().lost_power(os_);   // nothing of the process is left
    running_ = false;
}

void machine::power_off(std::string_view why) {
    if (!os_.powered) return;
    tell("%s loses its power %s", name_.c_str(), std::string(why).c_str());
    ++crashes;
    os_.powered = false;
    os_.dies_at_write = 0;
    serving_ = false;
    network::the().lost_power(os_);
    descriptor_table::the().power_went(os_);
}

void machine::stop() {
    if (!serving_) return;
    tell("%s is told to stop", name_.c_str());
    server_->stop();
}

}  // namespace pp::sim
