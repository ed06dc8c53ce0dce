// For who holds many mails until one commit (APPEND of several, RFC 3502): they wait in files, not in memory.
#pragma once

#include "storage/blob_store.hpp"

namespace pp::storage {

// A writer that has taken nothing yet. However small its mail is, it lies in a file from the first chunk on.
blob_writer in_file(blob_writer fresh);

}  // namespace pp::storage
