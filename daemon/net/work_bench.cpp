#include "daemon/net/work_bench.hpp"

#include "daemon/services/log.hpp"

namespace pp::net {

void work_bench::stop() {
    stopping_ = true;
    if (worker_) worker_->join();
}

std::optional<std::uint64_t> work_bench::solution_of(const peer::notification_id& id) const {
    const auto found = solutions_.find(id);
    return found == solutions_.end() ? std::nullopt : std::optional(found->second);
}

void work_bench::begin(std::shared_ptr<const peer::notification> what, std::uint8_t bits, std::function<void()> done) {
    if (stopping_ || under_way_.size() >= work_waiting_max || !under_way_.emplace(what->id, bits).second) return;
    if (!worker_) worker_.emplace(1);
    services::log(services::area::delivery).info("event=work_begun bits={}", bits);
    asio::post(*worker_, [this, what, bits, done = std::move(done)] {
        const auto solution = peer::work_for(*what, bits, [this] { return !stopping_; });
        asio::post(io_, [this, id = what->id, solution, done] {
            under_way_.erase(id);
            if (!solution || stopping_) return;
            services::log(services::area::delivery).info("event=work_done");
            if (solutions_.insert_or_assign(id, *solution).second) order_.push_back(id);
            if (order_.size() > work_solutions_max) {
                solutions_.erase(order_.front());
                order_.pop_front();
            }
            done();
        });
    });
}

}  // namespace pp::net
