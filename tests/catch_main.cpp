// The one translation unit with Catch2's main: compiling it takes longer than most tests.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
