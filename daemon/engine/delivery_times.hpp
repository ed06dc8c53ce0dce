// How long delivery waits for what ([delivery] in the configuration).
#pragma once

#include <chrono>
#include <string>

namespace pp::engine {

struct delivery_times {
    std::chrono::milliseconds reach = std::chrono::seconds(12);       // 04-network 4.5.7: then the relay gets it
    std::chrono::milliseconds retry_max = std::chrono::hours(1);      // the longest pause between two attempts
    // A relay may lose what it was given: a mail that waits there is looked after, first after so long, then in pauses
    // that double, up to a day.
    std::chrono::milliseconds look_after = std::chrono::hours(1);
    std::chrono::milliseconds delayed_after = std::chrono::hours(4);  // 01-product 1.4
    std::chrono::milliseconds fail_after = std::chrono::days(5);      // RFC 5321 section 4.5.4.1: four or five days
};

// "five days", "2 hours", "90 seconds".
std::string in_words(std::chrono::milliseconds d);

}  // namespace pp::engine
