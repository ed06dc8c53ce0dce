// The client's end of the control socket (daemon/services/control.hpp).
#pragma once

#include "daemon/services/commands.hpp"

#include <filesystem>
#include <optional>

namespace pp::cli {

// A daemon that says nothing for so long, neither result nor progress, hangs.
inline constexpr std::chrono::seconds control_answer_timeout{60};

// nullopt: nobody listens there. An error of ours when the daemon hangs or breaks off.
std::optional<services::command_result> ask_daemon(const std::filesystem::path& socket, std::string_view command,
                                                   const boost::json::object& arguments,
                                                   const services::command_progress& progress = {});

}  // namespace pp::cli
