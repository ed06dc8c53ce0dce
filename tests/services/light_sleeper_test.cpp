#include "daemon/services/light_sleeper.hpp"

#include <catch2/catch.hpp>

using namespace pp::services;

TEST_CASE("who stays awake looks until it is there, and not for long") {
    if (std::thread::hardware_concurrency() < 2) return;   // then nobody stays awake
    light_sleeper sleeper;
    int looks = 0;
    sleeper.stay_awake([&] { return ++looks == 3; });
    CHECK(looks <= 3);   // or the processor was taken away meanwhile

    int in_vain = 0;
    for (int i = 0; i < 10000; ++i) {
        const auto begun = std::chrono::steady_clock::now();
        bool looked = false;
        sleeper.stay_awake([&] {
            looked = true;
            return false;
        });
        if (!looked) break;   // it has learned
        ++in_vain;
        CHECK(std::chrono::steady_clock::now() - begun >= taken_away_after);
    }
    CHECK(in_vain <= static_cast<int>(in_vain_max));
    CHECK(in_vain >= 1);

    std::this_thread::sleep_for(sleeps_at_once_for + std::chrono::milliseconds(20));
    looks = 0;
    sleeper.stay_awake([&] { return ++looks > 0; });
    CHECK(looks == 1);   // and tries again
}

TEST_CASE("who loses the processor does not stay awake") {
    if (std::thread::hardware_concurrency() < 2) return;
    light_sleeper sleeper;
    int looks = 0;
    const auto slow = [&] {
        ++looks;
        std::this_thread::sleep_for(2 * taken_away_after);
        return false;
    };
    sleeper.stay_awake(slow);
    CHECK(looks == 1);
    sleeper.stay_awake(slow);
    CHECK(looks == 1);
}
