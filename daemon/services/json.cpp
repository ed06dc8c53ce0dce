// Boost.JSON, compiled once here: Debian has its library only for the Boost it ships by default.
#include <boost/json/src.hpp>
