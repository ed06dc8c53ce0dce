// Makes and keeps the full-text index, a step at a time, on one thread of low priority. Pure of threads and of mail:
// the caller brings the reading of a mail, and the commit on the writer's thread. Memory: the postings of one segment
// under way (8 MB) and one mail's trigrams (1 MiB), nothing between steps of work.
#pragma once

#include "storage/text_index.hpp"

namespace pp::storage {

struct text_builder_tools {
    // The texts of one mail. errc::not_found: it is gone meanwhile; errc::damaged: it cannot be read and stays a
    // candidate of every search; any other error ends the step.
    std::function<result<void>(std::uint64_t serial, mail_trigrams& out)> read;
    std::function<result<void>(const text_batch& batch)> commit;   // text_index::apply on the thread of write(); waits
    std::function<bool()> stop;                                    // asked between mails and between pages
};

class text_builder {
public:
    text_builder(text_index& index, text_builder_tools tools) : index_(index), tools_(std::move(tools)) {}

    // Does one piece of work: begins an index, erases rests, takes in new mails, or merges. False: nothing to do, or
    // told to stop, or no room on the disk.
    result<bool> step();

private:
    result<bool> sweep(const text_index::opened& index);
    result<bool> take_in(const text_index::opened& index);
    result<bool> merge(const text_index::opened& index);
    page_packer::taker pages_of(const text_index::opened& index, std::uint32_t id, text_batch& batch);
    result<bool> finish(const result<void>& made, text_batch& batch, text_directory directory);

    text_index& index_;
    text_builder_tools tools_;
    std::uint32_t next_id_ = 1;               // never falls, so that no number is used for two segments
    bool swept_ = false;
};

}  // namespace pp::storage
